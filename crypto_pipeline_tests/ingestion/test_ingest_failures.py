"""Ingesting when something goes wrong: what could be had is stored, and what lacks is told."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.ingestion.ingest import Ingested, Progress
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import FIRST_PAUSE
from crypto_pipeline.market.windows import Window
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.ingestion.lines import (
    DUE,
    FORGET_PAUSES,
    MINUTE,
    MINUTES,
    NOW,
    SINCE,
    Lines,
    elsewhere,
    holes,
    missing,
    paged_by,
    run,
    store_of,
    truth,
    with_candles,
    with_provider,
)

FETCHES = "select count(*) from warehouse.fetches"


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
        "binance rejects NOSUCH-USDT 1m (HTTP 400: -1121 Invalid symbol.): look at ohlc.instruments"
        == (done.failures["binance/NOSUCH-USDT/1m"])
    )
    assert Stored(inserted=MINUTES) == done.stored
    assert not done.failed_wholly
    assert 3 * [("stuck", done.failures["binance/NOSUCH-USDT/1m"])] == [
        hole[2:] for hole in holes(line, "state", "error")
    ]


def test_unknown_symbol_is_asked_for_once_and_told_for_all(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """A rejection holds for the whole series: nothing more is asked of it until its pause is over."""
    line = paged_by(make_line(SINCE, "NOSUCH-USDT"), 62, concurrency=1)
    done, again = run(line), run(line, now=NOW + MINUTE, asking="patiently")

    assert (60, 0) == (done.requests, again.requests)
    assert not done.failed_wholly
    assert ["NOSUCHUSDT"] == [request.query["symbol"] for request in sandbox.requests()]


def test_interval_that_the_venue_lacks_is_told_without_asking(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """What a provider does not offer is a failure with what it offers instead."""
    line = with_candles(make_line(SINCE), intervals={"1h": "1h"})
    done = run(line)

    assert [] == sandbox.requests()
    assert {line.series[0].name: "binance offers no 1m candles: ohlc.interval can be 1h"} == (
        done.failures
    )
    assert not done.failed_wholly
    assert {"stuck"} == {state for *_, state in holes(line, "state")}


def test_venue_that_nobody_serves_is_a_wrong_use(make_line: Lines) -> None:
    """A series of a provider that is off is the caller's mistake, and the venue is named."""
    line = replace(make_line(SINCE), providers={})

    with pytest.raises(UsageError, match="no provider serves binance"):
        run(line)


def test_interrupted_run_keeps_what_was_stored(make_line: Lines) -> None:
    """After Ctrl-C rows and ledger agree, nothing counts as asked for in vain, and the rest comes next time."""
    line = paged_by(make_line(SINCE), 62, concurrency=1)

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(line, on_progress=interrupt)
    kept = len(store_of(line).rows())
    left = sum(runs.slots(MINUTE) for runs in missing(line).values())
    noted = holes(line)
    done = run(line)

    assert 0 < kept < MINUTES
    assert kept + left == MINUTES
    assert [] == noted
    assert Stored(inserted=left) == done.stored
    assert truth(line) == store_of(line).rows()


def test_venue_that_closes_its_doors_leaves_what_came_before(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """When the host refuses half-way, the newest pages stay, and what is missing is what did not come."""
    line = paged_by(make_line(SINCE), 62, concurrency=1)
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
    assert [] == holes(line)


def test_mirror_takes_over(make_line: Lines, sandbox: Sandbox) -> None:
    """Where the main host refuses the address, all rows come from the mirror, within the same run."""
    line = make_line(SINCE, "BTC-USDT", "ETH-USDT")
    sandbox.order("451:path=/binance")
    with running(SandboxSettings(weight_limit=None)) as mirror:
        done = run(with_provider(line, mirrors=(mirror.base_url(),)))

    assert {} == done.failures
    assert {} == missing(line)
    assert 1 <= len(sandbox.requests()) <= line.providers["binance"].limits.concurrency


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
    # Four pages, each with the row before and the row after.
    assert (MINUTES + 8,) == store.select("select sum(row_count) from warehouse.fetches")[0]


def test_log_of_a_long_run_is_whole(make_line: Lines, sandbox: Sandbox) -> None:
    """The log is written many times while requests go on, and none falls between."""
    line = paged_by(make_line(SINCE), 20)
    run(line)

    assert len(sandbox.requests()) == MINUTES / 18
    assert [(MINUTES / 18, 20 * MINUTES / 18)] == store_of(line).select(
        "select count(*), sum(row_count) from warehouse.fetches"
    )


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
    assert {"the run failed; its log says why"} == {error for *_, error in holes(line, "error")}
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
    with elsewhere(line, recorded=recorded) as there:
        done = run(there, Window(SINCE, SINCE + 3 * MINUTE))

    assert Stored(inserted=2, rejected=1) == done.stored
    assert (
        Runs((Window(SINCE + MINUTE, SINCE + 2 * MINUTE),))
        == (line.ledger.missing(OHLC, Window(SINCE, SINCE + 3 * MINUTE), NOW)[line.series[0].name])
    )
    assert [(SINCE + MINUTE, "open or close lies outside low and high")] == store_of(line).select(
        "select slot, reason from warehouse.rejected_rows"
    )
    assert [(SINCE + MINUTE, SINCE + 2 * MINUTE, "retrying", "BrokenPromise")] == (
        holes(line, "state", "error_class")
    )


@pytest.mark.parametrize("fault", ["500", "451", "reset"])
def test_run_whose_source_was_silent_failed_wholly(
    make_line: Lines, sandbox: Sandbox, fault: str
) -> None:
    """A source that gives no answer at all is a failed run; what was asked for waits a first pause."""
    line = make_line(SINCE, interval="1h")
    sandbox.order(fault)
    done = run(line)

    assert done.failed_wholly
    assert {line.series[0].name} == done.silent == done.failures.keys()
    assert {NOW + FIRST_PAUSE} == {next_at for *_, next_at in holes(line, "next_at")}


def test_run_failed_wholly_when_nothing_came_of_a_silent_source() -> None:
    """A run without questions, with a row, with an answer or with a rejection did not fail."""
    both, one = frozenset({"a", "b"}), frozenset({"a"})
    failures = {"a": "no", "b": "no"}

    assert Ingested(2, Stored(), failures, both, one).failed_wholly
    assert not Ingested(2, Stored(), failures, both).failed_wholly
    assert not Ingested(2, Stored(), {"a": "no"}, both, one).failed_wholly
    assert not Ingested(2, Stored(inserted=1), failures, both, one).failed_wholly
    assert not Ingested(0, Stored()).failed_wholly
