"""Series: one line of a dataset, and the ledger's unit of account."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval


class Series(Protocol):
    """What every dataset's series has; names are unique within their dataset."""

    @property
    def dataset(self) -> str:
        """The name of its dataset."""

    @property
    def name(self) -> str:
        """What people type."""

    @property
    def interval(self) -> Interval:
        """The grid of its slots."""

    @property
    def grace(self) -> timedelta | None:
        """How long after its end a slot is due; None is as its dataset says."""


@dataclass(frozen=True, slots=True)
class CandleSeries:
    """The candles of one instrument on one venue at one interval."""

    venue: str
    instrument: Instrument
    interval: Interval
    dataset: str = "ohlc"
    grace: timedelta | None = None

    @property
    def name(self) -> str:
        """``binance/BTC-USDT/1m``: unique within its dataset, and what people type."""
        return f"{self.venue}/{self.instrument}/{self.interval}"

    def __str__(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True, slots=True)
class ObservedSeries:
    """What any of several providers can tell: an asset's price, an index, the fees of a chain."""

    dataset: str
    name: str
    interval: Interval
    grace: timedelta | None = None

    def __str__(self) -> str:
        """Its name."""
        return self.name
