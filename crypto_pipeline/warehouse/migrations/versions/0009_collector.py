"""The tables that the first users' scripts query, as views; and functions of ``market`` for readers."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

HERE = Path(__file__).parent


def upgrade() -> None:
    for name in ("reader_functions", "collector", "collector_work"):
        _run(f"0009_{name}.sql")


def downgrade() -> None:
    _run("0009_collector_drop.sql")


def _run(name: str) -> None:
    # The driver reads a percent sign as a parameter's.
    op.get_bind().exec_driver_sql((HERE / name).read_text(encoding="utf-8").replace("%", "%%"))
