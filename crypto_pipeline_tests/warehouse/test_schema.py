"""What people see of the warehouse: the public views, their columns and what is said of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.holes import FIRST_PAUSE
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.schema import metadata
from crypto_pipeline_tests.frames.examples import PRINTED, candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.market.strategies import intervals, runs
from crypto_pipeline_tests.warehouse.storing import HOUR, SINCE, Warehouse, over_postgres

VIEWS = {
    "ohlc": (
        *("venue", "instrument", "interval", "open_time", "open", "high", "low", "close"),
        *("volume", "quote_volume", "trade_count", "source", "fetched_at"),
    ),
    "coverage": (
        *("dataset", "series", "day", "expected_slots", "present_slots", "explained_slots"),
        *("missing_slots", "completeness_pct", "expired_slots"),
    ),
    "gaps": (
        *("dataset", "series", "gap_start", "gap_end", "slots", "state", "reason"),
        *("attempts", "next_attempt_at", "error_class"),
    ),
    "explanations": (
        *("dataset", "series", "explained_from", "explained_to", "slots", "reason", "evidence"),
        *("note", "confirmations", "first_seen_at", "last_seen_at", "recheck_at"),
    ),
    "explanation_changes": (
        *("changed_at", "dataset", "series", "slots_from", "slots_to", "change", "reason"),
        *("evidence", "note"),
    ),
    "assets": ("asset_id", "symbol", "name"),
    "market_prices": (
        *("asset_id", "symbol", "slot", "price_usd", "market_cap_usd", "volume_24h_usd"),
        *("change_24h_pct", "observed_at", "is_refilled", "source", "fetched_at"),
    ),
    "news": (
        *("article_id", "published_at", "title", "url", "publisher", "summary", "language"),
        *("asset_ids", "sentiment", "sightings", "feeds", "source", "first_seen_at", "fetched_at"),
    ),
    "news_revisions": (
        *("article_id", "url", "published_at", "title", "publisher", "summary", "language"),
        *("source", "fetched_at", "replaced_at", "replaced_by", "replaced_in_run"),
    ),
    "sentiment": (
        *("index_name", "day", "slot", "value", "classification", "is_provisional"),
        *("observed_at", "source", "fetched_at"),
    ),
    "gas_prices": (
        *("chain", "kind", "slot", "base_fee_gwei", "priority_fee_p10_gwei"),
        *("priority_fee_p50_gwei", "priority_fee_p90_gwei", "slow_gwei", "standard_gwei"),
        *("fast_gwei", "slow_sat_vb", "standard_sat_vb", "fast_sat_vb", "first_block"),
        *("last_block", "observed_at", "is_refilled", "source", "fetched_at"),
    ),
    "instruments": (
        *("venue", "instrument", "symbol", "status", "first_seen_at", "last_seen_at"),
        *("listed_at", "delisted_at", "is_collected"),
    ),
    "instrument_changes": (
        *("changed_at", "venue", "instrument", "field", "old_value", "new_value"),
    ),
    "provider_health": (
        *("provider", "host", "state", "consecutive_failures", "opened_at", "open_until"),
        *("blocked_until", "requests", "failures", "bytes", "latency_ms", "used_weight"),
        *("weight_limit", "last_success_at", "last_failure_at", "last_error_class", "last_error"),
    ),
    "fetches": (
        *("requested_at", "provider", "host", "path", "series", "asked_from", "asked_to"),
        *("attempt", "http_status", "duration_ms", "bytes", "row_count", "error_class", "error"),
    ),
    "series": (
        *("dataset", "series", "venue", "instrument", "interval", "step", "since", "listed_at"),
        *("delisted_at", "is_collected"),
    ),
    "latest_prices": (
        *("asset_id", "symbol", "price_usd", "market_cap_usd", "volume_24h_usd"),
        *("change_24h_pct", "slot", "observed_at", "source", "fetched_at"),
    ),
    "ohlc_by_day": (
        *("venue", "instrument", "interval", "day", "open_time", "open", "high", "low", "close"),
        *("volume", "quote_volume", "trade_count", "source", "fetched_at"),
    ),
    "contract": ("name", "kind", "position", "column_name", "type", "description"),
    "archive_files": (
        *("provider", "series", "path", "starts_at", "ends_at", "etag", "modified_at", "size"),
        *("sha256", "row_count", "read_at", "failed_at", "error"),
    ),
    "ohlc_revisions": (
        *("venue", "instrument", "interval", "open_time", "open", "high", "low", "close"),
        *("volume", "quote_volume", "trade_count", "source", "fetched_at", "replaced_at"),
        *("replaced_by", "replaced_in_run"),
    ),
}
FUNCTIONS = [
    *("asset_id", "candle_opens", "candles", "interval_length", "ohlc_as_of", "ohlc_between"),
]
COMMENTS = """
    select attname, col_description(attrelid, attnum), obj_description(attrelid)
    from pg_attribute
    where attrelid = %s::regclass and attnum > 0
    order by attnum
