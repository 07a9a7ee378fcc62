"""Schema ``collector``: the first users' tables, columns and queries, over what is really recorded."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from psycopg.rows import dict_row

from crypto_pipeline.market.datasets import FIVE_MINUTES, GAS_PRICES, MARKET_PRICES, OHLC
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import DAY
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import downgrade, upgrade
from crypto_pipeline.warehouse.writer import SeriesRows, Writer
from crypto_pipeline_tests.conftest import REPOSITORY
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.orchestration.conftest import opened
from crypto_pipeline_tests.warehouse.pricing import BITCOIN, ETHEREUM

LISTED = Path(__file__).with_name("collector_tables.txt")
DOCUMENT = REPOSITORY.parent / "shared" / "docs" / "first-users.md"
COMPATIBLE = {
    "Integer": {"integer", "bigint"},
    "Float": {"double precision"},
    "String": {"text"},
    "Text": {"text"},
    "Boolean": {"boolean"},
    "DateTime": {"timestamp with time zone"},
}
TABLES = {
    name: [tuple(column.split()) for column in columns.split(", ")]
    for name, _, columns in (
        line.partition(": ") for line in LISTED.read_text(encoding="utf-8").splitlines()
    )
}
SPELLINGS = ("bitcoin", "BITCOIN", "BTC", "btc")
PRICES = (
    "SELECT price_usd, timestamp FROM market_prices WHERE symbol = 'bitcoin' "
    "AND timestamp > now() - interval '24 hours' ORDER BY timestamp"
)
FIRST_FIVE = "SELECT symbol, price_usd, source, timestamp FROM market_prices LIMIT 5"
HOW_MANY = "SELECT COUNT(*) FROM sentiment_metrics"
NOW = FIVE_MINUTES.floor(datetime.now(UTC))
ETHEREUM_FEES, BITCOIN_FEES = (
    ObservedSeries("gas_prices", f"{chain}/tiers", FIVE_MINUTES)
    for chain in ("ethereum", "bitcoin")
)
Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]


@pytest.fixture
def priced(database: Database) -> Database:
    """A warehouse with three prices of two assets each, the oldest two days old."""
    series = [BITCOIN, ETHEREUM]
    ids = register(database, MARKET_PRICES, series, NOW - 3 * DAY, NOW)
    with closing(Writer(database, ids, None, NOW, MARKET_PRICES)) as writer:
        for one, price in zip(series, (60_000, 3_000), strict=True):
            rows = [
                (NOW - age, Decimal(price + number), None, None, Decimal("1.5"), None, False)
                for number, age in enumerate((2 * DAY, DAY / 2, FIVE_MINUTES.step))
            ]
            writer.store([SeriesRows(one, rows)], "coingecko")
    return database


@pytest.fixture
def script(priced: Database) -> Iterator[Connection]:
    """A connection as the first users' scripts make it."""
    with psycopg.connect(priced.url, options="-csearch_path=collector") as connection:
        yield connection


def documented(text: str) -> dict[str, str]:
    """The tables of the first users' document, and their columns."""
    return dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE))


def test_the_list_is_the_documents() -> None:
    """What is held to here is what the first users wrote down."""
    if not DOCUMENT.is_file():
        pytest.skip("no document of the first users beside the repository")
    listed = [line.partition(": ") for line in LISTED.read_text(encoding="utf-8").splitlines()]

    assert {name: columns for name, _, columns in listed} == documented(
        DOCUMENT.read_text(encoding="utf-8")
    )


def test_every_table_has_its_columns_and_says_what_they_mean(database: Database) -> None:
    """By the first users' names, in their order, of types that their scripts can read; and no others."""
    with database.connect() as connection:
        found = connection.execute(
            """
            select relname, attname, format_type(coalesce(nullif(typbasetype, 0), atttypid), null),
                col_description(attrelid, attnum) is not null
                and obj_description(attrelid, 'pg_class') is not null
            from pg_attribute
            join pg_class on pg_class.oid = attrelid
            join pg_type on pg_type.oid = atttypid
            where relnamespace = 'collector'::regnamespace and attnum > 0
            order by relname, attnum
            """
        ).fetchall()
    columns = {name: [(row[1], row[2]) for row in found if row[0] == name] for name, *_ in found}

    assert TABLES.keys() == columns.keys()
    for table, wanted in TABLES.items():
        assert [name for name, _ in wanted] == [name for name, _ in columns[table]]
        odd = [
            (name, type_)
            for (_, kind), (name, type_) in zip(wanted, columns[table], strict=True)
            if type_ not in COMPATIBLE[kind]
        ]
        assert (table, []) == (table, odd)
    assert [] == [row[:2] for row in found if not row[3]]


