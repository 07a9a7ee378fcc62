"""The one use case: the warehouse ends with what the venue has, and asks for no more than it lacks."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from crypto_pipeline.ingestion.ingest import Ingested, Progress
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.ingestion.lines import (
    DUE,
    HOUR,
    MINUTE,
    MINUTES,
    NOW,
    SINCE,
    Lines,
    elsewhere,
    missing,
    paged_by,
    run,
    store_of,
    truth,
    with_provider,
)

FETCHES = "select count(*) from warehouse.fetches"


@contextmanager
def snapshot_kept(line: Line) -> Iterator[None]:
    """Nothing in the warehouse changes meanwhile, not even a version of a row."""
    tables = (
        *("ohlc", "ohlc_revisions", "coverage", "holes", "explanation_changes"),
        *("loads", "rejected_rows", "fetches", "series"),
    )
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
    """A hole of an hour in a full day is one request for that hour and the minutes beside it."""
    line = make_line(SINCE)
    run(line, Window(SINCE, SINCE + 5 * HOUR))
    run(line, Window(SINCE + 6 * HOUR, SINCE + DAY))
    sandbox.clear_requests()
    done = run(line, Window.of_day(SINCE.date()))
    (request,) = sandbox.requests()
    asked = Window(SINCE + 5 * HOUR - MINUTE, SINCE + 6 * HOUR + MINUTE)

    assert Stored(inserted=60) == done.stored
    assert [asked.start.timestamp(), asked.end.timestamp() - 0.001] == [
        int(request.query[name]) / 1000 for name in ("startTime", "endTime")
    ]


def test_open_candle_is_never_stored(make_line: Lines) -> None:
    """The running minute is left out until it has closed and had its grace, and then it comes."""
    line = make_line(SINCE)
    with elsewhere(line, clock=lambda: NOW) as there:
        run(there)
    newest = store_of(line).rows()[-1][0]
    run(line, now=NOW + MINUTE)

    assert DUE - MINUTE == newest
    assert truth(line, Window(SINCE, DUE + MINUTE)) == store_of(line).rows()
    assert [] == store_of(line).select("select * from warehouse.ohlc_revisions")


def test_host_whose_clock_is_behind_has_the_last_word(make_line: Lines) -> None:
    """While our clock runs ten minutes ahead, no candle is stored that is still open at the venue."""
    line, behind = make_line(SINCE), NOW - 10 * MINUTE
    with elsewhere(line, clock=lambda: behind) as there:
        run(there)
    newest = store_of(line).rows()[-1][0]
    run(line)

    assert DUE - 11 * MINUTE == newest
    assert truth(line) == store_of(line).rows()
    assert [] == store_of(line).select("select * from warehouse.ohlc_revisions")


def test_grace_is_waited_for(make_line: Lines, sandbox: Sandbox) -> None:
    """A second after the minute it may still change, so nobody asks."""
    line = make_line(SINCE)
    run(line)
    sandbox.clear_requests()
    run(line, now=DUE + MINUTE + OHLC.grace / 2)

    assert [] == sandbox.requests()


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


def test_refetch_replaces_what_changed_and_keeps_the_former(make_line: Lines) -> None:
    """Only rows that differ from the venue's answer are written, and what they were is kept."""
    line = make_line(SINCE)
    run(line)
    store, changed = store_of(line), SINCE + 7 * HOUR
    store.execute("update warehouse.ohlc set close = 1.50 where open_time = %s", changed)
    done = run(line, asking="everything")

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

    assert Stored() == run(line, asking="everything").stored
    assert len(sandbox.requests()) == 4
    assert before == store_of(line).select(rows)


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
    assert Progress(37, 37, MINUTES) == told[-1]


def test_limit_that_is_waited_for_is_told(make_line: Lines) -> None:
    """Where the allowance is what takes the time, progress names it and the end says how long."""
    line = paged_by(make_line(SINCE), 100)
    limits = replace(line.providers["binance"].limits, weight_per_minute=600)
    line = replace(with_provider(line, limits=limits), sleep=lambda _: asyncio.sleep(0))
    told: list[Progress] = []
    done = run(line, on_progress=told.append)
    limited_by = told[-1].limited_by

    # What others asked the same host in this minute counts too, so it can be more.
    assert 3.0 < done.waited_for_limit_s
    assert limited_by is not None
    assert limited_by.endswith(", 600 a minute")


def test_run_without_waits_tells_none(make_line: Lines) -> None:
    """Where the program is what takes the time nothing else is blamed."""
    told: list[Progress] = []
    done = run(make_line(SINCE), on_progress=told.append)

    assert 0.0 == done.waited_for_limit_s
    assert {None} == {one.limited_by for one in told}
