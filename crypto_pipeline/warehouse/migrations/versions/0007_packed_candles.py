"""Old months of candles as a row by series and day; the others in narrower rows, and full pages of keys."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0007"
down_revision = "0006"

HERE = Path(__file__).parent
SCHEMA = "warehouse"
INSTANT = sa.DateTime(timezone=True)
HIGHER, HIGHEST = "x 65536", "x 65536 x 65536"


def upgrade() -> None:
    _make_anew(_narrow())
    op.execute(
        "alter table warehouse.ohlc add primary key (series_id, open_time) with (fillfactor = 100)"
    )
    op.create_table(
        "ohlc_packed",
        sa.Column("series_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("day", sa.Date(), nullable=False),
        _required("candles", sa.Integer(), "how many"),
        sa.Column("load_id", sa.Integer(), comment="the load of all; null where there are several"),
        _required("unit_ms", sa.Integer(), "from one slot to the next"),
        _required("quote_per_product", sa.Integer(), "1: quote is told from it"),
        _required("first_ms", sa.BigInteger(), "since 1970"),
        _required("first_time", INSTANT, "of the first candle"),
        _required("last_time", INSTANT, "of the last candle"),
        _required("base", sa.BigInteger(), "the least close, in price units"),
        _required("price_unit", sa.Numeric(), "with the decimals as printed"),
        _required("volume_unit", sa.Numeric(), "with the decimals as printed"),
        _required("quote_unit", sa.Numeric(), "with the decimals as printed"),
        _numbers("times", "slots since the first; null where none is left out", sa.Integer()),
        _numbers("load_ids", "where there are several", sa.Integer()),
        _numbers("scales", "decimals as printed, where they differ", sa.BigInteger()),
        _numbers("close", "units above the base"),
        _numbers("close_high", HIGHER, sa.Integer()),
        _numbers("open", "units above the last close"),
        _numbers("open_high", HIGHER, sa.Integer()),
        _numbers("high", "units above the close"),
        _numbers("high_high", HIGHER, sa.Integer()),
        _numbers("low", "units below the close"),
        _numbers("low_high", HIGHER, sa.Integer()),
        _numbers("volume", "units"),
        _numbers("volume_high", HIGHER),
        _numbers("volume_top", HIGHEST, sa.Integer()),
        _numbers("quote", "units above volume x close, or units"),
        _numbers("quote_high", HIGHER),
        _numbers("quote_top", HIGHEST, sa.Integer()),
        _numbers("trades", "trades"),
        _numbers("trades_high", HIGHER, sa.Integer()),
        sa.PrimaryKeyConstraint("series_id", "day", name=op.f("ohlc_packed_pkey")),
        schema=SCHEMA,
        comment="Candles of old months: one row by series and UTC day, read through ohlc_stored.",
    )
    _run("0007_packed_candles.sql")
    _run("0007_move_candles.sql")


def downgrade() -> None:
    _run("0007_unpack_all.sql")
    _make_anew(_wide())
    op.execute("alter table warehouse.ohlc add primary key (series_id, open_time)")
    _run("0007_packed_candles_drop.sql")
    op.drop_table("ohlc_packed", schema=SCHEMA)
    _run("0007_move_candles.sql")


def _make_anew(columns: "list[sa.Column[Any]]") -> None:
    """An empty table beside the former one, whose rows are moved once no view reads it."""
    op.rename_table("ohlc", "ohlc_before", schema=SCHEMA)
    op.execute("alter index warehouse.ohlc_pkey rename to ohlc_before_pkey")
    op.create_table(
        "ohlc",
        *columns,
        schema=SCHEMA,
        comment="Closed candles, partitioned by month of open time.",
        postgresql_partition_by="range (open_time)",
    )


def _narrow() -> "list[sa.Column[Any]]":
    """The two bytes of the series stand where nothing is padded for them."""
    open_time, series_id, load_id, trade_count, *prices = _wide()
    series_id.type = sa.SmallInteger()
    return [open_time, load_id, trade_count, series_id, *prices]


def _wide() -> "list[sa.Column[Any]]":
    named = (
        ("open", "quote per base"),
        ("high", "quote per base"),
        ("low", "quote per base"),
        ("close", "quote per base"),
        ("volume", "base"),
    )
    return [
        _required("open_time", INSTANT, "UTC, as the venue says"),
        sa.Column("series_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("trade_count", sa.Integer(), comment="number of trades"),
        *(_required(name, sa.Numeric(), comment) for name, comment in named),
        sa.Column("quote_volume", sa.Numeric(), comment="quote"),
    ]


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((HERE / name).read_text(encoding="utf-8"))


def _required(name: str, type_: Any, comment: str) -> "sa.Column[Any]":
    return sa.Column(name, type_, nullable=False, comment=comment)


def _numbers(name: str, comment: str, type_: Any = None) -> "sa.Column[Any]":
    return sa.Column(name, pg.ARRAY(type_ or sa.SmallInteger()), nullable=True, comment=comment)
