"""The table of the bulk files that were read, or could not be."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from crypto_pipeline.warehouse.schema import INSTANT, metadata

archive_files = sa.Table(
    "archive_files",
    metadata,
    sa.Column("series_id", sa.Integer, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True, comment="below the provider's base URL"),
    sa.Column("etag", sa.Text, primary_key=True, comment="differs when the file is re-issued"),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("slots", pg.TSTZRANGE, nullable=False, comment="the month or day it is of"),
    sa.Column("modified_at", INSTANT, nullable=False, comment="as the listing says"),
    sa.Column("size", sa.BigInteger, nullable=False, comment="of the zip, in bytes"),
    sa.Column("sha256", sa.Text, comment="as its checksum file says, and as it is"),
    sa.Column("row_count", sa.Integer, comment="rows that were taken from it"),
    sa.Column("read_at", INSTANT, comment="when its rows were stored"),
    sa.Column("failed_at", INSTANT, comment="when it could last not be read"),
    sa.Column("error", sa.Text, comment="why it could not"),
    comment="The bulk files that were read, or could not be: one row by series, path and issue.",
)
