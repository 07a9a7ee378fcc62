"""The main job on real input: three years that Binance really answered, through Dagster into Postgres."""

import csv
import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from crypto_pipeline.sandbox.server import running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.cli.commands import run

RECORDING = "binance_ohlcv/BTCUSDT-4h_2017_2020-11-28_raw.csv.gz"
FIRST, LAST = date(2017, 8, 17), date(2020, 11, 27)
FOUR_HOURS = timedelta(hours=4)


@pytest.fixture(scope="module")
def answered(corpus: Path) -> dict[datetime, tuple[str, ...]]:
    """What the venue answered by open time, in its digits, up to the last whole day."""
    with gzip.open(corpus / RECORDING, "rt") as file:
        rows = {
            datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC): (
                *(row[name] for name in ("open", "high", "low", "close", "volume", "quote_av")),
                row["trades"].removesuffix(".0"),
            )
            for row in csv.DictReader(file)
        }
    return {at: row for at, row in rows.items() if at.date() <= LAST}


def _never_answered(answered: dict[datetime, tuple[str, ...]]) -> list[datetime]:
    slots = (LAST - FIRST + timedelta(days=1)) // FOUR_HOURS
    grid = [datetime(2017, 8, 17, tzinfo=UTC) + n * FOUR_HOURS for n in range(slots)]
    there = {at - (at - grid[0]) % FOUR_HOURS for at in answered}
    return [slot for slot in grid if slot not in there]


def test_recorded_history_goes_through_dagster_value_for_value(
    settings_environment: dict[str, str],
    database: Database,
    corpus: Path,
    answered: dict[datetime, tuple[str, ...]],
) -> None:
    """The table is what the venue answered, the ledger names the hours it never had, each day is recorded."""
    with running(SandboxSettings(recorded=corpus / RECORDING, weight_limit=None)) as venue:
        environment = settings_environment | {
            "CRYPTO_PIPELINE_PROVIDERS__BINANCE__BASE_URL": venue.base_url(),
            "CRYPTO_PIPELINE_OHLC__INSTRUMENTS": "BTC-USDT",
            "CRYPTO_PIPELINE_OHLC__INTERVAL": "4h",
            "CRYPTO_PIPELINE_SINCE": str(FIRST),
        }
        done = run(environment, "backfill", "ohlc", "--start", str(FIRST), "--end", str(LAST))
        gaps = run(environment, "gaps", "--end", str(LAST), "--format", "csv")

    with database.connect() as connection:
        stored = connection.execute(
            "select open_time, open, high, low, close, volume, quote_volume, trade_count "
            "from market.ohlc"
        ).fetchall()
        days = connection.execute(
            "select count(distinct partition) from dagster.event_logs "
            "where dagster_event_type = 'ASSET_MATERIALIZATION'"
        ).fetchone()
    missing = [
        datetime.fromisoformat(gap["gap_start"]) + n * FOUR_HOURS
        for gap in gaps.rows
        for n in range(int(gap["slots"]))
    ]

    assert answered == {at: tuple(map(str, values)) for at, *values in stored}
    assert _never_answered(answered) == sorted(missing)
    assert ((LAST - FIRST).days + 1,) == days
    assert (1, True) == (done.code, "still misses 18 slots" in done.err)
