"""Which hosts are left alone, for people; what is noted of them is written by ``limits``."""

from datetime import datetime
from typing import NamedTuple

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.statements import statements


class Resting(NamedTuple):
    """A host whose circuit breaker is open."""

    provider: str
    host: str
    until: datetime


def resting(database: Database) -> list[Resting]:
    """Every host that is left alone now."""
    with database.connect(read_only=True) as connection:
        rows = connection.execute(statements("health")["resting"]).fetchall()
    return [Resting(str(provider), str(host), until) for provider, host, until in rows]  # type: ignore[arg-type]