def test_an_empty_warehouse_answers_every_table(database: Database) -> None:
    """With nothing collected and before Dagster's first start, each is there and has no row."""
    with database.connect() as connection:
        counts = [
            connection.execute(f"table collector.{name}".encode()).fetchall() for name in TABLES
        ]

    assert [[]] * len(TABLES) == counts


def test_the_first_users_queries_run_unchanged(script: Connection) -> None:
    """Verbatim, with nothing but the search path set."""
    prices = script.execute(PRICES).fetchall()
    five = script.execute(FIRST_FIVE).fetchall()

    assert [(60_001.0, NOW - DAY / 2), (60_002.0, NOW - FIVE_MINUTES.step)] == prices
    assert [5, {"bitcoin", "ethereum"}] == [len(five), {row[0] for row in five}]
    assert [(0,)] == script.execute(HOW_MANY).fetchall()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_any_spelling_finds_an_asset(spelling: str, script: Connection) -> None:
    """As a literal on either side, as a parameter of any of a driver's types, and in lists."""
    compared = (
        f"symbol = '{spelling}'",
        f"'{spelling}' = symbol",
        f"symbol in ('{spelling}', 'dogecoin')",
        f"not symbol <> '{spelling}'",
        f"symbol not in ('ETH', 'x') and symbol != '{spelling}x'",
    )
    parameters = ("symbol = %s", "symbol = %s::varchar", "%s::text = symbol", "symbol = any(%s)")
    count = "select count(*) from market_prices where "

    literal = [script.execute(f"{count}{one}".encode()).fetchone() for one in compared]
    bound = [
        script.execute(f"{count}{one}".encode(), ([spelling] if "any" in one else spelling,))
        for one in parameters
    ]

    assert [(3,)] * len(compared) == literal
    assert [(3,)] * len(parameters) == [cursor.fetchone() for cursor in bound]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_sqlalchemy_models_find_an_asset_by_any_spelling(driver: str, priced: Database) -> None:
    """A String column is compared with a varchar parameter by one driver, with a literal by another."""
    url = sa.make_url(priced.url).set(drivername=f"postgresql+{driver}")
    path = {"options": "-csearch_path=collector"}
    engine = sa.create_engine(url, connect_args=path, poolclass=sa.NullPool)
    prices = sa.Table(
        "market_prices",
        sa.MetaData(),
        sa.Column("symbol", sa.String),
        sa.Column("price_usd", sa.Float),
    )
    asked = [
        *(prices.c.symbol == spelling for spelling in SPELLINGS),
        prices.c.symbol.in_(["BTC"]),
        prices.c.symbol != "ETH",
    ]
    with engine.connect() as connection:
        found = [
            connection.scalars(sa.select(prices.c.price_usd).where(one)).all() for one in asked
        ]

    assert [[60_000.0, 60_001.0, 60_002.0]] * len(asked) == [sorted(rows) for rows in found]


def test_an_asset_has_one_row_a_time_and_one_spelling(script: Connection) -> None:
    """However it may be asked for, counting, grouping and joining see it once."""
    grouped = "select symbol, count(*) from market_prices group by symbol order by symbol"
    joined = (
        "select count(*) from market_prices as one join market_prices as other "
        "on one.symbol = other.symbol and one.timestamp = other.timestamp"
    )
    unknown = script.execute("select count(*) from market_prices where symbol = 'no coin'")

    assert [("bitcoin", 3), ("ethereum", 3)] == script.execute(grouped.encode()).fetchall()
    assert [(6,)] == script.execute(joined.encode()).fetchall()
    assert [(0,)] == unknown.fetchall()


def test_a_day_of_one_asset_is_found_fast_in_a_year_of_five(database: Database) -> None:
    """Its rows are reached by their key: under 100 ms among half a million, planned and read."""
    with database.connect() as connection:
        register(database, MARKET_PRICES, [BITCOIN, ETHEREUM], NOW - 365 * DAY, NOW)
        connection.execute(
            """
            create table warehouse.market_prices_year partition of warehouse.market_prices default;
            insert into warehouse.market_prices (slot, series_id, load_id, price_usd, is_refilled)
            select slot, series_id, 1, 1, false
            from generate_series(now() - interval '1 year', now(), '5 minutes') as slot,
                generate_series(1, 5) as series_id;
            analyze warehouse.market_prices
            """
        )
        connection.execute("set search_path = collector")
        spent = []
        for _ in range(5):
            began = perf_counter()
            rows = connection.execute(PRICES.replace("bitcoin", "BTC").encode()).fetchall()
            spent.append(perf_counter() - began)

    assert 287 <= len(rows) <= 289
    assert min(spent) < 0.1


