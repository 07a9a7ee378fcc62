"""The main job on real input: three years that Binance really answered, through Dagster into Postgres."""

import csv
import gzip
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path

import pytest

from crypto_pipeline.sandbox.server import running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.cli.commands import run

RECORDING = "binance_ohlcv/BTCUSDT-4h_2017_2020-11-28_raw.csv.gz"
FIRST, LAST = date(2017, 8, 17), date(2020, 11, 27)
FOUR_HOURS = timedelta(hours=4)
LET_TIME_PASS = "update warehouse.holes set absent_since = absent_since - interval '6 minutes'"


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


def _slots(rows: list[dict[str, str]], start: str) -> list[datetime]:
    """Every slot of some runs, oldest first."""
    return sorted(
        datetime.fromisoformat(row[start]) + n * FOUR_HOURS
        for row in rows
        for n in range(int(row["slots"]))
    )


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
    """The table is what the venue answered; the hours it never had are missing once, and explained then."""
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
            connection.execute(LET_TIME_PASS)
        again = run(environment, "backfill", "ohlc", "--start", str(FIRST), "--end", str(LAST))
        left = run(environment, "gaps", "--end", str(LAST))
        explained = run(environment, "gaps", "explained", "--format", "csv")
        audit = run(environment, "audit")

    with database.connect() as connection:
        stored = connection.execute(
            "select open_time, open, high, low, close, volume, quote_volume, trade_count "
            "from market.ohlc"
        ).fetchall()
        days = connection.execute(
            "select count(distinct partition) from dagster.event_logs "
            "where dagster_event_type = 'ASSET_MATERIALIZATION'"
        ).fetchone()
    missing = _slots(gaps.rows, "gap_start")
    proven = _slots(explained.rows, "explained_from")

    assert answered == {at: tuple(map(str, values)) for at, *values in stored}
    # The first slot lies before the listing, so nobody expects it.
    assert _never_answered(answered)[1:] == missing
    assert (1, True) == (done.code, "still misses 17 slots" in done.err)
    assert (0, True) == (again.code, again.out.endswith("; nothing is missing\n"))
    assert "No gaps in any dataset: every due slot is there or explained.\n" == left.out
    assert _never_answered(answered) == proven
    assert ["not_listed_yet", *["venue_outage"] * 9] == [
        row["reason"] for row in sorted(explained.rows, key=itemgetter("explained_from"))
    ]
    assert ((LAST - FIRST).days + 1,) == days
    assert (0, True) == (audit.code, "rows and ledger agree" in audit.out)
