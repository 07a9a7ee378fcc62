"""Datasets as declarations: what one row is, its columns with units, and how it is known to be complete."""

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from crypto_pipeline.market.intervals import Interval

ColumnType = Literal["timestamptz", "numeric", "bigint", "text", "text[]", "boolean"]
PROVISIONAL = "is_provisional"
FIVE_MINUTES, ONE_DAY = Interval.parse("5m"), Interval.parse("1d")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset; ``unit`` is what a number counts."""

    name: str
    type: ColumnType
    unit: str
    description: str
    is_key: bool = False
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """What the warehouse keeps of one kind; ``columns`` are those of a row, its time first.

    ``grace`` is how long after the end of a slot its row is due; a value that is observed at the
    slot's beginning is due before its end, so its grace is negative.
    """

    name: str
    title: str
    grain: str
    columns: tuple[Column, ...]
    grace: timedelta
    completeness: str
    interval: Interval | None = None
    """The grid of all its series; None where each has its own."""
    days_at_once: int = 31
    """Of its history in one backfill: so many come in minutes, and then the page shows them."""

    @property
    def time(self) -> str:
        """The column that, with the series, tells one row from another."""
        return self.columns[0].name

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that a revision may change."""
        return tuple(column.name for column in self.columns if not column.is_key)

    @property
    def is_provisional_at(self) -> int | None:
        """Where in a row it stands whether the value may still change; None where none may."""
        names = [column.name for column in self.columns]
        return names.index(PROVISIONAL) if PROVISIONAL in names else None


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

_SLOT = Column("slot", "timestamptz", "UTC", "beginning of the slot the value belongs to", True)
_OBSERVED = Column("observed_at", "timestamptz", "UTC", "the source's own time of the value")
_REFILLED = Column(
    "is_refilled",
    "boolean",
    "yes or no",
    "had later from a source's history, not when it was the present",
    is_required=True,
)

MARKET_PRICES = Dataset(
    name="market_prices",
    title="What assets cost, over all markets, every five minutes",
    grain="one row per asset and five-minute slot",
    columns=(
        _SLOT,
        Column("price_usd", "numeric", "USD", "price of one unit", is_required=True),
        Column("market_cap_usd", "numeric", "USD", "price times circulating supply"),
        Column("volume_24h_usd", "numeric", "USD", "traded on all markets in the last 24 hours"),
        Column("change_24h_pct", "numeric", "percent", "change of the price in the last 24 hours"),
        _OBSERVED,
        _REFILLED,
    ),
    grace=-FIVE_MINUTES.step,
    completeness="one price in every five-minute slot, taken when the slot begins",
    interval=FIVE_MINUTES,
)
SENTIMENT = Dataset(
    name="sentiment",
    title="How the market feels, as indices that are published once a day",
    grain="one row per index and day",
    columns=(
        _SLOT,
        Column("value", "numeric", "points of the index", "the published value", is_required=True),
        Column("classification", "text", "words", "the publisher's own word for the value"),
        Column(PROVISIONAL, "boolean", "yes or no", "the day is not over", is_required=True),
        _OBSERVED,
    ),
    grace=timedelta(minutes=10),
    completeness="a final value for every day that is over, unless none was ever published",
    interval=ONE_DAY,
    days_at_once=366,
)
GAS_PRICES = Dataset(
    name="gas_prices",
    title="What a transaction costs, by chain, every five minutes",
    grain="one row per chain, kind of price and five-minute slot",
    columns=(
        _SLOT,
        Column("base_fee_gwei", "numeric", "gwei", "median base fee of the slot's blocks"),
        Column("priority_fee_p10_gwei", "numeric", "gwei", "median of the blocks' 10th percentile"),
        Column("priority_fee_p50_gwei", "numeric", "gwei", "median of the blocks' 50th percentile"),
        Column("priority_fee_p90_gwei", "numeric", "gwei", "median of the blocks' 90th percentile"),
        Column("slow_gwei", "numeric", "gwei", "recommended to those who can wait"),
        Column("standard_gwei", "numeric", "gwei", "recommended to most"),
        Column("fast_gwei", "numeric", "gwei", "recommended to those in a hurry"),
        Column("slow_sat_vb", "numeric", "sat/vB", "recommended to those who can wait an hour"),
        Column("standard_sat_vb", "numeric", "sat/vB", "recommended for half an hour"),
        Column("fast_sat_vb", "numeric", "sat/vB", "recommended for the next block"),
        Column("first_block", "bigint", "block number", "the slot's first block"),
        Column("last_block", "bigint", "block number", "the slot's last block"),
        _OBSERVED,
        _REFILLED,
    ),
    grace=timedelta(minutes=1),
    completeness="the fees of every five-minute slot's blocks, and a recommendation in every slot",
    interval=FIVE_MINUTES,
)

NEWS = Dataset(
    name="news",
    title="Articles about crypto, once each, wherever they were seen",
    grain="one row per article, by its canonical address",
    columns=(
        Column("published_at", "timestamptz", "UTC", "when it was published, as it says", True),
        Column("title", "text", "words", "its headline", is_required=True),
        Column("url", "text", "address", "without tracking parameters", is_required=True),
        Column("publisher", "text", "words", "who published it", is_required=True),
        Column("summary", "text", "words", "its beginning, as the source gives it"),
        Column("language", "text", "ISO 639-1", "the language it is in"),
        Column("asset_ids", "text[]", "asset ids", "the assets it mentions"),
        Column("sentiment", "numeric", "-1 to 1", "how the source judges it"),
    ),
    grace=timedelta(),
    completeness="every quarter of an hour of each feed is covered by an answer that overlaps the last",
)

DATASETS = MappingProxyType(
    {one.name: one for one in (OHLC, MARKET_PRICES, SENTIMENT, GAS_PRICES, NEWS)}
)
"""Every dataset of the warehouse by name."""

INDICES = MappingProxyType(
    {
        "fear_greed": SENTIMENT.grace,
        "bitcoin_pageviews": timedelta(hours=36),
        "cmc_fear_greed": timedelta(hours=1),
    }
)
"""Every index of ``sentiment``, and how long after its day is over its final value is due."""
