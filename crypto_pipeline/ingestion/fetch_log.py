"""Requests as entries of the warehouse's fetch log."""

from collections import deque
from collections.abc import Sequence

from crypto_pipeline.providers.client import Fetch
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.fetch_log import log_fetches


def flush_log(database: Database, log: deque[Fetch]) -> None:
    """Move requests into the log; clients may append to the deque from another thread meanwhile."""
    write_log(database, [log.popleft() for _ in range(len(log))])


def write_log(database: Database, fetches: Sequence[Fetch]) -> None:
    """Add requests to the log; none are no work."""
    if fetches:
        log_fetches(database, map(_entry, fetches))


def _entry(fetch: Fetch) -> dict[str, object]:
    error, window = fetch.error, fetch.window
    return {
        "requested_at": fetch.requested_at,
        "provider": fetch.provider,
        "host": fetch.host,
        "path": fetch.path,
        "series": fetch.series.name if fetch.series else None,
        "start": window.start if window else None,
        "end": window.end if window else None,
        "attempt": fetch.attempt,
        "duration_ms": round(fetch.seconds * 1000),
        "http_status": fetch.status,
        "bytes": fetch.size,
        "row_count": fetch.rows,
        "error_class": type(error).__name__ if error else None,
        "error": str(error) if error else None,
    }
