"""The fetch log: one row for each request, as it was told."""

from datetime import UTC, datetime, timedelta

from psycopg.types.range import TimestamptzRange

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.fetch_log import log_fetches
from crypto_pipeline_tests.warehouse.storing import Warehouse

START = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)
ENTRY = {
    "requested_at": START,
    "provider": "binance",
    "host": "api.binance.com",
    "path": "/api/v3/klines",
    "series": "binance/BTC-USDT/1m",
    "start": START,
    "end": START + timedelta(hours=1),
    "attempt": 2,
    "duration_ms": 87,
    "http_status": 429,
    "bytes": 113,
    "row_count": 0,
    "error_class": "RateLimited",
    "error": "HTTP 429: -1003 Too much request weight used",
}


def test_request_is_logged_as_it_was_told(database: Database) -> None:
    """Every part of an entry has its column, what was asked for is a half-open range."""
    log_fetches(database, [ENTRY])
    (row,) = Warehouse(database, []).select("select * from warehouse.fetches")
    told = dict(ENTRY) | {"asked": TimestamptzRange(START, START + timedelta(hours=1))}

    assert (
        *(told[name] for name in ("requested_at", "provider", "host", "path", "series", "asked")),
        *(told[name] for name in ("attempt", "duration_ms", "http_status", "bytes", "row_count")),
        *(told["error_class"], told["error"]),
    ) == row[1:]


def test_request_without_an_answer_has_no_status(database: Database) -> None:
    """A connection that broke has neither status nor, when it worked at last, an error."""
    log_fetches(database, [ENTRY | {"http_status": None, "error": None, "error_class": None}] * 2)

    assert [(None, None, None)] * 2 == Warehouse(database, []).select(
        "select http_status, error_class, error from warehouse.fetches"
    )


def test_request_about_the_whole_venue_names_no_series(database: Database) -> None:
    """A list of instruments is asked for once, for all series and without a window."""
    log_fetches(database, [ENTRY | {"series": None, "start": None, "end": None}])

    assert [(None, None)] == Warehouse(database, []).select(
        "select series, asked from warehouse.fetches"
    )


def test_nothing_to_log_is_fine(database: Database) -> None:
    """An empty log leaves no row."""
    log_fetches(database, [])

    assert [] == Warehouse(database, []).select("select * from warehouse.fetches")
