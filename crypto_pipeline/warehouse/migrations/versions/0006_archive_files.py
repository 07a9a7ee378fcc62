"""Which bulk files were read, in which issue, and which could not be."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0006"
down_revision = "0005"

HERE = Path(__file__).parent
SCHEMA = "warehouse"
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "archive_files",
        sa.Column("series_id", sa.Integer(), nullable=False, autoincrement=False),
        _told("path", "below the provider's base URL"),
        _told("etag", "differs when the file is re-issued"),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("slots", pg.TSTZRANGE(), nullable=False, comment="the month or day it is of"),
        sa.Column("modified_at", INSTANT, nullable=False, comment="as the listing says"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="of the zip, in bytes"),
        sa.Column("sha256", sa.Text(), comment="as its checksum file says, and as it is"),
        sa.Column("row_count", sa.Integer(), comment="rows that were taken from it"),
        sa.Column("read_at", INSTANT, comment="when its rows were stored"),
        sa.Column("failed_at", INSTANT, comment="when it could last not be read"),
        sa.Column("error", sa.Text(), comment="why it could not"),
        sa.PrimaryKeyConstraint("series_id", "path", "etag", name=op.f("archive_files_pkey")),
        schema=SCHEMA,
        comment="The bulk files that were read, or could not be: one row by series, path and issue.",
    )
    op.get_bind().exec_driver_sql((HERE / "0006_archive_views.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("drop view market.archive_files")
    op.drop_table("archive_files", schema=SCHEMA)


def _told(name: str, comment: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)