def test_newest_prices_have_the_highest_and_lowest_trade(priced: Database) -> None:
    """The cache is the newest price of each asset, beside the dollar candles of the 24 hours before."""
    line = series_of()
    ids = register(priced, OHLC, [line], NOW - 3 * DAY, NOW)
    hour = timedelta(hours=1)
    candles = [
        candle(NOW - hour, open="100", high="130", low="90", close="110"),
        candle(NOW - 2 * hour, open="100", high="120", low="80", close="110"),
        candle(NOW - 26 * hour, open="100", high="999", low="1", close="110"),
    ]
    with closing(Writer(priced, ids, None)) as writer:
        writer.store([SeriesRows(line, candles)], "binance")
    with priced.connect() as connection:
        newest = connection.execute(
            "select symbol, price, high_24h, low_24h, provider from collector.cached_market_data "
            "order by symbol"
        ).fetchall()
        kept = connection.execute(
            "select symbol, interval, high, provider from collector.cached_ohlc order by timestamp"
        ).fetchall()

    assert [
        ("bitcoin", 60_002.0, 130.0, 80.0, "coingecko"),
        ("ethereum", 3_002.0, None, None, "coingecko"),
    ] == newest
    assert [("bitcoin", "1m", high, "binance") for high in (999.0, 120.0, 130.0)] == kept


def test_gas_is_told_of_chains_that_count_in_gwei(database: Database) -> None:
    """Fees of Bitcoin are in other units, and are not passed off as gwei."""
    series = [ETHEREUM_FEES, BITCOIN_FEES]
    ids = register(database, GAS_PRICES, series, NOW - DAY, NOW)
    values = dict.fromkeys(GAS_PRICES.values)
    gwei = {**values, "slow_gwei": Decimal(1), "standard_gwei": Decimal(2), "fast_gwei": Decimal(3)}
    satoshi = {**values, "standard_sat_vb": Decimal(9)}
    slot = NOW - FIVE_MINUTES.step
    with closing(Writer(database, ids, None, NOW, GAS_PRICES)) as writer:
        for one, told in zip(series, (gwei, satoshi), strict=True):
            row = (slot, *{**told, "is_refilled": False}.values())
            writer.store([SeriesRows(one, [row])], "etherscan")
    with database.connect() as connection:
        found = connection.execute(
            "select blockchain, gas_price_gwei, fast_gas_price, standard_gas_price, slow_gas_price,"
            " timestamp, source from collector.gas_prices"
        ).fetchall()

    assert [("ethereum", 2.0, 3.0, 2.0, 1.0, slot, "etherscan")] == found


def test_requests_are_the_attempts_collections_and_failures(database: Database) -> None:
    """The log of requests tells who was asked, what came and what failed, and how the hour went."""
    with database.connect() as connection:
        register(database, OHLC, [series_of()], NOW - DAY, NOW)
        connection.execute(
            """
            insert into warehouse.fetches (
                requested_at, provider, host, path, series, asked, attempt, duration_ms, http_status,
                bytes, row_count, error_class, error
            )
            values
                (%(at)s, 'binance', 'api.binance.com', '/klines', 'binance/BTC-USDT/1m',
                    tstzrange(%(at)s - interval '6 minutes', %(at)s - interval '1 minute'), 1, 100,
                    429, 20, 0, 'RateLimited', 'too many'),
                (%(at)s + interval '1 second', 'binance', 'api.binance.com', '/klines',
                    'binance/BTC-USDT/1m',
                    tstzrange(%(at)s - interval '6 minutes', %(at)s - interval '1 minute'), 2, 300,
                    200, 900, 5, null, null)
            """,
            {"at": NOW},
        )
        connection.row_factory = dict_row  # type: ignore[assignment]
        told: dict[str, Any] = {
            name: connection.execute(f"table collector.{name} order by id".encode()).fetchall()
            for name in ("connection_attempts", "data_collections", "failure_logs", "providers")
        }
        pools: Any = connection.execute(
            "select name, use_count, failure_count, provider_id from collector.source_pools "
            "join collector.pool_members on pool_id = source_pools.id"
        ).fetchall()
        hour: Any = connection.execute("select * from collector.system_metrics").fetchone()
    attempts, collected = told["connection_attempts"], told["data_collections"][1]
    (provider,) = told["providers"]

    assert [("rate_limited", 0, None), ("success", 1, "success")] == [
        (one["status"], one["retry_count"], one["retry_result"]) for one in attempts
    ]
    assert ("ohlc", 5, 900, True, NOW - timedelta(minutes=1)) == (
        *(collected["category"], collected["record_count"], collected["payload_size_bytes"]),
        *(collected["on_schedule"], collected["data_timestamp"]),
    )
    assert [("RateLimited", 429)] == [
        (one["error_type"], one["http_status"]) for one in told["failure_logs"]
    ]
    assert ("binance", "ohlc") == (provider["name"], provider["category"])
    assert {provider["id"]} == {one["provider_id"] for one in attempts}
    assert [
        {"name": "ohlc", "use_count": 2, "failure_count": 1, "provider_id": provider["id"]}
    ] == (pools)
    assert (1, 1, 200.0, "degraded") == (
        *(hour["total_providers"], hour["degraded_count"], hour["avg_response_time_ms"]),
        hour["system_health"],
    )


