"""The one use case: whatever goes wrong, the warehouse ends with what the venue has, and knows the rest."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.ingestion.ingest import NOT_IN_THE_ANSWER, Ingested, Progress, ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.providers.asking import Asking, Browser, joined
from crypto_pipeline_tests.warehouse.storing import Row, Warehouse, as_rows

SINCE = datetime(2024, 2, 28, tzinfo=UTC)
NOW = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC)
DUE = datetime(2024, 3, 1, 12, tzinfo=UTC)
ALL, WHOLE = Window(SINCE, NOW), Window(SINCE, DUE)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MINUTES = (DUE - SINCE) // MINUTE
Lines = Callable[..., Line]
FETCHES = "select count(*) from warehouse.fetches"
FORGET_PAUSES = "delete from warehouse.rate_limits"


def store_of(line: Line) -> Warehouse:
    """The line's warehouse, to look at."""
    return Warehouse(line.database, line.series, line.since)


def run(line: Line, window: Window = ALL, now: datetime = NOW, **options: Any) -> Ingested:
    """Ingest a window."""
    return ingest(line, window, now=now, **options)


def missing(line: Line, now: datetime = NOW) -> dict[str, Runs]:
    """What is missing of each series."""
    return dict(line.ledger.missing(OHLC, ALL, now))


def paged_by(line: Line, page_limit: int, concurrency: int = 4) -> Line:
    """The same line with smaller pages."""
    provider = line.providers["binance"]
    assert provider.candles is not None
    provider = replace(
        provider,
        candles=replace(provider.candles, page_limit=page_limit),
        limits=replace(provider.limits, concurrency=concurrency),
    )
    return replace(line, providers={"binance": provider})


def truth(line: Line, window: Window = WHOLE) -> list[Row]:
    """What the venue says of the first series, asked past the pipeline's planning and storing."""
    with closing(Browser()) as browser:
        asking = Asking(line.providers["binance"], browser)
        return as_rows(joined(asking.pages(line.series[0], window)))


@contextmanager
def snapshot_kept(line: Line) -> Iterator[None]:
    """Nothing in the warehouse changes meanwhile, not even a version of a row."""
    tables = ("ohlc", "ohlc_revisions", "coverage", "loads", "rejected_rows", "fetches", "series")
    queries = [f"select xmin, ctid, * from warehouse.{table} order by ctid" for table in tables]  # noqa: S608
    before = [store_of(line).select(query) for query in queries]
    yield
    assert before == [store_of(line).select(query) for query in queries]


def test_first_run_stores_all_there_is(make_line: Lines, sandbox: Sandbox) -> None:
    """Every row of the window is there, value for value, and the ledger misses nothing."""
    line = make_line(SINCE)
    done = run(line)

    assert Ingested(4, Stored(inserted=MINUTES), {}, frozenset({line.series[0].name})) == done
    assert len(sandbox.requests()) == 4
    assert truth(line) == store_of(line).rows()
    assert {} == missing(line)


def test_second_run_writes_nothing(make_line: Lines, sandbox: Sandbox) -> None:
    """What is there is not asked for again: no request, no row, no line in any log."""
    line = make_line(SINCE, "BTC-USDT", "ETH-USDT")
    run(line)
    sandbox.clear_requests()

    with snapshot_kept(line):
        assert Ingested(0, Stored()) == run(line)
    assert [] == sandbox.requests()


def test_only_what_is_missing_is_asked_for(make_line: Lines, sandbox: Sandbox) -> None:
    """A hole of an hour in a full day is one request for that hour."""
    line = make_line(SINCE)
    run(line, Window(SINCE, SINCE + 5 * HOUR))
    run(line, Window(SINCE + 6 * HOUR, SINCE + DAY))
    sandbox.clear_requests()
    done = run(line, Window.of_day(SINCE.date()))
    (request,) = sandbox.requests()

    assert Stored(inserted=60) == done.stored
    assert [(SINCE + 5 * HOUR).timestamp(), (SINCE + 6 * HOUR).timestamp() - 0.001] == [
        int(request.query[name]) / 1000 for name in ("startTime", "endTime")
    ]


