"""Candles of any interval, the series, and the latest prices, for who queries."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

HERE = Path(__file__)


def upgrade() -> None:
    _run(HERE.with_suffix(".sql"))


def downgrade() -> None:
    _run(HERE.with_name(f"{HERE.stem}_drop.sql"))


def _run(script: Path) -> None:
    # The driver reads a percent sign as a parameter's.
    op.get_bind().exec_driver_sql(script.read_text(encoding="utf-8").replace("%", "%%"))
