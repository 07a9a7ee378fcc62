"""The table of the hosts' health; their allowances and pauses are in ``schema``."""

import sqlalchemy as sa

from crypto_pipeline.warehouse.schema import INSTANT, metadata

provider_health = sa.Table(
    "provider_health",
    metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column(
        "consecutive_failures", sa.Integer, nullable=False, comment="that were the host's fault"
    ),
    sa.Column(
        "openings",
        sa.Integer,
        nullable=False,
        comment="rests in a row without a success after them",
    ),
    sa.Column("opened_at", INSTANT, comment="when the breaker opened; closed while null"),
    sa.Column("open_until", INSTANT, comment="the end of its rest; half open from then on"),
    sa.Column("trial_until", INSTANT, comment="one request is trying the host until then"),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column(
        "failures", sa.BigInteger, nullable=False, comment="requests that the host did not answer"
    ),
    sa.Column("bytes", sa.BigInteger, nullable=False, comment="of bodies received"),
    sa.Column(
        "latency_ms", sa.Double, nullable=False, comment="moving mean: a tenth of it is the newest"
    ),
    sa.Column("used_weight", sa.Integer, comment="as the host said last, of its minute"),
    sa.Column("weight_limit", sa.Integer, comment="what we allow ourselves a minute"),
    sa.Column("last_success_at", INSTANT),
    sa.Column("last_failure_at", INSTANT),
    sa.Column("last_error_class", sa.Text),
    sa.Column("last_error", sa.Text),
    comment="How each host does, and its circuit breaker, shared by every process.",
)
