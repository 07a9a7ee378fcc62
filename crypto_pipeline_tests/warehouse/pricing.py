"""A warehouse with prices of two assets and candles to hold them against."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from crypto_pipeline.market.datasets import FIVE_MINUTES, MARKET_PRICES, OHLC
from crypto_pipeline.market.series import CandleSeries, ObservedSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.writer import SeriesRows, Stored, Writer
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SINCE, NOW = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
ALL = Window(SINCE, NOW)
MINUTE, SLOT = timedelta(minutes=1), FIVE_MINUTES.step
BITCOIN, ETHEREUM = (
    ObservedSeries("market_prices", name, FIVE_MINUTES) for name in ("bitcoin", "ethereum")
)
BINANCE = series_of("BTC-USDT")
KRAKEN = series_of("BTC-USD", venue="kraken")
COINBASE = series_of("BTC-USDC", venue="coinbase")


@dataclass(frozen=True)
class Exchange:
    """The warehouse, and what is put into it; times are minutes after noon."""

    database: Database

    def candles(self, series: CandleSeries, closes: Mapping[float, str]) -> None:
        """Store candles by the minute they close at."""
        collected = dict.fromkeys((BINANCE, KRAKEN, COINBASE, series))
        ids = register(self.database, OHLC, list(collected), SINCE, NOW)
        rows = [
            candle(NOON + minute * MINUTE - series.interval.step, **dict.fromkeys(PARTS, close))
            for minute, close in closes.items()
        ]
        with closing(Writer(self.database, ids, None)) as writer:
            writer.store([SeriesRows(series, rows)], series.venue)

    def price(
        self,
        price: str,
        source: str = "coinpaprika",
        trust: int = 1,
        *,
        at: float = 0,
        seen: float | None = None,
        series: ObservedSeries = BITCOIN,
    ) -> Stored:
        """Store a price of a slot, seen at a time of the source's own."""
        ids = register(self.database, MARKET_PRICES, [BITCOIN, ETHEREUM], SINCE, NOW)
        observed_at = None if seen is None else NOON + seen * MINUTE
        row = (NOON + at * MINUTE, Decimal(price), None, None, None, observed_at, False)
        with closing(Writer(self.database, ids, None, NOW, MARKET_PRICES)) as writer:
            return writer.store([SeriesRows(series, [row])], source, trust)

    def served(self) -> list[tuple[Any, ...]]:
        """The prices that people see: asset, minutes after noon, price, source."""
        rows = self.select(
            "select asset_id, slot, price_usd, source from market.market_prices order by slot, 1"
        )
        return [
            (asset, int((slot - NOON) / MINUTE), str(price), source)
            for asset, slot, price, source in rows
        ]

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        with self.database.connect() as connection:
            return connection.execute(statement).fetchall()

    def venues(self, closes: Iterable[str], minute: float = 0) -> None:
        """Have three venues' candles close at these prices at a minute."""
        for series, close in zip((BINANCE, KRAKEN, COINBASE), closes, strict=False):
            self.candles(series, {minute: close})


PARTS = ("open", "high", "low", "close")