def test_open_candle_is_never_stored(make_line: Lines) -> None:
    """The running minute is left out until it has closed and had its grace, and then it comes."""
    line = make_line(SINCE)
    with running(SandboxSettings(weight_limit=None, clock=lambda: NOW)) as venue:
        provider = replace(line.providers["binance"], base_url=venue.base_url())
        run(replace(line, providers={"binance": provider}), Window(SINCE, NOW + DAY))
    newest = store_of(line).rows()[-1][0]
    run(line, Window(SINCE, NOW + DAY), NOW + MINUTE)

    assert DUE - MINUTE == newest
    assert truth(line, Window(SINCE, DUE + MINUTE)) == store_of(line).rows()
    assert [] == store_of(line).select("select * from warehouse.ohlc_revisions")


def test_grace_is_waited_for(make_line: Lines, sandbox: Sandbox) -> None:
    """A second after the minute it may still change, so nobody asks."""
    line = make_line(SINCE)
    run(line)
    sandbox.clear_requests()
    run(line, ALL, DUE + MINUTE + OHLC.grace / 2)

    assert [] == sandbox.requests()


def test_outage_stays_missing_and_nothing_else(make_line: Lines, sandbox: Sandbox) -> None:
    """Hours that the venue never had are missing, exactly those, with the reason; all else is there."""
    line = make_line(SINCE, "BTC-USDT", "ETH-USDT")
    spans = [
        Window(SINCE + 23 * HOUR, SINCE + 26 * HOUR),
        Window(SINCE + 30 * HOUR, SINCE + 31 * HOUR),
    ]
    for span in spans:
        sandbox.order(Fault(kind="outage", symbol="BTCUSDT", start=span.start, end=span.end))
    done = run(line)

    assert {line.series[0].name: Runs(tuple(spans))} == missing(line)
    assert Stored(inserted=2 * MINUTES - 4 * 60) == done.stored
    assert {} == done.failures
    assert [(NOT_IN_THE_ANSWER,)] == store_of(line).select(
        "select distinct last_error from warehouse.coverage where attempts > 0"
    )


def test_late_rows_are_fetched_when_they_come(make_line: Lines, sandbox: Sandbox) -> None:
    """A hole is asked for again; what the venue has by then is stored, and the attempts forgotten."""
    line = make_line(SINCE)
    sandbox.order(Fault(kind="outage", start=SINCE + HOUR, end=SINCE + 2 * HOUR))
    run(line)
    sandbox.clear_faults()
    done = run(line)

    assert Ingested(1, Stored(inserted=60), {}, frozenset({line.series[0].name})) == done
    assert {} == missing(line)
    assert [(0,)] == store_of(line).select("select max(attempts) from warehouse.coverage")


def test_off_grid_hours_are_kept_and_accounted_for(make_line: Lines, sandbox: Sandbox) -> None:
    """Candles that open at 28:14.789 are stored as given, and their hours are not missing."""
    line = make_line(SINCE, interval="1h")
    sandbox.order(Fault(kind="off_grid", start=SINCE + 20 * HOUR, end=SINCE + 30 * HOUR))
    run(line)
    late = timedelta(minutes=28, seconds=14, milliseconds=789)
    rows = store_of(line).rows()

    assert {} == missing(line)
    assert truth(line) == rows
    assert 10 == sum(1 for row in rows if (row[0] - SINCE) % HOUR == late)


@pytest.mark.parametrize(
    "fault", ["short_page", "duplicate_rows", "reordered_rows", "short_page:probability=0.5"]
)
def test_garbled_pages_do_no_harm(make_line: Lines, sandbox: Sandbox, fault: str) -> None:
    """Whatever pages look like, a few runs end with every row, once."""
    line = paged_by(make_line(SINCE, interval="15m"), 50)
    sandbox.order(fault)
    for _ in range(3):
        run(line)
    sandbox.clear_faults()
    run(line)

    assert truth(line) == store_of(line).rows()
    assert {} == missing(line)


