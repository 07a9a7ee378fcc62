"""The warehouse's tables as SQLAlchemy metadata; migrations follow it, and a test holds them together.

Schema ``warehouse`` is ours to change; schema ``market`` holds the views that people query.
"""

from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from crypto_pipeline.market.holes import STUCK_AFTER, Reason

SCHEMA = "warehouse"
MARKET = "market"

metadata = sa.MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
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
    sa.Column("venue", sa.Text, comment="of candles"),
    sa.Column("instrument", sa.Text, comment="of candles"),
    _required("interval", sa.Text()),
    _required("step", pg.INTERVAL(), comment="length of a slot"),
    _required("anchor", INSTANT, comment="an instant on the grid of slots"),
    _required("grace", pg.INTERVAL(), comment="how long after its close a slot is due"),
    _required("since", INSTANT, comment="the first slot wanted"),
    sa.Column("listed_at", INSTANT, comment="the venue's first slot, once it has said so"),
    sa.Column("delisted_at", INSTANT, comment="the end of the venue's last slot, once it is over"),
    sa.Column("listing_read_at", INSTANT, comment="when the venue was last asked for both"),
    sa.Column(
        "starts_at",
        INSTANT,
        sa.Computed("greatest(since, listed_at)", persisted=True),
        comment="the first slot expected",
    ),
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
    # A column of its own has statistics, and the planner sees that few days are incomplete.
    sa.Column(
        "is_incomplete",
        sa.Boolean,
        sa.Computed("not isempty(expected - present - explained)", persisted=True),
    ),
    _required("tried", pg.TSTZMULTIRANGE(), server_default=NOTHING, comment="asked for in vain"),
    sa.Column("retry_at", INSTANT, comment="when the first of the tried slots may be asked again"),
    sa.Column("recheck_at", INSTANT, comment="when the first explanation is put to the test"),
    _required(
        "expired",
        pg.TSTZMULTIRANGE(),
        server_default=NOTHING,
        comment="slots whose rows were dropped for their age, unless expected or present again",
    ),
    comment="The ledger: one row per series and UTC day; what is missing is computed, never written.",
)
sa.Index(
    "coverage_incomplete_idx",
    coverage.c.day,
    coverage.c.series_id,
    postgresql_where=sa.text("is_incomplete"),
)
sa.Index(
    "coverage_recheck_at_idx",
    coverage.c.recheck_at,
    postgresql_where=sa.text("recheck_at is not null"),
)

REASONS = ", ".join(f"'{reason}'" for reason in get_args(Reason))
HOLE_STATE = f"""
case
    when reason is not null then 'explained'
    when attempts >= {STUCK_AFTER} or error_class = 'RequestRejected' then 'stuck'
    else 'retrying'
end
"""

holes = sa.Table(
    "holes",
    metadata,
    sa.Column("hole_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("series_id", sa.Integer()),
    _required("day", sa.Date()),
    _required("slots", pg.TSTZRANGE(), comment="a run of slots without a row, within the day"),
    _required("attempts", sa.SmallInteger(), comment="times it was asked for in vain"),
    _required("next_at", INSTANT, comment="not asked for again before"),
    sa.Column("error_class", sa.Text, comment="what kind of failure the last attempt met"),
    sa.Column("error", sa.Text, comment="why the last attempt left it open"),
    _required("absences", sa.SmallInteger(), comment="answers with rows around it and none in it"),
    sa.Column("absent_since", INSTANT, comment="the first such answer"),
    sa.Column("absent_at", INSTANT, comment="the newest such answer"),
    sa.Column("reason", sa.Text, comment="why it can never be filled; unknown while null"),
    sa.Column("state", sa.Text, sa.Computed(HOLE_STATE, persisted=True)),
    sa.Column("evidence", pg.JSONB(none_as_null=True)),
    sa.Column("note", sa.Text, comment="what a person said about it"),
    sa.Index(None, "series_id", "day"),
    sa.CheckConstraint(f"reason in ({REASONS})", name="reason"),
    comment="Every hole that was asked for in vain: its retries, the evidence, the explanation.",
)

explanation_changes = sa.Table(
    "explanation_changes",
    metadata,
    sa.Column("change_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("changed_at", INSTANT),
    _required("series_id", sa.Integer()),
    _required("slots", pg.TSTZRANGE()),
    _required("change", sa.Text(), comment="explained, replaced_by_data or reopened"),
    _required("reason", sa.Text()),
    sa.Column("evidence", pg.JSONB(none_as_null=True)),
    sa.Column("note", sa.Text),
    sa.Index(None, "series_id", "changed_at"),
    comment="When holes were explained, and when an explanation ended.",
)

ledger_repairs = sa.Table(
    "ledger_repairs",
    metadata,
    sa.Column("repair_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("repaired_at", INSTANT, server_default=NOW),
    _required("series_id", sa.Integer()),
    _required("day", sa.Date()),
    _required("only_in_rows", pg.TSTZMULTIRANGE(), comment="rows that the ledger did not know"),
    _required("only_in_ledger", pg.TSTZMULTIRANGE(), comment="slots whose rows were gone"),
    comment="Where an audit found rows and ledger to differ, and made the ledger follow the rows.",
)

instruments = sa.Table(
    "instruments",
    metadata,
    sa.Column("venue", sa.Text, primary_key=True),
    sa.Column("instrument", sa.Text, primary_key=True),
    _required("symbol", sa.Text(), comment="as the venue spells it"),
    _required("status", sa.Text(), comment="trading, halted or gone"),
    _required("first_seen_at", INSTANT),
    _required("last_seen_at", INSTANT, comment="the newest list that held it"),
    comment="What each venue lists, as it said last.",
)

instrument_changes = sa.Table(
    "instrument_changes",
    metadata,
    sa.Column("change_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("changed_at", INSTANT),
    _required("venue", sa.Text()),
    _required("instrument", sa.Text()),
    _required("field", sa.Text(), comment="symbol, status, listed_at or delisted_at"),
    sa.Column("old_value", sa.Text),
    sa.Column("new_value", sa.Text),
    sa.Index(None, "venue", "instrument"),
    comment="What changed about an instrument from one list to the next.",
)

loads = sa.Table(
    "loads",
    metadata,
    sa.Column("load_id", sa.Integer, sa.Identity(always=True), primary_key=True),
    _required("source", sa.Text(), comment="the provider that answered"),
    _required(
        "trust",
        sa.SmallInteger(),
        server_default=sa.text("0"),
        comment="0 is the venue itself; a greater number never replaces a smaller one's rows",
    ),
    _required("fetched_at", INSTANT, server_default=NOW),
    sa.Column("run_id", sa.Text, comment="the Dagster run, where there was one"),
    comment="Where and when stored rows came from: one row per committed batch.",
)


def _trade_count() -> sa.Column[Any]:
    return sa.Column("trade_count", sa.Integer, comment="number of trades")


def _prices() -> list[sa.Column[Any]]:
    return [
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
    _required("load_id", sa.Integer()),
    _trade_count(),
    # Two bytes, and last of those of fixed width: nothing is padded for them.
    sa.Column("series_id", sa.SmallInteger, primary_key=True, autoincrement=False),
    *_prices(),
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
    _trade_count(),
    *_prices(),
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
    sa.Column("series", sa.Text, comment="none: the whole venue"),
    sa.Column("asked", pg.TSTZRANGE),
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
