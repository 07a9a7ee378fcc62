"""Real history, end to end: what Binance answered for three years of 4h candles is what the table holds."""

import csv
import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto_pipeline.ingestion.ingest import Ingested, ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import Window
from crypto_pipeline.sandbox.server import running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.warehouse.storing import Warehouse

RECORDING = "binance_ohlcv/BTCUSDT-4h_2017_2020-11-28_raw.csv.gz"
SINCE = datetime(2017, 8, 17, tzinfo=UTC)
AFTER = datetime(2020, 11, 28, 12, 1, tzinfo=UTC)
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
def line(corpus: Path, make_line: Callable[..., Line]) -> Iterator[Line]:
    """The line at a venue that prints the recording, some minutes after its last candle closed."""
    line = make_line(SINCE, interval="4h")
    settings = SandboxSettings(recorded=corpus / RECORDING, clock=lambda: AFTER, weight_limit=None)
    with running(settings) as venue:
        provider = replace(line.providers["binance"], base_url=venue.base_url())
        yield replace(line, providers={"binance": provider})


def holes(there: set[datetime]) -> list[Window]:
    """The runs of slots without a row, found by walking the grid."""
    runs: list[Window] = []
    slot = SINCE
    while slot + FOUR_HOURS <= AFTER:
        if slot not in there:
            start = runs.pop().start if runs and runs[-1].end == slot else slot
            runs.append(Window(start, slot + FOUR_HOURS))
        slot += FOUR_HOURS
    return runs


def test_recorded_history_is_stored_value_for_value(
    line: Line, recorded: dict[datetime, tuple[str, ...]]
) -> None:
    """Row for row and digit for digit, and the ledger names exactly the hours the venue never had."""
    done = ingest(line, Window(SINCE, AFTER), now=AFTER)
    warehouse = Warehouse(line.database, line.series, line.since)
    stored = {row[0]: tuple(map(str, row[1:])) for row in warehouse.rows()}
    missing = line.ledger.missing(OHLC, Window(SINCE, AFTER), AFTER)
    expected_holes = holes(set(recorded))

    assert Ingested(8, Stored(inserted=len(recorded)), {}, frozenset(missing)) == done
    assert recorded == stored
    assert expected_holes == list(missing[line.series[0].name])
    assert (10, 18) == (
        len(expected_holes),
        sum(hole.span // FOUR_HOURS for hole in expected_holes),
    )


def test_recorded_history_is_fetched_once(
    line: Line, recorded: dict[datetime, tuple[str, ...]]
) -> None:
    """A second run asks only for the holes, and changes nothing."""
    ingest(line, Window(SINCE, AFTER), now=AFTER)
    again = ingest(line, Window(SINCE, AFTER), now=AFTER)

    assert Stored() == again.stored
    assert again.requests < 8
    assert len(recorded) == len(Warehouse(line.database, line.series).rows())
