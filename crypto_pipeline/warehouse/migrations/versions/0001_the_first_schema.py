"""The first schema: series, the coverage ledger, candles and the logs around them."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

HERE = Path(__file__).parent
TABLES = (
    "coverage",
    "series",
    "rejected_rows",
    "rate_limits",
    "ohlc_revisions",
    "ohlc",
    "loads",
    "fetches",
)


def upgrade() -> None:
    _tables()
    _run("0001_market_views.sql")


def downgrade() -> None:
    _run("0001_market_views_drop.sql")
    for table in TABLES:
        op.drop_table(table, schema="warehouse")


def _run(name: str) -> None:
    text = (HERE / name).read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(text)


def _tables() -> None:
    op.create_table(
        "fetches",
        sa.Column("fetch_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("asked", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("http_status", sa.SmallInteger(), nullable=True),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("fetch_id", name=op.f("fetches_pkey")),
        schema="warehouse",
        comment="Every request to a provider and its outcome.",
    )
    op.create_index(
        op.f("fetches_requested_at_idx"),
        "fetches",
        ["requested_at"],
        unique=False,
        schema="warehouse",
    )
    op.create_table(
        "loads",
        sa.Column("load_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="the provider that answered"),
        sa.Column(
            "fetched_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "run_id", sa.Text(), nullable=True, comment="the Dagster run, where there was one"
        ),
        sa.PrimaryKeyConstraint("load_id", name=op.f("loads_pkey")),
        schema="warehouse",
        comment="Where and when stored rows came from: one row per committed batch.",
    )
    op.create_table(
        "ohlc",
        sa.Column(
            "open_time",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="UTC, as the venue says",
        ),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("trade_count", sa.Integer(), nullable=True, comment="number of trades"),
        sa.Column("open", sa.Numeric(), nullable=False, comment="quote per base"),
        sa.Column("high", sa.Numeric(), nullable=False, comment="quote per base"),
        sa.Column("low", sa.Numeric(), nullable=False, comment="quote per base"),
        sa.Column("close", sa.Numeric(), nullable=False, comment="quote per base"),
        sa.Column("volume", sa.Numeric(), nullable=False, comment="base"),
        sa.Column("quote_volume", sa.Numeric(), nullable=True, comment="quote"),
        sa.PrimaryKeyConstraint("series_id", "open_time", name=op.f("ohlc_pkey")),
        schema="warehouse",
        comment="Closed candles, partitioned by month of open time.",
        postgresql_partition_by="range (open_time)",
    )
    op.create_table(
        "ohlc_revisions",
        sa.Column("revision_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("open_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column(
            "load_id", sa.Integer(), nullable=False, comment="the load the replaced row came with"
        ),
        sa.Column("trade_count", sa.Integer(), nullable=True, comment="number of trades"),
        sa.Column("open", sa.Numeric(), nullable=False, comment="quote per base"),
        sa.Column("high", sa.Numeric(), nullable=False, comment="quote per base"),
        sa.Column("low", sa.Numeric(), nullable=False, comment="quote per base"),
        sa.Column("close", sa.Numeric(), nullable=False, comment="quote per base"),
        sa.Column("volume", sa.Numeric(), nullable=False, comment="base"),
        sa.Column("quote_volume", sa.Numeric(), nullable=True, comment="quote"),
        sa.Column(
            "replaced_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("replaced_by", sa.Integer(), nullable=False, comment="the load that replaced it"),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("ohlc_revisions_pkey")),
        schema="warehouse",
        comment="Rows as they were before a later answer replaced them.",
    )
    op.create_index(
        op.f("ohlc_revisions_series_id_open_time_idx"),
        "ohlc_revisions",
        ["series_id", "open_time"],
        unique=False,
        schema="warehouse",
    )
    op.create_table(
        "rate_limits",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column(
            "spent_until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="the allowance is used up to this instant (GCRA)",
        ),
        sa.Column(
            "blocked_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="no process asks this host before",
        ),
        sa.PrimaryKeyConstraint("host", name=op.f("rate_limits_pkey")),
        schema="warehouse",
        comment="The allowance of each host, shared by every process.",
    )
    op.create_table(
        "rejected_rows",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_row", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("series_id", "slot", name=op.f("rejected_rows_pkey")),
        schema="warehouse",
        comment="Rows that break a promise of their dataset, kept aside until a valid one comes.",
    )
    op.create_table(
        "series",
        sa.Column("series_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("step", postgresql.INTERVAL(), nullable=False, comment="length of a slot"),
        sa.Column(
            "anchor",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="an instant on the grid of slots",
        ),
        sa.Column(
            "grace",
            postgresql.INTERVAL(),
            nullable=False,
            comment="how long after its close a slot is due",
        ),
        sa.Column(
            "starts_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="the first slot expected",
        ),
        sa.Column(
            "is_active",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="false: no longer collected",
        ),
        sa.PrimaryKeyConstraint("series_id", name=op.f("series_pkey")),
        sa.UniqueConstraint("dataset", "name", name=op.f("series_dataset_name_key")),
        schema="warehouse",
        comment="What is collected: one line of a dataset each.",
    )
    op.create_table(
        "coverage",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "expected",
            postgresql.TSTZMULTIRANGE(),
            nullable=False,
            comment="what the calendar says there should be",
        ),
        sa.Column(
            "present",
            postgresql.TSTZMULTIRANGE(),
            server_default=sa.text("'{}'::tstzmultirange"),
            nullable=False,
            comment="slots with rows",
        ),
        sa.Column(
            "explained",
            postgresql.TSTZMULTIRANGE(),
            server_default=sa.text("'{}'::tstzmultirange"),
            nullable=False,
            comment="proven holes",
        ),
        sa.Column(
            "missing",
            postgresql.TSTZMULTIRANGE(),
            sa.Computed("expected - present - explained", persisted=True),
            nullable=True,
        ),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "retry_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the sensor leaves the day alone until then",
        ),
        sa.Column(
            "last_error",
            sa.Text(),
            nullable=True,
            comment="why the last attempt left slots missing",
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["warehouse.series.series_id"], name=op.f("coverage_series_id_fkey")
        ),
        sa.PrimaryKeyConstraint("series_id", "day", name=op.f("coverage_pkey")),
        schema="warehouse",
        comment="The ledger: one row per series and UTC day; what is missing is computed, never written.",
    )
    op.create_index(
        "coverage_incomplete_idx",
        "coverage",
        ["day", "series_id"],
        unique=False,
        schema="warehouse",
        postgresql_where=sa.text("not isempty(missing)"),
    )
