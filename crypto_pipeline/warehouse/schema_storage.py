"""The table of packed candles: one row by series and day, whose arrays hold a number for each candle."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from crypto_pipeline.warehouse.schema import INSTANT, metadata

HIGHER, HIGHEST = "x 65536", "x 65536 x 65536"


def _numbers(name: str, comment: str, *, is_high: bool = False) -> sa.Column[Any]:
    """A list of numbers: small ones, or their higher digits, where any is not 0."""
    type_ = sa.Integer if is_high else sa.SmallInteger
    return sa.Column(name, pg.ARRAY(type_), nullable=True, comment=comment)


ohlc_packed = sa.Table(
    "ohlc_packed",
    metadata,
    sa.Column("series_id", sa.Integer, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("candles", sa.Integer, nullable=False, comment="how many"),
    sa.Column("load_id", sa.Integer, comment="the load of all; null where there are several"),
    sa.Column("unit_ms", sa.Integer, nullable=False, comment="from one slot to the next"),
    sa.Column("quote_per_product", sa.Integer, nullable=False, comment="1: quote is told from it"),
    sa.Column("first_ms", sa.BigInteger, nullable=False, comment="since 1970"),
    sa.Column("first_time", INSTANT, nullable=False, comment="of the first candle"),
    sa.Column("last_time", INSTANT, nullable=False, comment="of the last candle"),
    sa.Column("base", sa.BigInteger, nullable=False, comment="the least close, in price units"),
    sa.Column("price_unit", sa.Numeric, nullable=False, comment="with the decimals as printed"),
    sa.Column("volume_unit", sa.Numeric, nullable=False, comment="with the decimals as printed"),
    sa.Column("quote_unit", sa.Numeric, nullable=False, comment="with the decimals as printed"),
    _numbers("times", "slots since the first; null where none is left out", is_high=True),
    _numbers("load_ids", "where there are several", is_high=True),
    sa.Column("scales", pg.ARRAY(sa.BigInteger), comment="decimals as printed, where they differ"),
    _numbers("close", "units above the base"),
    _numbers("close_high", HIGHER, is_high=True),
    _numbers("open", "units above the last close"),
    _numbers("open_high", HIGHER, is_high=True),
    _numbers("high", "units above the close"),
    _numbers("high_high", HIGHER, is_high=True),
    _numbers("low", "units below the close"),
    _numbers("low_high", HIGHER, is_high=True),
    _numbers("volume", "units"),
    _numbers("volume_high", HIGHER),
    _numbers("volume_top", HIGHEST, is_high=True),
    _numbers("quote", "units above volume x close, or units"),
    _numbers("quote_high", HIGHER),
    _numbers("quote_top", HIGHEST, is_high=True),
    _numbers("trades", "trades"),
    _numbers("trades_high", HIGHER, is_high=True),
    comment="Candles of old months: one row by series and UTC day, read through ohlc_stored.",
)