def test_unknown_symbol_stops_nobody_else(make_line: Lines) -> None:
    """The series that the venue rejects is told by name; all others are stored as if it were not there."""
    line = make_line(SINCE, "NOSUCH-USDT", "BTC-USDT")
    done = run(line)

    assert {"binance/NOSUCH-USDT/1m"} == set(missing(line)) == set(done.failures)
    assert (
        "binance rejects NOSUCH-USDT 1m (HTTP 400: -1121 Invalid symbol.)"
        == (done.failures["binance/NOSUCH-USDT/1m"])
    )
    assert Stored(inserted=MINUTES) == done.stored
    assert not done.failed_wholly
    assert [("binance/NOSUCH-USDT/1m", 3)] == store_of(line).select(
        """
        select series, count(*) from warehouse.coverage as c join warehouse.series as s using (series_id)
        cross join lateral (select s.name as series) as named
        where last_error like '%%NOSUCH-USDT%%'
        group by 1
        """
    )


def test_unknown_symbol_is_asked_for_once_a_run(make_line: Lines, sandbox: Sandbox) -> None:
    """After a rejection the rest of the series waits for the next run."""
    line = paged_by(make_line(SINCE, "NOSUCH-USDT"), 60, concurrency=1)
    done = run(line)

    assert len(sandbox.requests()) == 1
    assert done.requests == 60
    assert done.failed_wholly


