"""The fetch log: every request to a provider and its outcome."""

from collections.abc import Iterable, Mapping

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.statements import statements


def log_fetches(database: Database, fetches: Iterable[Mapping[str, object]]) -> None:
    """Add requests to the log: mappings of its columns, with ``start`` and ``end`` for ``asked``."""
    with database.connect() as connection, connection.transaction():
        connection.cursor().executemany(statements("fetches")["log"], list(fetches))