"""


@pytest.mark.parametrize(("view", "columns"), VIEWS.items())
def test_public_views_have_their_columns_and_say_what_they_mean(
    database: Database, view: str, columns: tuple[str, ...]
) -> None:
    """The columns are the promised ones, in order, and each is explained in the database itself."""
    with database.connect() as connection:
        found = connection.execute(COMMENTS, (f"market.{view}",)).fetchall()

    assert columns == tuple(name for name, _, _ in found)
    assert [] == [name for name, column, table in found if not column or not table]


def test_views_are_all_there_is_in_public(database: Database) -> None:
    """Nothing lies in schema market but what is promised; its function says what it answers."""
    with database.connect() as connection:
        names = connection.execute(
            "select relname from pg_class where relnamespace = 'market'::regnamespace"
        ).fetchall()
        functions = connection.execute(
            """
            select proname, obj_description(oid, 'pg_proc') is not null
            from pg_proc
            where pronamespace = 'market'::regnamespace
            order by proname
            """
        ).fetchall()

    assert set(VIEWS) == {name for (name,) in names}
    assert [(name, True) for name in FUNCTIONS] == functions


def test_every_table_is_explained() -> None:
    """Whoever reads the schema learns what a table is for."""
    assert [] == [table.name for table in metadata.tables.values() if not table.comment]


@over_postgres
@given(runs(), intervals)
def test_slot_count_is_that_of_runs(database: Database, some: Runs, interval: Interval) -> None:
    """Postgres and Python count the slots of any runs alike."""
    (counted,) = Warehouse(database, []).select(
        """
        select warehouse.slot_count(coalesce(range_agg(tstzrange(a, b)), '{}'), %s)
        from unnest(%s::timestamptz[], %s::timestamptz[]) as run (a, b)
        """,
        interval.step,
        [window.start for window in some],
        [window.end for window in some],
    )

    assert (some.slots(interval.step),) == counted


def test_candles_are_shown_with_where_they_came_from(database: Database) -> None:
    """``market.ohlc`` gives names for ids, the numbers as printed, the provider, and when it was asked."""
    warehouse = Warehouse(database, [series_of()])
    warehouse.store(candle(SINCE), source="binance")
    (row,) = warehouse.select("select * from market.ohlc")
    values = [*map(Decimal, PRINTED), 90705]

    assert ["binance", "BTC-USDT", "1m", SINCE, *values, "binance"] == [*row[:-1]]
    assert [*PRINTED] == [format(value, "f") for value in row[4:10]]
    assert abs(datetime.now(UTC) - row[-1]) < timedelta(minutes=1)


@pytest.fixture
def recent(database: Database) -> Warehouse:
    """Hourly candles since three days ago, for the views count by the server's own clock."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    warehouse = Warehouse(database, [series_of(interval="1h")], today - 3 * DAY)
    warehouse.register(datetime.now(UTC))
    return warehouse


def test_coverage_counts_each_day(recent: Warehouse) -> None:
    """A day of which two hours are there shows two of twenty-four, in slots and in percent."""
    recent.store(candle(recent.since), candle(recent.since + 2 * HOUR))
    rows = recent.select("select * from market.coverage order by day limit 2")
    first, second = recent.since.date(), (recent.since + DAY).date()

    assert [
        ("ohlc", "binance/BTC-USDT/1h", first, 24, 2, 0, 22, Decimal("8.3333"), 0),
        ("ohlc", "binance/BTC-USDT/1h", second, 24, 0, 0, 24, Decimal("0.0000"), 0),
    ] == rows


def test_coverage_shows_only_what_is_due(recent: Warehouse) -> None:
    """Days ahead are not shown, and of today only the hours that have closed."""
    (counted,) = recent.select("select max(day), sum(expected_slots) from market.coverage")
    hours = (datetime.now(UTC) - timedelta(seconds=2) - recent.since) // HOUR

    assert ((recent.since + 3 * DAY).date(), hours) == counted


def test_gaps_are_runs_with_their_state(recent: Warehouse) -> None:
    """Holes come as runs over midnight; one that was asked for in vain is being retried, and says why."""
    hours = [recent.since + number * HOUR for number in range(72)]
    recent.store(*(candle(hour) for number, hour in enumerate(hours) if number not in (23, 24, 60)))
    day = Window.of_day(hours[60].date())
    now = datetime.now(UTC)
    recent.ask_in_vain(day, now)
    rows = recent.select(
        "select * from market.gaps where gap_start < %s order by gap_start", hours[-1]
    )
    untried, tried = (0, None, None), (1, now + FIRST_PAUSE, "TransientError")

    assert [
        ("ohlc", "binance/BTC-USDT/1h", hours[23], hours[25], 2, "missing", None, *untried),
        ("ohlc", "binance/BTC-USDT/1h", hours[60], hours[61], 1, "retrying", "no answer", *tried),
    ] == rows


def test_series_that_is_no_longer_collected_is_not_shown(recent: Warehouse) -> None:
    """Its candles stay in ``market.ohlc``; nothing is expected of it any more."""
    recent.store(candle(recent.since))
    recent.prove_absent(Window(recent.since + HOUR, recent.since + 2 * HOUR), datetime.now(UTC))
    replace(recent, series=[]).register(datetime.now(UTC))

    assert [] == recent.select("select * from market.coverage")
    assert [] == recent.select("select * from market.gaps")
    assert [] == recent.select("select * from market.explanations")
    assert [(1,)] == recent.select("select count(*) from market.ohlc")