def test_interval_that_the_venue_lacks_is_told_without_asking(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """What a provider does not offer is a failure with what it offers instead."""
    line = make_line(SINCE)
    provider = line.providers["binance"]
    assert provider.candles is not None
    provider = replace(provider, candles=replace(provider.candles, intervals={"1h": "1h"}))
    done = run(replace(line, providers={"binance": provider}))

    assert [] == sandbox.requests()
    assert {line.series[0].name: "binance offers no 1m candles: ohlc.interval can be 1h"} == (
        done.failures
    )
    assert done.failed_wholly


def test_venue_that_nobody_serves_is_a_wrong_use(make_line: Lines) -> None:
    """A series of a provider that is off is the caller's mistake, and the venue is named."""
    line = replace(make_line(SINCE), providers={})

    with pytest.raises(UsageError, match="no provider serves binance"):
        run(line)


def test_refetch_replaces_what_changed_and_keeps_the_former(make_line: Lines) -> None:
    """Only rows that differ from the venue's answer are written, and what they were is kept."""
    line = make_line(SINCE)
    run(line)
    store, changed = store_of(line), SINCE + 7 * HOUR
    store.execute("update warehouse.ohlc set close = 1.50 where open_time = %s", changed)
    done = run(line, refetch=True)

    assert Stored(updated=1) == done.stored
    assert truth(line) == store.rows()
    assert [(changed, Decimal("1.50"))] == store.select(
        "select open_time, close from warehouse.ohlc_revisions"
    )
    assert {} == missing(line)


def test_refetch_of_what_is_unchanged_writes_no_row(make_line: Lines, sandbox: Sandbox) -> None:
    """Asking again is the caller's wish; where nothing differs, nothing is written."""
    line = make_line(SINCE)
    run(line)
    sandbox.clear_requests()
    rows = "select xmin, ctid from warehouse.ohlc order by ctid"
    before = store_of(line).select(rows)

    assert Stored() == run(line, refetch=True).stored
    assert len(sandbox.requests()) == 4
    assert before == store_of(line).select(rows)


def test_interrupted_run_keeps_what_was_stored(make_line: Lines) -> None:
    """After Ctrl-C in the middle, rows and ledger agree, and the next run fetches just the rest."""
    line = paged_by(make_line(SINCE), 20, concurrency=1)

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(line, on_progress=interrupt)
    kept = len(store_of(line).rows())
    left = sum(runs.slots(MINUTE) for runs in missing(line).values())
    done = run(line)

    assert 0 < kept < MINUTES
    assert kept + left == MINUTES
    assert Stored(inserted=left) == done.stored
    assert truth(line) == store_of(line).rows()


def test_venue_that_closes_its_doors_leaves_what_came_before(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """When the host refuses half-way, the newest pages stay, and what is missing is what did not come."""
    line = paged_by(make_line(SINCE), 20, concurrency=1)
    done = run(line, on_progress=lambda _: sandbox.order("451"))
    rows = [row[0] for row in store_of(line).rows()]
    left = missing(line)[line.series[0].name]

    assert "binance: binance refuses this address" in done.failures[line.series[0].name]
    assert 0 < len(rows) < MINUTES
    assert Runs.of([Window(SINCE, DUE)]) - left == Runs.of(Window(at, at + MINUTE) for at in rows)
    assert rows[-1] == DUE - MINUTE

    sandbox.clear_faults()
    store_of(line).execute(FORGET_PAUSES)
    run(line)
    assert truth(line) == store_of(line).rows()


def test_mirror_takes_over(make_line: Lines, sandbox: Sandbox) -> None:
    """Where the main host refuses the address, all rows come from the mirror, within the same run."""
    line = make_line(SINCE, "BTC-USDT", "ETH-USDT")
    sandbox.order("451:path=/binance")
    with running(SandboxSettings(weight_limit=None)) as mirror:
        provider = replace(line.providers["binance"], mirrors=(mirror.base_url(),))
        done = run(replace(line, providers={"binance": provider}))

    assert {} == done.failures
    assert {} == missing(line)
    assert 1 <= len(sandbox.requests()) <= provider.limits.concurrency


def test_rate_limit_only_costs_time(make_line: Lines, sandbox: Sandbox) -> None:
    """A 429 is waited out by everybody and is no failure."""
    line = make_line(SINCE)
    sandbox.order("429:times=1,retry_after=1")
    done = run(line)

    assert {} == done.failures
    assert {} == missing(line)
    assert (4 + 1,) == store_of(line).select(FETCHES)[0]


def test_every_request_is_in_the_log(make_line: Lines, sandbox: Sandbox) -> None:
    """As many rows in the log as the venue counts requests, refusals included, with how each went."""
    line = make_line(SINCE, "BTC-USDT", "NOSUCH-USDT")
    sandbox.order("cut_body:times=1")
    run(line)
    store = store_of(line)

    assert (len(sandbox.requests()),) == store.select(FETCHES)[0]
    assert [("RequestRejected", 400), ("TransientError", None)] == store.select(
        """
        select distinct error_class, http_status from warehouse.fetches
        where error_class is not null order by 1
        """
    )
    assert (MINUTES,) == store.select("select sum(row_count) from warehouse.fetches")[0]


def test_log_of_a_long_run_is_whole(make_line: Lines, sandbox: Sandbox) -> None:
    """The log is written many times while requests go on, and none falls between."""
    line = paged_by(make_line(SINCE), 20)
    run(line)

    assert len(sandbox.requests()) == MINUTES / 20
    assert [(MINUTES / 20, MINUTES)] == store_of(line).select(
        "select count(*), sum(row_count) from warehouse.fetches"
    )


def test_two_runs_at_once_end_in_the_same_rows_and_ledger(make_line: Lines) -> None:
    """Two processes at the same window lose nothing, double nothing and disturb nobody."""
    lines = [paged_by(make_line(SINCE, "BTC-USDT", "ETH-USDT"), 500) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(run, lines))

    assert 2 * MINUTES == sum(one.stored.inserted for one in done)
    assert [{}, {}] == [one.failures for one in done]
    assert truth(lines[0]) == store_of(lines[0]).rows()
    assert {} == missing(lines[0])
    assert [] == store_of(lines[0]).select("select * from warehouse.ohlc_revisions")


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2023-12-31", "2024-01-02"),
        ("2024-02-28", "2024-03-02"),
        ("2023-02-28", "2023-03-02"),
        ("2024-10-26", "2024-10-28"),
        ("2020-12-31", "2021-01-01"),
    ],
)
@pytest.mark.parametrize("interval", ["1m", "1h", "1d"])
def test_edges_of_the_calendar_are_days_like_others(
    make_line: Lines, first: str, last: str, interval: str
) -> None:
    """Year's ends, month's ends, leap days and clock changes lose and double nothing."""
    start, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, last))
    line = make_line(start, interval=interval)
    run(line, Window(start, end), end + MINUTE)
    rows = store_of(line).rows()

    assert [*line.series[0].interval.opens(Window(start, end))] == [row[0] for row in rows]
    assert not line.ledger.missing(OHLC, Window(start, end), end + MINUTE)


