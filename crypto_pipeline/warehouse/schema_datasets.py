"""The tables of the observed datasets, made from their declarations, and the assets they speak of."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from crypto_pipeline.market.datasets import GAS_PRICES, MARKET_PRICES, SENTIMENT, Column, Dataset
from crypto_pipeline.warehouse.schema import INSTANT, NOW, metadata

TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "timestamptz": INSTANT,
    "numeric": sa.Numeric(),
    "bigint": sa.BigInteger(),
    "text": sa.Text(),
    "boolean": sa.Boolean(),
}


def _values(dataset: Dataset) -> Iterator[sa.Column[Any]]:
    for column in dataset.columns[1:]:
        yield _column(column)


def _column(column: Column) -> sa.Column[Any]:
    told = f"{column.description} ({column.unit})"
    nullable = not (column.is_required or column.is_key)
    return sa.Column(column.name, TYPES[column.type], nullable=nullable, comment=told)


def _rows(dataset: Dataset) -> sa.Table:
    return sa.Table(
        dataset.name,
        metadata,
        _column(dataset.columns[0]),
        sa.Column("series_id", sa.Integer, nullable=False),
        sa.Column("load_id", sa.Integer, nullable=False),
        *_values(dataset),
        sa.PrimaryKeyConstraint("series_id", dataset.time),
        postgresql_partition_by=f"range ({dataset.time})",
        comment=f"{dataset.title}; partitioned by month.",
    )


def _revisions(dataset: Dataset) -> sa.Table:
    return sa.Table(
        f"{dataset.name}_revisions",
        metadata,
        sa.Column("revision_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _column(dataset.columns[0]),
        sa.Column("series_id", sa.Integer, nullable=False),
        sa.Column(
            "load_id", sa.Integer, nullable=False, comment="the load the replaced row came with"
        ),
        *_values(dataset),
        sa.Column("replaced_at", INSTANT, nullable=False, server_default=NOW),
        sa.Column("replaced_by", sa.Integer, nullable=False, comment="the load that replaced it"),
        sa.Index(None, "series_id", dataset.time),
        comment="Rows as they were before a later answer replaced them.",
    )


OBSERVED = (MARKET_PRICES, SENTIMENT, GAS_PRICES)
tables = [table for one in OBSERVED for table in (_rows(one), _revisions(one))]

assets = sa.Table(
    "assets",
    metadata,
    sa.Column("asset_id", sa.Text, primary_key=True, comment="what it is called here: bitcoin"),
    sa.Column("symbol", sa.Text, nullable=False, comment="what markets call it: BTC"),
    sa.Column("name", sa.Text, nullable=False, comment="what people call it: Bitcoin"),
    comment="Every asset this release knows, whatever a source calls it.",
)
