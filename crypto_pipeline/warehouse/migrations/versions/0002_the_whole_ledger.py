"""The whole ledger: retries and evidence by hole, listings, trust, revisions seen from outside."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0002"
down_revision = "0001"

HERE = Path(__file__).parent
SCHEMA = "warehouse"
NEW_TABLES = (
    "instrument_changes",
    "instruments",
    "ledger_repairs",
    "explanation_changes",
    "holes",
)
INSTANT = sa.DateTime(timezone=True)
NOTHING = sa.text("'{}'::tstzmultirange")


def upgrade() -> None:
    op.execute("drop view market.gaps")
    _change_tables()
    _create_holes()
    _create_instruments()
    _run((HERE / "0002_whole_ledger.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    _run((HERE / "0002_whole_ledger_drop.sql").read_text(encoding="utf-8"))
    for table in NEW_TABLES:
        op.drop_table(table, schema=SCHEMA)
    _change_tables_back()
    views = (HERE / "0001_market_views.sql").read_text(encoding="utf-8")
    _run(views[views.index("create view market.gaps") :])


def _run(script: str) -> None:
    op.get_bind().exec_driver_sql(script)


def _change_tables() -> None:
    for name in ("attempts", "retry_at", "last_error"):
        op.drop_column("coverage", name, schema=SCHEMA)
    tried = sa.Column(
        "tried",
        pg.TSTZMULTIRANGE(),
        server_default=NOTHING,
        nullable=False,
        comment="asked for in vain",
    )
    _add("coverage", tried)
    _add("coverage", _instant("retry_at", "when the first of the tried slots may be asked again"))
    _add("coverage", _instant("recheck_at", "when the first explanation is put to the test"))
    incomplete = sa.Computed("not isempty(expected - present - explained)", persisted=True)
    _add("coverage", sa.Column("is_incomplete", sa.Boolean(), incomplete))
    _index_incomplete("is_incomplete")
    op.create_index(
        "coverage_recheck_at_idx",
        "coverage",
        ["recheck_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("recheck_at is not null"),
    )
    op.alter_column(
        "series",
        "starts_at",
        new_column_name="since",
        schema=SCHEMA,
        comment="the first slot wanted",
        existing_comment="the first slot expected",
        existing_type=INSTANT,
        existing_nullable=False,
    )
    _add("series", _instant("listed_at", "the venue's first slot, once it has said so"))
    _add("series", _instant("delisted_at", "the end of the venue's last slot, once it is over"))
    _add("series", _instant("listing_read_at", "when the venue was last asked for both"))
    starts_at = sa.Column(
        "starts_at",
        INSTANT,
        sa.Computed("greatest(since, listed_at)", persisted=True),
        comment="the first slot expected",
    )
    _add("series", starts_at)
    trust = sa.Column(
        "trust",
        sa.SmallInteger(),
        server_default=sa.text("0"),
        nullable=False,
        comment="0 is the venue itself; a greater number never replaces a smaller one's rows",
    )
    _add("loads", trust)
    op.alter_column(
        "fetches",
        "series",
        nullable=True,
        comment="none: the whole venue",
        existing_type=sa.Text(),
        schema=SCHEMA,
    )
    op.alter_column("fetches", "asked", nullable=True, existing_type=pg.TSTZRANGE(), schema=SCHEMA)


def _index_incomplete(where: str) -> None:
    op.drop_index("coverage_incomplete_idx", "coverage", schema=SCHEMA)
    op.create_index(
        "coverage_incomplete_idx",
        "coverage",
        ["day", "series_id"],
        schema=SCHEMA,
        postgresql_where=sa.text(where),
    )


def _change_tables_back() -> None:
    op.execute("delete from warehouse.fetches where series is null or asked is null")
    op.alter_column("fetches", "asked", nullable=False, schema=SCHEMA)
    op.alter_column("fetches", "series", nullable=False, comment=None, schema=SCHEMA)
    op.drop_column("loads", "trust", schema=SCHEMA)
    for name in ("starts_at", "listing_read_at", "delisted_at", "listed_at"):
        op.drop_column("series", name, schema=SCHEMA)
    op.alter_column(
        "series",
        "since",
        new_column_name="starts_at",
        comment="the first slot expected",
        schema=SCHEMA,
    )
    op.drop_index("coverage_recheck_at_idx", "coverage", schema=SCHEMA)
    _index_incomplete("not isempty(missing)")
    for name in ("is_incomplete", "recheck_at", "retry_at", "tried"):
        op.drop_column("coverage", name, schema=SCHEMA)
    attempts = sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False)
    _add("coverage", attempts)
    _add("coverage", _instant("retry_at", "the sensor leaves the day alone until then"))
    last_error = sa.Column(
        "last_error", sa.Text(), comment="why the last attempt left slots missing"
    )
    _add("coverage", last_error)


def _add(table: str, column: "sa.Column[Any]") -> None:
    op.add_column(table, column, schema=SCHEMA)


def _instant(name: str, comment: str) -> "sa.Column[Any]":
    return sa.Column(name, INSTANT, nullable=True, comment=comment)


def _create_holes() -> None:
    op.create_table(
        "holes",
        sa.Column("hole_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "slots",
            pg.TSTZRANGE(),
            nullable=False,
            comment="a run of slots without a row, within the day",
        ),
        sa.Column(
            "attempts",
            sa.SmallInteger(),
            nullable=False,
            comment="times it was asked for in vain",
        ),
        sa.Column("next_at", INSTANT, nullable=False, comment="not asked for again before"),
        sa.Column("error_class", sa.Text(), comment="what kind of failure the last attempt met"),
        sa.Column("error", sa.Text(), comment="why the last attempt left it open"),
        sa.Column(
            "absences",
            sa.SmallInteger(),
            nullable=False,
            comment="answers with rows around it and none in it",
        ),
        _instant("absent_since", "the first such answer"),
        _instant("absent_at", "the newest such answer"),
        sa.Column("reason", sa.Text(), comment="why it can never be filled; unknown while null"),
        sa.Column(
            "state",
            sa.Text(),
            sa.Computed(
                "case when reason is not null then 'explained' "
                "when attempts >= 6 or error_class = 'RequestRejected' then 'stuck' "
                "else 'retrying' end",
                persisted=True,
            ),
        ),
        sa.Column("evidence", pg.JSONB()),
        sa.Column("note", sa.Text(), comment="what a person said about it"),
        sa.CheckConstraint(
            "reason in ('venue_outage', 'no_trades', 'not_listed_yet', 'delisted', "
            "'not_refillable', 'not_published')",
            name=op.f("holes_reason_check"),
        ),
        sa.PrimaryKeyConstraint("hole_id", name=op.f("holes_pkey")),
        schema=SCHEMA,
        comment="Every hole that was asked for in vain: its retries, the evidence, the explanation.",
    )
    op.create_index(op.f("holes_series_id_day_idx"), "holes", ["series_id", "day"], schema=SCHEMA)
    op.create_table(
        "explanation_changes",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("slots", pg.TSTZRANGE(), nullable=False),
        sa.Column(
            "change",
            sa.Text(),
            nullable=False,
            comment="explained, replaced_by_data or reopened",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", pg.JSONB()),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("change_id", name=op.f("explanation_changes_pkey")),
        schema=SCHEMA,
        comment="When holes were explained, and when an explanation ended.",
    )
    op.create_index(
        op.f("explanation_changes_series_id_changed_at_idx"),
        "explanation_changes",
        ["series_id", "changed_at"],
        schema=SCHEMA,
    )
    op.create_table(
        "ledger_repairs",
        sa.Column("repair_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("repaired_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "only_in_rows",
            pg.TSTZMULTIRANGE(),
            nullable=False,
            comment="rows that the ledger did not know",
        ),
        sa.Column(
            "only_in_ledger",
            pg.TSTZMULTIRANGE(),
            nullable=False,
            comment="slots whose rows were gone",
        ),
        sa.PrimaryKeyConstraint("repair_id", name=op.f("ledger_repairs_pkey")),
        schema=SCHEMA,
        comment="Where an audit found rows and ledger to differ, and made the ledger follow the rows.",
    )


def _create_instruments() -> None:
    op.create_table(
        "instruments",
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False, comment="as the venue spells it"),
        sa.Column("status", sa.Text(), nullable=False, comment="trading, halted or gone"),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False, comment="the newest list that held it"),
        sa.PrimaryKeyConstraint("venue", "instrument", name=op.f("instruments_pkey")),
        schema=SCHEMA,
        comment="What each venue lists, as it said last.",
    )
    op.create_table(
        "instrument_changes",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column(
            "field",
            sa.Text(),
            nullable=False,
            comment="symbol, status, listed_at or delisted_at",
        ),
        sa.Column("old_value", sa.Text()),
        sa.Column("new_value", sa.Text()),
        sa.PrimaryKeyConstraint("change_id", name=op.f("instrument_changes_pkey")),
        schema=SCHEMA,
        comment="What changed about an instrument from one list to the next.",
    )
    op.create_index(
        op.f("instrument_changes_venue_instrument_idx"),
        "instrument_changes",
        ["venue", "instrument"],
        schema=SCHEMA,
    )
