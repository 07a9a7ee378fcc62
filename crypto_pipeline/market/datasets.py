"""Datasets as declarations: what one row is, its columns with units, and how it is known to be complete."""

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

ColumnType = Literal["timestamptz", "numeric", "bigint", "text"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset; ``unit`` is what a number counts."""

    name: str
    type: ColumnType
    unit: str
    description: str
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """What the warehouse keeps of one kind; ``columns`` are those a provider gives, keys first."""

    name: str
    title: str
    grain: str
    columns: tuple[Column, ...]
    grace: timedelta
    completeness: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that, with the series, tell one row from another."""
        return tuple(column.name for column in self.columns if column.is_key)

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that a revision may change."""
        return tuple(column.name for column in self.columns if not column.is_key)


OHLC = Dataset(
    name="ohlc",
    title="Closed candles of spot markets, as the venue gave them",
    grain="one row per venue, instrument, interval and open time",
    columns=(
        Column("open_time", "timestamptz", "UTC", "when the candle opens, as the venue says", True),
        Column("open", "numeric", "quote per base", "first trade's price"),
        Column("high", "numeric", "quote per base", "highest trade's price"),
        Column("low", "numeric", "quote per base", "lowest trade's price"),
        Column("close", "numeric", "quote per base", "last trade's price"),
        Column("volume", "numeric", "base", "amount traded, in the base asset"),
        Column("quote_volume", "numeric", "quote", "amount traded, in the quote asset"),
        Column("trade_count", "bigint", "trades", "number of trades"),
    ),
    grace=timedelta(seconds=2),
    completeness="every slot of the interval's grid, from the series' first day to the newest closed",
)

DATASETS = MappingProxyType({OHLC.name: OHLC})
"""Every dataset of the warehouse by name."""
