"""A warehouse with days that can be looked up: invented ones with holes, the sandbox's, and recorded ones."""

import csv
import gzip
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import (
    FIVE_MINUTES,
    GAS_PRICES,
    OHLC,
    ONE_DAY,
    SENTIMENT,
    Dataset,
)
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import ObservedSeries, Series
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.writer import Row, SeriesRows, Writer
from crypto_pipeline_tests.conftest import CORPUS
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import Warehouse

NOW = datetime.now(UTC)
QUARTER = timedelta(minutes=15)
FIRST, LAST = datetime(2024, 2, 18, tzinfo=UTC), datetime(2024, 3, 5, tzinfo=UTC)
REPAIRED = date(2024, 2, 26)
LACKING = datetime(2024, 2, 26, 23, 45, tzinfo=UTC)
"""The last quarter of an hour of a day: a repair of it changes the day's close."""
OUTAGE = Window(datetime(2024, 2, 29, 6, tzinfo=UTC), datetime(2024, 2, 29, 7, 30, tzinfo=UTC))
PEAK = 9999
RECORDED_SINCE = datetime(2018, 12, 29, tzinfo=UTC)
SANDBOX_SINCE = midnight((NOW - 2 * DAY).date())
FOUR_HOURS = "binance_ohlcv/BTCUSDT-4h_2017_2020-11-28_raw.csv.gz"

ETH, RECORDED, SOL = (
    series_of("ETH-USDT", "15m"),
    series_of("BTC-USDT", "4h"),
    series_of("SOL-USDT"),
)
MOOD = ObservedSeries("sentiment", "fear_greed", ONE_DAY)
GAS = ObservedSeries("gas_prices", "ethereum/fees", FIVE_MINUTES)


@dataclass(frozen=True)
class History:
    """The warehouse, and what is put into it."""

    database: Database

    def fill(self, sandbox: Sandbox) -> None:
        """Two days of the sandbox's minutes, sixteen of quarters, and what was recorded of two years."""
        limits = replace(BINANCE.limits, weight_per_minute=10_000_000)
        venue = replace(BINANCE, base_url=sandbox.base_url(), mirrors=(), limits=limits)
        line = Line(self.database, {"binance": venue}, (SOL,), SANDBOX_SINCE)
        ingest(line, Window(SANDBOX_SINCE, NOW), now=NOW)
        if CORPUS.is_dir():
            self.put(OHLC, RECORDED, recorded(CORPUS))
        self._fill_quarters()
        days = [FIRST + number * DAY for number in range(16)]
        self.put(SENTIMENT, MOOD, [(at, Decimal(at.day), "Fear", False, None) for at in days])
        self.put(GAS_PRICES, GAS, [gas(LACKING)])

    def _fill_quarters(self) -> None:
        opened = [FIRST + number * QUARTER for number in range((LAST - FIRST) // QUARTER)]
        there = [at for at in opened if at not in OUTAGE and at != LACKING]
        # The later half arrives first, and then every other one of the earlier half.
        half = len(there) // 2
        for part in (there[half:], there[1:half:2], there[:half:2]):
            self.put(OHLC, ETH, [quarter(at) for at in part])
        Warehouse(self.database, [ETH], FIRST).prove_absent(OUTAGE, LAST)

    def repair(self) -> None:
        """A hole is filled, a value is corrected, and a row turns out never to have been."""
        self.put(OHLC, ETH, [quarter(LACKING, PEAK)])
        corrected = (datetime(2024, 2, 26, tzinfo=UTC), Decimal(99), "Greed", False, None)
        self.put(SENTIMENT, MOOD, [corrected])
        with self.database.connect() as connection:
            connection.execute("delete from warehouse.gas_prices")

    def put(self, dataset: Dataset, series: Series, rows: list[Row]) -> None:
        """Store rows of one series, in the order of their time."""
        together = [ETH, RECORDED, SOL] if dataset == OHLC else [series]
        ids = register(self.database, dataset, together, RECORDED_SINCE, NOW)
        with closing(Writer(self.database, ids, None, NOW, dataset)) as writer:
            writer.store([SeriesRows(series, rows)], "binance")


def quarter(at: datetime, close: int | None = None) -> Candle:
    """A candle whose prices tell when it opens."""
    number = (at - FIRST) // QUARTER
    opens, closes = 1000 + number % 97, close or 1000 + number * 7 % 89
    edges = {"high": f"{max(opens, closes)}", "low": f"{min(opens, closes)}"}
    return candle(at, open=f"{opens}", close=f"{closes}", **edges)


def gas(at: datetime) -> Row:
    """A base fee, and nothing else."""
    row: dict[str, object] = dict.fromkeys(column.name for column in GAS_PRICES.columns)
    return (*(row | {"slot": at, "base_fee_gwei": Decimal(7), "is_refilled": True}).values(),)


def recorded(corpus: Path) -> list[Row]:
    """Four hours each, as the venue gave them; whoever kept them had lost digits of the quote volume."""
    with gzip.open(corpus / FOUR_HOURS, "rt", encoding="utf-8") as file:
        rows = [
            Candle(
                datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC),
                *(Decimal(row[name]) for name in ("open", "high", "low", "close", "volume")),
                None,
                int(float(row["trades"])),
            )
            for row in csv.DictReader(file)
        ]
    return [row for row in rows if row.open_time >= RECORDED_SINCE]


def sandbox_says(sandbox: Sandbox, interval: str) -> list[Row]:
    """The sandbox's own candles of two days: time, prices, amounts, trades."""
    start = int(SANDBOX_SINCE.timestamp() * 1000)
    wanted = {"symbol": "SOLUSDT", "interval": interval, "startTime": start}
    rows = httpx.get(f"{sandbox.base_url()}/api/v3/klines", params=wanted).json()
    return [
        (
            datetime.fromtimestamp(row[0] / 1000, UTC),
            *map(Decimal, row[1:6]),
            Decimal(row[7]),
            row[8],
        )
        for row in rows[: 2 * DAY // Interval.parse(interval).step]
    ]
