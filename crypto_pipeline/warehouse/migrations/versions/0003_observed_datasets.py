"""Market prices, sentiment and gas prices: what several providers can tell, and the assets they name."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

HERE = Path(__file__).parent
SCHEMA = "warehouse"
INSTANT = sa.DateTime(timezone=True)
SLOT = "beginning of the slot the value belongs to (UTC)"
OBSERVED = ("observed_at", INSTANT, "the source's own time of the value (UTC)")
REFILLED = (
    "is_refilled",
    sa.Boolean(),
    "had later from a source's history, not when it was the present (yes or no)",
)
NUMBER = sa.Numeric()
REQUIRED = ("price_usd", "value", "is_refilled", "is_provisional")

PRICES = (
    ("price_usd", NUMBER, "price of one unit (USD)"),
    ("market_cap_usd", NUMBER, "price times circulating supply (USD)"),
    ("volume_24h_usd", NUMBER, "traded on all markets in the last 24 hours (USD)"),
    ("change_24h_pct", NUMBER, "change of the price in the last 24 hours (percent)"),
    OBSERVED,
    REFILLED,
)
INDICES = (
    ("value", NUMBER, "the published value (points of the index)"),
    ("classification", sa.Text(), "the publisher's own word for the value (words)"),
    ("is_provisional", sa.Boolean(), "the day is not over (yes or no)"),
    OBSERVED,
)
GAS = (
    ("base_fee_gwei", NUMBER, "median base fee of the slot's blocks (gwei)"),
    ("priority_fee_p10_gwei", NUMBER, "median of the blocks' 10th percentile (gwei)"),
    ("priority_fee_p50_gwei", NUMBER, "median of the blocks' 50th percentile (gwei)"),
    ("priority_fee_p90_gwei", NUMBER, "median of the blocks' 90th percentile (gwei)"),
    ("slow_gwei", NUMBER, "recommended to those who can wait (gwei)"),
    ("standard_gwei", NUMBER, "recommended to most (gwei)"),
    ("fast_gwei", NUMBER, "recommended to those in a hurry (gwei)"),
    ("slow_sat_vb", NUMBER, "recommended to those who can wait an hour (sat/vB)"),
    ("standard_sat_vb", NUMBER, "recommended for half an hour (sat/vB)"),
    ("fast_sat_vb", NUMBER, "recommended for the next block (sat/vB)"),
    ("first_block", sa.BigInteger(), "the slot's first block (block number)"),
    ("last_block", sa.BigInteger(), "the slot's last block (block number)"),
    OBSERVED,
    REFILLED,
)
DATASETS = {
    "market_prices": (
        "What assets cost, over all markets, every five minutes; partitioned by month.",
        PRICES,
    ),
    "sentiment": (
        "How the market feels, as indices that are published once a day; partitioned by month.",
        INDICES,
    ),
    "gas_prices": (
        "What a transaction costs, by chain, every five minutes; partitioned by month.",
        GAS,
    ),
}


def upgrade() -> None:
    for name in ("venue", "instrument"):
        op.alter_column("series", name, nullable=True, comment="of candles", schema=SCHEMA)
    for name, (told, values) in DATASETS.items():
        _create_rows(name, told, values)
        _create_revisions(name, values)
    op.create_table(
        "assets",
        sa.Column("asset_id", sa.Text(), nullable=False, comment="what it is called here: bitcoin"),
        sa.Column("symbol", sa.Text(), nullable=False, comment="what markets call it: BTC"),
        sa.Column("name", sa.Text(), nullable=False, comment="what people call it: Bitcoin"),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("assets_pkey")),
        schema=SCHEMA,
        comment="Every asset this release knows, whatever a source calls it.",
    )
    _run("0003_observed_views.sql")


def downgrade() -> None:
    _run("0003_observed_views_drop.sql")
    for name in ("assets", *(f"{one}{part}" for one in DATASETS for part in ("_revisions", ""))):
        op.drop_table(name, schema=SCHEMA)
    for name in ("venue", "instrument"):
        op.alter_column("series", name, nullable=False, comment=None, schema=SCHEMA)


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((HERE / name).read_text(encoding="utf-8"))


def _values(values: tuple[tuple[str, Any, str], ...]) -> list[sa.Column[Any]]:
    return [
        sa.Column(name, type_, nullable=name not in REQUIRED, comment=told)
        for name, type_, told in values
    ]


def _create_rows(name: str, told: str, values: tuple[tuple[str, Any, str], ...]) -> None:
    op.create_table(
        name,
        sa.Column("slot", INSTANT, nullable=False, comment=SLOT),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        *_values(values),
        sa.PrimaryKeyConstraint("series_id", "slot", name=op.f(f"{name}_pkey")),
        schema=SCHEMA,
        postgresql_partition_by="range (slot)",
        comment=told,
    )


def _create_revisions(name: str, values: tuple[tuple[str, Any, str], ...]) -> None:
    table = f"{name}_revisions"
    op.create_table(
        table,
        sa.Column("revision_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("slot", INSTANT, nullable=False, comment=SLOT),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column(
            "load_id", sa.Integer(), nullable=False, comment="the load the replaced row came with"
        ),
        *_values(values),
        sa.Column("replaced_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=False, comment="the load that replaced it"),
        sa.PrimaryKeyConstraint("revision_id", name=op.f(f"{table}_pkey")),
        schema=SCHEMA,
        comment="Rows as they were before a later answer replaced them.",
    )
    index = op.f(f"{table}_series_id_slot_idx")
    op.create_index(index, table, ["series_id", "slot"], schema=SCHEMA)