@pytest.mark.parametrize("interval", ["3d", "1w"])
def test_slots_longer_than_a_day_are_complete(make_line: Lines, interval: str) -> None:
    """A three-day candle counts on the day it opens, and a window of days around it misses nothing."""
    line = make_line(datetime(2023, 12, 1, tzinfo=UTC), interval=interval)
    window = Window(line.since, NOW)
    done = run(line, window)
    slots = line.series[0].interval
    opens = [at for at in slots.opens(window) if at + slots.step <= DUE]

    assert done.requests == 1
    assert opens == [row[0] for row in store_of(line).rows()]
    assert not line.ledger.missing(OHLC, window, NOW)


def test_earlier_start_is_filled_like_any_gap(make_line: Lines) -> None:
    """Moving the first day back makes the days before it missing, and the next run brings them."""
    run(make_line(SINCE))
    earlier = make_line(SINCE - 2 * DAY)
    done = run(earlier, Window(SINCE - 5 * DAY, NOW))

    assert Stored(inserted=2 * 24 * 60) == done.stored
    assert SINCE - 2 * DAY == store_of(earlier).rows()[0][0]


def test_progress_leads_to_the_end(make_line: Lines) -> None:
    """Progress only grows, and the last word is that all is done."""
    told: list[Progress] = []
    run(paged_by(make_line(SINCE), 100), on_progress=told.append)

    assert told == sorted(told, key=lambda one: (one.done, one.rows))
    assert Progress(36, 36, MINUTES) == told[-1]


FAIL = """
    create function warehouse.fail() returns trigger language plpgsql as
    $$ begin raise exception 'no ledger today'; end $$;
    create trigger fail before insert or update of present on warehouse.coverage
    execute function warehouse.fail();
"""


def test_failure_to_store_is_told_as_it_is(make_line: Lines) -> None:
    """A database that refuses is one plain error; no row stays, and the next run has them all."""
    line = make_line(SINCE)
    line.register(NOW)
    store_of(line).execute(FAIL)
    with pytest.raises(psycopg.errors.RaiseException, match="no ledger today"):
        run(line)

    assert [] == store_of(line).rows()
    store_of(line).execute("drop function warehouse.fail() cascade")
    assert Stored(inserted=MINUTES) == run(line).stored


def test_broken_row_of_the_venue_is_set_aside(make_line: Lines, tmp_path: Path) -> None:
    """A row that cannot be true is kept aside with its reason, its slot is missing, all others are stored."""
    line = make_line(SINCE)
    first = int(SINCE.timestamp()) * 1000
    recorded = tmp_path / "BTCUSDT-1m.csv"
    lines = [
        f"{at},10.0,{high},9.0,9.5,1.00,{at + 59_999},9.5,3,0.5,4.75"
        for at, high in ((first, 11), (first + 60_000, 8), (first + 120_000, 11))
    ]
    recorded.write_text("\n".join(lines))
    with running(SandboxSettings(weight_limit=None, recorded=recorded)) as venue:
        provider = replace(line.providers["binance"], base_url=venue.base_url())
        done = run(
            replace(line, providers={"binance": provider}), Window(SINCE, SINCE + 3 * MINUTE)
        )

    assert Stored(inserted=2, rejected=1) == done.stored
    assert (
        Runs((Window(SINCE + MINUTE, SINCE + 2 * MINUTE),))
        == (line.ledger.missing(OHLC, Window(SINCE, SINCE + 3 * MINUTE), NOW)[line.series[0].name])
    )
    assert [(SINCE + MINUTE, "open or close lies outside low and high")] == store_of(line).select(
        "select slot, reason from warehouse.rejected_rows"
    )


def test_run_that_got_nothing_of_what_it_asked_failed_wholly() -> None:
    """A run without questions, or with any row, did not fail."""
    asked = frozenset({"a", "b"})

    assert Ingested(2, Stored(), {"a": "no", "b": "no"}, asked).failed_wholly
    assert not Ingested(2, Stored(), {"a": "no"}, asked).failed_wholly
    assert not Ingested(2, Stored(inserted=1), {"a": "no", "b": "no"}, asked).failed_wholly
    assert not Ingested(0, Stored()).failed_wholly
