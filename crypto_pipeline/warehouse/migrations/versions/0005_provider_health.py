"""How each host does, its circuit breaker, and the fetch log as people query both."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

HERE = Path(__file__).parent
SCHEMA = "warehouse"
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "provider_health",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        _counted("consecutive_failures", sa.Integer(), "that were the host's fault"),
        _counted("openings", sa.Integer(), "rests in a row without a success after them"),
        sa.Column("opened_at", INSTANT, comment="when the breaker opened; closed while null"),
        sa.Column("open_until", INSTANT, comment="the end of its rest; half open from then on"),
        sa.Column("trial_until", INSTANT, comment="one request is trying the host until then"),
        _counted("requests", sa.BigInteger(), None),
        _counted("failures", sa.BigInteger(), "requests that the host did not answer"),
        _counted("bytes", sa.BigInteger(), "of bodies received"),
        _counted("latency_ms", sa.Double(), "moving mean: a tenth of it is the newest"),
        sa.Column("used_weight", sa.Integer(), comment="as the host said last, of its minute"),
        sa.Column("weight_limit", sa.Integer(), comment="what we allow ourselves a minute"),
        sa.Column("last_success_at", INSTANT),
        sa.Column("last_failure_at", INSTANT),
        sa.Column("last_error_class", sa.Text()),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("provider", "host", name=op.f("provider_health_pkey")),
        schema=SCHEMA,
        comment="How each host does, and its circuit breaker, shared by every process.",
    )
    op.get_bind().exec_driver_sql((HERE / "0005_health_views.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    for view in ("fetches", "provider_health"):
        op.execute(f"drop view market.{view}")
    op.drop_table("provider_health", schema=SCHEMA)


def _counted(
    name: str, type_: sa.types.TypeEngine[int] | sa.types.TypeEngine[float], told: str | None
) -> sa.Column[int] | sa.Column[float]:
    return sa.Column(name, type_, nullable=False, comment=told)
