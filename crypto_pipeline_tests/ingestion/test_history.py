"""Real history, end to end: what Binance answered for three years of 4h candles is what the table holds."""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto_pipeline.ingestion.ingest import Ingested, ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.listings import read_calendar
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import FIRST_RECHECK
from crypto_pipeline.market.windows import Window
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.ingestion.lines import MINUTE, Lines, store_of, with_provider

RECORDING = "binance_ohlcv/BTCUSDT-4h_2017_2020-11-28_raw.csv.gz"
SINCE = datetime(2017, 8, 17, tzinfo=UTC)
END = datetime(2020, 11, 28, 12, tzinfo=UTC)
ALL = Window(SINCE, END)
AFTER = END + MINUTE
FOUR_HOURS = timedelta(hours=4)


@pytest.fixture(scope="module")
def recorded(corpus: Path) -> dict[datetime, tuple[str, ...]]:
    """The file's rows by open time, in the digits of the file; the last of duplicates counts."""
    with gzip.open(corpus / RECORDING, "rt") as file:
        return {
            datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC): (
                *(row[name] for name in ("open", "high", "low", "close", "volume", "quote_av")),
                row["trades"].removesuffix(".0"),
            )
            for row in csv.DictReader(file)
        }


@pytest.fixture
def venue(corpus: Path) -> Iterator[Sandbox]:
    """A venue that prints the recording, some minutes after its last candle closed."""
    settings = SandboxSettings(recorded=corpus / RECORDING, clock=lambda: AFTER, weight_limit=None)
    with running(settings) as venue:
        yield venue


@pytest.fixture
def line(venue: Sandbox, make_line: Lines) -> Line:
    """The line at that venue."""
    return with_provider(make_line(SINCE, interval="4h"), base_url=venue.base_url())


def holes(there: set[datetime]) -> list[Window]:
    """The runs of slots without a row, found by walking the grid."""
    runs: list[Window] = []
    slot = SINCE
    while slot < END:
        if slot not in there:
            start = runs.pop().start if runs and runs[-1].end == slot else slot
            runs.append(Window(start, slot + FOUR_HOURS))
        slot += FOUR_HOURS
    return runs


def around(hole: Window, recorded: dict[datetime, tuple[str, ...]]) -> dict[str, str]:
    """The evidence for a hole: the newest recorded row before it, and the oldest after."""
    return {
        "provider": "binance",
        "row_before": max(at for at in recorded if at < hole.start).isoformat(),
        "row_after": min(at for at in recorded if at >= hole.end).isoformat(),
    }


def asked(venue: Sandbox) -> int:
    """How many requests the venue got since the last time."""
    count = len(venue.requests())
    venue.clear_requests()
    return count


def test_recorded_history_is_stored_value_for_value(
    line: Line, recorded: dict[datetime, tuple[str, ...]]
) -> None:
    """Row for row and digit for digit, and the ledger lacks exactly the hours the venue never had."""
    done = ingest(line, ALL, now=AFTER)
    stored = {row[0]: tuple(map(str, row[1:])) for row in store_of(line).rows()}
    missing = line.ledger.missing(OHLC, ALL, AFTER)
    expected_holes = holes(set(recorded))

    assert Ingested(8, Stored(inserted=len(recorded)), {}, frozenset(missing)) == done
    assert recorded == stored
    assert expected_holes == list(missing[line.series[0].name])
    assert (10, 18) == (
        len(expected_holes),
        sum(hole.span // FOUR_HOURS for hole in expected_holes),
    )


def test_recorded_holes_are_explained_with_the_rows_around(
    line: Line, recorded: dict[datetime, tuple[str, ...]]
) -> None:
    """The slot before the listing is known by the calendar, the nine outages by two answers six minutes apart."""
    read_calendar(line, AFTER)
    ingest(line, ALL, now=AFTER)
    ingest(line, ALL, now=AFTER + 6 * MINUTE, asking="patiently")
    store, (unlisted, *outages) = store_of(line), holes(set(recorded))
    told = store.select(
        """
        select explained_from, explained_to, reason, slots, evidence from market.explanations
        order by explained_from
        """
    )

    assert [] == store.select("select * from market.gaps where gap_start < %s", END)
    assert (unlisted.start, unlisted.end, "not_listed_yet", 1) == told[0][:4]
    assert [
        (hole.start, hole.end, "venue_outage", hole.span // FOUR_HOURS, around(hole, recorded))
        for hole in outages
    ] == told[1:]
    assert (9, 17) == (len(outages), sum(hole.span // FOUR_HOURS for hole in outages))
    assert len(recorded) == len(store.rows())


def test_explained_history_is_asked_for_again_when_the_recheck_is_due(
    line: Line, venue: Sandbox
) -> None:
    """A day long nothing is asked; then the outages are put to the test, and twice as late the next time."""
    confirmed = AFTER + 6 * MINUTE
    read_calendar(line, AFTER)
    for now in (AFTER, confirmed):
        ingest(line, ALL, now=now, asking="patiently")
    asked(venue)
    counts = []
    for now in (
        confirmed + MINUTE,
        confirmed + FIRST_RECHECK - MINUTE,
        confirmed + FIRST_RECHECK,
        confirmed + 3 * FIRST_RECHECK - MINUTE,
        confirmed + 3 * FIRST_RECHECK,
    ):
        ingest(line, ALL, now=now, asking="patiently")
        counts.append(asked(venue))
    tested, again = counts[2], counts[4]

    assert [0, 0, tested, 0, again] == counts
    assert 0 < tested == again <= 9
