"""What is kept how long, and what has expired."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0010"
down_revision = "0009"

HERE = Path(__file__).parent


def upgrade() -> None:
    expired = sa.Column(
        "expired",
        pg.TSTZMULTIRANGE(),
        server_default=sa.text("'{}'::tstzmultirange"),
        nullable=False,
        comment="slots whose rows were dropped for their age, unless expected or present again",
    )
    op.add_column("coverage", expired, schema="warehouse")
    _run("0010_retention.sql")


def downgrade() -> None:
    _run("0010_retention_back.sql")
    op.drop_column("coverage", "expired", schema="warehouse")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((HERE / name).read_text(encoding="utf-8"))
