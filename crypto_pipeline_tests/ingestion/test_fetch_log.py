"""Requests as entries of the fetch log: what was asked, of whom, and how it went."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.ingestion.fetch_log import write_log
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Fetch
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import Row, Warehouse

AT = datetime(2024, 2, 29, 12, tzinfo=UTC)
FETCH = Fetch(
    provider="binance",
    host="api.binance.com",
    path="/api/v3/klines",
    series=series_of(),
    window=Window(AT, AT + timedelta(hours=1)),
    attempt=2,
    requested_at=AT,
    seconds=0.1234,
    status=200,
    size=4096,
    rows=60,
    error=None,
)


def logged(database: Database) -> list[Row]:
    """The log as it stands."""
    return Warehouse(database, ()).select(
        """
        select requested_at, provider, host, path, series, lower(asked), upper(asked), attempt,
            duration_ms, http_status, bytes, row_count, error_class, error
        from warehouse.fetches order by fetch_id
        """
    )


def test_answer_is_logged_with_what_it_brought(database: Database) -> None:
    """Who was asked for which window of which series, at which try, how long it took, and what came."""
    write_log(database, [FETCH])

    assert [
        (
            *(AT, "binance", "api.binance.com", "/api/v3/klines"),
            *("binance/BTC-USDT/1m", AT, AT + timedelta(hours=1)),
            *(2, 123, 200, 4096, 60, None, None),
        )
    ] == logged(database)


def test_failure_is_logged_with_its_class_and_words(database: Database) -> None:
    """What failed below HTTP has no status; what was rejected says why."""
    rejected = replace(FETCH, status=400, rows=0, error=RequestRejected("-1121 Invalid symbol."))
    cut = replace(FETCH, status=None, size=0, rows=0, error=RequestRejected("cut"))
    write_log(database, [rejected, cut])

    assert [
        (400, 4096, 0, "RequestRejected", "-1121 Invalid symbol."),
        (None, 0, 0, "RequestRejected", "cut"),
    ] == [row[9:] for row in logged(database)]


def test_question_about_the_whole_venue_has_neither_series_nor_window(database: Database) -> None:
    """The list of instruments is logged as well."""
    write_log(database, [replace(FETCH, series=None, window=None)])

    assert [(None, None, None)] == [row[4:7] for row in logged(database)]


def test_nothing_asked_is_nothing_written() -> None:
    """Where there is nothing to log, no database is needed."""
    write_log(Database("postgresql://nobody@127.0.0.1:1/none"), [])