def test_sources_that_stood_in_are_the_rotations(database: Database) -> None:
    """Where one provider told a value and another the next, that is a change; the newest is current."""
    ids = register(database, MARKET_PRICES, [BITCOIN], NOW - DAY, NOW)
    with closing(Writer(database, ids, None, NOW, MARKET_PRICES)) as writer:
        for age, source in ((3, "coingecko"), (2, "coinpaprika"), (1, "coinpaprika")):
            row = (NOW - age * FIVE_MINUTES.step, Decimal(1), None, None, None, None, False)
            writer.store([SeriesRows(BITCOIN, [row])], source)
    with database.connect() as connection:
        changes = connection.execute(
            "select from_provider_id = warehouse.name_id('coingecko'),"
            " to_provider_id = warehouse.name_id('coinpaprika'), notes"
            " from collector.rotation_history"
        ).fetchall()
        state = connection.execute(
            "select current_provider_id = warehouse.name_id('coinpaprika'), rotation_count"
            " from collector.rotation_state"
        ).fetchall()

    assert [(True, True, "bitcoin")] == changes
    assert [(True, 1)] == state


def test_schedules_are_what_dagster_recorded(database: Database, tmp_path: Path) -> None:
    """Its ticks and the runs they began: on time, late, or nothing started, and why."""
    name, cron = "every_5_minutes", "*/5 * * * *"
    place = RegisteredCodeLocationOrigin("crypto_pipeline")
    origin = RemoteRepositoryOrigin(place, "__repository__").get_instigator_origin(name)
    kind = InstigatorType.SCHEDULE
    at = [NOW - number * FIVE_MINUTES.step for number in (3, 2, 1)]
    with opened(database.url, tmp_path) as instance:
        schedule = ScheduleInstigatorData(cron, 0.0)
        instance.add_instigator_state(
            InstigatorState(origin, kind, InstigatorStatus.RUNNING, schedule)
        )
        for moment, run_id in zip(at, ("on-time", "late", None), strict=True):
            tick = instance.create_tick(
                TickData(origin.get_id(), name, kind, TickStatus.STARTED, moment.timestamp())
            )
            done = (
                tick.with_status(TickStatus.SUCCESS).with_run_info(run_id)
                if run_id
                else tick.with_status(TickStatus.SKIPPED).with_reason("nothing to do")
            )
            instance.update_tick(done)
    with database.connect() as connection:
        connection.cursor().executemany(
            "insert into dagster.runs (run_id, status, run_body, start_time) "
            "values (%s, 'SUCCESS', '', extract(epoch from %s::timestamptz))",
            [
                ("on-time", at[0] + timedelta(seconds=7)),
                ("late", at[1] + timedelta(seconds=90)),
            ],
        )
        ticks = connection.execute(
            "select expected_time, delay_seconds, on_time, skip_reason"
            " from collector.schedule_compliance order by id"
        ).fetchall()
        known = connection.execute(
            "select schedule_interval, enabled, last_run, next_run, on_time_count, late_count,"
            " skip_count from collector.schedule_config"
        ).fetchall()

    assert [
        (at[0], 7, True, None),
        (at[1], 90, False, None),
        (at[2], None, False, "nothing to do"),
    ] == ticks
    assert [(cron, True, at[2], NOW, 1, 1, 1)] == known


def test_going_back_drops_all_of_it(database: Database) -> None:
    """The schema is gone with all that served it, and comes again."""
    with database.connect() as connection:
        schema = "select count(*) from pg_namespace where nspname = 'collector'"
        downgrade(database, "0008")
        after = connection.execute(schema).fetchone()
        asset = connection.execute("select market.asset_id('btc')").fetchone()
        upgrade(database)

        assert (0,) == after
        assert ("bitcoin",) == asset
        assert (1,) == connection.execute(schema).fetchone()
