"""The warehouse's tables as SQLAlchemy metadata; migrations follow it, and a test holds them together.

Schema ``warehouse`` is ours to change; schema ``market`` holds the views that people query.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

SCHEMA = "warehouse"
MARKET = "market"

metadata = sa.MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    },
)

INSTANT = sa.DateTime(timezone=True)
NOTHING = sa.text("'{}'::tstzmultirange")
NOW = sa.text("now()")


def _required(name: str, type_: sa.types.TypeEngine[Any], **options: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False, **options)


series = sa.Table(
    "series",
    metadata,
    sa.Column("series_id", sa.Integer, sa.Identity(always=True), primary_key=True),
    _required("dataset", sa.Text()),
    _required("name", sa.Text()),
    _required("venue", sa.Text()),
    _required("instrument", sa.Text()),
    _required("interval", sa.Text()),
    _required("step", pg.INTERVAL(), comment="length of a slot"),
    _required("anchor", INSTANT, comment="an instant on the grid of slots"),
    _required("grace", pg.INTERVAL(), comment="how long after its close a slot is due"),
    _required("starts_at", INSTANT, comment="the first slot expected"),
    _required(
        "is_active", sa.Boolean(), server_default=sa.true(), comment="false: no longer collected"
    ),
    sa.UniqueConstraint("dataset", "name"),
    comment="What is collected: one line of a dataset each.",
)

coverage = sa.Table(
    "coverage",
    metadata,
    sa.Column("series_id", sa.Integer, sa.ForeignKey(series.c.series_id), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    _required("expected", pg.TSTZMULTIRANGE(), comment="what the calendar says there should be"),
    _required("present", pg.TSTZMULTIRANGE(), server_default=NOTHING, comment="slots with rows"),
    _required("explained", pg.TSTZMULTIRANGE(), server_default=NOTHING, comment="proven holes"),
    sa.Column(
        "missing",
        pg.TSTZMULTIRANGE(),
        sa.Computed("expected - present - explained", persisted=True),
    ),
    _required("attempts", sa.SmallInteger(), server_default=sa.text("0")),
    sa.Column("retry_at", INSTANT, comment="the sensor leaves the day alone until then"),
    sa.Column("last_error", sa.Text, comment="why the last attempt left slots missing"),
    comment="The ledger: one row per series and UTC day; what is missing is computed, never written.",
)
sa.Index(
    "coverage_incomplete_idx",
    coverage.c.day,
    coverage.c.series_id,
    postgresql_where=sa.text("not isempty(missing)"),
)

loads = sa.Table(
    "loads",
    metadata,
    sa.Column("load_id", sa.Integer, sa.Identity(always=True), primary_key=True),
    _required("source", sa.Text(), comment="the provider that answered"),
    _required("fetched_at", INSTANT, server_default=NOW),
    sa.Column("run_id", sa.Text, comment="the Dagster run, where there was one"),
    comment="Where and when stored rows came from: one row per committed batch.",
)


def _candle_values() -> list[sa.Column[Any]]:
    return [
        sa.Column("trade_count", sa.Integer, comment="number of trades"),
        _required("open", sa.Numeric(), comment="quote per base"),
        _required("high", sa.Numeric(), comment="quote per base"),
        _required("low", sa.Numeric(), comment="quote per base"),
        _required("close", sa.Numeric(), comment="quote per base"),
        _required("volume", sa.Numeric(), comment="base"),
        sa.Column("quote_volume", sa.Numeric, comment="quote"),
    ]


ohlc = sa.Table(
    "ohlc",
    metadata,
    sa.Column("open_time", INSTANT, primary_key=True, comment="UTC, as the venue says"),
    sa.Column("series_id", sa.Integer, primary_key=True),
    _required("load_id", sa.Integer()),
    *_candle_values(),
    sa.PrimaryKeyConstraint("series_id", "open_time"),
    postgresql_partition_by="range (open_time)",
    comment="Closed candles, partitioned by month of open time.",
)

ohlc_revisions = sa.Table(
    "ohlc_revisions",
    metadata,
    sa.Column("revision_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("open_time", INSTANT),
    _required("series_id", sa.Integer()),
    _required("load_id", sa.Integer(), comment="the load the replaced row came with"),
    *_candle_values(),
    _required("replaced_at", INSTANT, server_default=NOW),
    _required("replaced_by", sa.Integer(), comment="the load that replaced it"),
    sa.Index(None, "series_id", "open_time"),
    comment="Rows as they were before a later answer replaced them.",
)

rejected_rows = sa.Table(
    "rejected_rows",
    metadata,
    sa.Column("series_id", sa.Integer, primary_key=True),
    sa.Column("slot", INSTANT, primary_key=True),
    _required("source_row", pg.JSONB()),
    _required("source", sa.Text()),
    _required("reason", sa.Text()),
    _required("seen_at", INSTANT, server_default=NOW),
    comment="Rows that break a promise of their dataset, kept aside until a valid one comes.",
)

fetches = sa.Table(
    "fetches",
    metadata,
    sa.Column("fetch_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("requested_at", INSTANT),
    _required("provider", sa.Text()),
    _required("host", sa.Text()),
    _required("path", sa.Text()),
    _required("series", sa.Text()),
    _required("asked", pg.TSTZRANGE()),
    _required("attempt", sa.SmallInteger()),
    _required("duration_ms", sa.Integer()),
    sa.Column("http_status", sa.SmallInteger),
    _required("bytes", sa.Integer()),
    _required("row_count", sa.Integer()),
    sa.Column("error_class", sa.Text),
    sa.Column("error", sa.Text),
    sa.Index(None, "requested_at"),
    comment="Every request to a provider and its outcome.",
)

rate_limits = sa.Table(
    "rate_limits",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),
    _required("spent_until", INSTANT, comment="the allowance is used up to this instant (GCRA)"),
    sa.Column("blocked_until", INSTANT, comment="no process asks this host before"),
    comment="The allowance of each host, shared by every process.",
)
