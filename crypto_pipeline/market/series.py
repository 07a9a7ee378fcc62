"""Series: one line of a dataset, and the ledger's unit of account."""

from dataclasses import dataclass

from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval


@dataclass(frozen=True, slots=True)
class Series:
    """The candles of one instrument on one venue at one interval."""

    venue: str
    instrument: Instrument
    interval: Interval
    dataset: str = "ohlc"

    @property
    def name(self) -> str:
        """``binance/BTC-USDT/1m``: unique within its dataset, and what people type."""
        return f"{self.venue}/{self.instrument}/{self.interval}"

    def __str__(self) -> str:
        """Its name."""
        return self.name
