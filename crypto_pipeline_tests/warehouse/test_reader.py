"""The reader's role: it reads all that is public, and can change, see and hold up nothing else."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from crypto_pipeline.errors import UsageError
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.reader import Reader, milliseconds
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.orchestration.conftest import opened
from crypto_pipeline_tests.warehouse.storing import SINCE, Warehouse

PASSWORD = "a reader's pass/word"
Connection = psycopg.Connection[tuple[Any, ...]]
FUNCTIONS = (
    "select market.asset_id('btc') = 'bitcoin'",
    "select count(*) = 1 from market.ohlc_as_of(now())",
    "select count(*) = 1 from market.ohlc_between('2024-02-28', '2024-02-29')",
    "select count(*) = 1 from market.candles('binance', 'BTC-USDT', '1h', '2024-02-28', '2024-02-29')",
    "select market.interval_length('4h') = '4 hours'",
    "select market.candle_opens('1 hour', '2024-02-28T01:30:00Z') = '2024-02-28T01:00:00Z'",
)
REFUSALS = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
WRITES = (
    "create table public.mine (n integer)",
    "create table market.mine (n integer)",
    "create temporary table mine (n integer)",
    "create schema mine",
    "create view market.mine as select 1",
    "insert into market.assets values ('a', 'b', 'c')",
    "update market.assets set name = 'mine'",
    "delete from market.assets",
    "drop view market.ohlc",
    "alter view market.ohlc rename to mine",
    "comment on view market.ohlc is 'mine'",
    "copy (select 1) to program 'cat'",
    "copy (select 1) to '/tmp/mine'",
    "select lo_create(0)",
    "alter role {role} createrole",
    "select pg_read_file('postgresql.conf')",
)
HIDDEN = (
    "select * from warehouse.series",
    "select * from warehouse.fetches",
    "select * from dagster.runs",
    "select * from warehouse.schedule_ticks()",
)


@pytest.fixture
def reader(warehouse: Warehouse) -> Iterator[Reader]:
    """A role of the test's own, for a server has only one of a name."""
    reader = Reader(warehouse.database, f"reader_{uuid.uuid4().hex[:12]}")
    warehouse.store(candle(SINCE))
    reader.grant("30s", PASSWORD)
    yield reader
    if reader.exists():
        assert reader.revoke() is None


@pytest.fixture
def asking(reader: Reader) -> Iterator[Connection]:
    """The reader's connection, by the address that it is given."""
    with psycopg.connect(reader.address(PASSWORD), autocommit=True) as connection:
        yield connection


def test_every_view_can_be_read(asking: Connection) -> None:
    """All that lies in market and collector, with nothing but the grants."""
    views = asking.execute(
        "select schemaname, viewname from pg_views where schemaname in ('market', 'collector')"
    ).fetchall()
    for schema, view in views:
        asking.execute(sql.SQL("table {}").format(sql.Identifier(schema, view)))

    assert len(views) > 40
    assert [(1,)] == asking.execute("select count(*) from ohlc").fetchall()


def test_every_function_of_market_can_be_called(asking: Connection) -> None:
    """A function reads with its caller's rights, so each is called here."""
    names = asking.execute(
        "select proname from pg_proc where pronamespace = 'market'::regnamespace"
    ).fetchall()
    untried = [name for (name,) in names if not any(f"market.{name}(" in one for one in FUNCTIONS)]

    assert [] == untried
    assert [(True,)] * len(FUNCTIONS) == [
        asking.execute(one.encode()).fetchone() for one in FUNCTIONS
    ]


def test_any_spelling_finds_an_asset_without_a_search_path(asking: Connection) -> None:
    """The role's own path holds the operators that the first users' queries need."""
    (path,) = asking.execute("show search_path").fetchall()

    assert ("market, marts, collector",) == path
    assert [(True,)] == asking.execute(
        "select 'BTC' = 'bitcoin'::collector.symbol and 'eth' <> 'bitcoin'::collector.symbol"
    ).fetchall()


@pytest.mark.parametrize("is_switched", [False, True])
def test_nothing_can_be_changed(is_switched: bool, asking: Connection, reader: Reader) -> None:
    """Neither as it comes, nor when the reader switches to transactions that may write."""
    if is_switched:
        asking.execute("set default_transaction_read_only = off")
    for statement in WRITES:
        with pytest.raises(REFUSALS):
            asking.execute(statement.format(role=reader.name).encode())


def test_the_tables_behind_are_hidden(
    asking: Connection, database: Database, tmp_path: Path
) -> None:
    """Ours and Dagster's can neither be read nor found by looking."""
    with opened(database.url, tmp_path) as instance:
        instance.get_runs(limit=1)
    for statement in HIDDEN:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            asking.execute(statement.encode())
    seen = asking.execute(
        "select distinct table_schema from information_schema.tables order by 1"
    ).fetchall()

    assert [("collector",), ("information_schema",), ("market",), ("pg_catalog",)] == seen


def test_a_query_that_runs_for_ever_is_stopped(reader: Reader) -> None:
    """After the role's own timeout, with an error that says why."""
    reader.grant("200ms", None)
    endless = "select count(*) from generate_series(1, 1000000000) as n, market.ohlc"
    with (
        psycopg.connect(reader.address(PASSWORD), autocommit=True) as connection,
        pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"),
    ):
        connection.execute(endless)


def test_a_mart_that_is_made_again_is_readable_at_once(
    asking: Connection, warehouse: Warehouse
) -> None:
    """What dbt drops and makes anew needs no other grant."""
    for number in (1, 2):
        warehouse.execute("drop table if exists marts.candles_9d")
        warehouse.execute("create table marts.candles_9d as select 1 as n")
        assert [(1,)] == asking.execute("select n from candles_9d").fetchall(), number


def test_granting_again_renews_and_keeps_the_password(reader: Reader, database: Database) -> None:
    """What was taken away by hand comes back; another password holds from then on."""
    with database.connect() as connection:
        connection.execute(
            sql.SQL("revoke all on market.ohlc from {}").format(sql.Identifier(reader.name))
        )
    reader.grant("30s", None)
    with closing(psycopg.connect(reader.address(PASSWORD))) as connection:
        assert [(1,)] == connection.execute("select count(*) from ohlc").fetchall()
    reader.grant("30s", "another")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(reader.address(PASSWORD))
    psycopg.connect(reader.address("another")).close()


def test_revoking_leaves_nothing(reader: Reader, asking: Connection) -> None:
    """The role is gone, and whoever is connected with it is cut off."""
    assert reader.revoke() is None

    assert not reader.exists()
    with pytest.raises(psycopg.OperationalError):
        asking.execute("select 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(reader.address(PASSWORD))
    with pytest.raises(UsageError, match="there is no reader"):
        reader.revoke()


def test_a_role_that_reads_elsewhere_too_stays_there(
    reader: Reader, empty_database: Database
) -> None:
    """A server has one role of a name: it goes when it reads none of its databases any more."""
    upgrade(empty_database)
    other = Reader(empty_database, reader.name)
    other.grant("30s", None)
    held_by = reader.revoke()

    assert held_by
    assert "objects in database" in held_by
    with closing(psycopg.connect(other.address(PASSWORD))) as connection:
        assert [(0,)] == connection.execute("select count(*) from ohlc").fetchall()
    assert other.revoke() is None


def test_roles_of_others_are_left_alone(database: Database) -> None:
    """A superuser, and a role that was not made here, are refused, and stay as they are."""
    name = f"theirs_{uuid.uuid4().hex[:12]}"
    with database.connect() as connection:
        owner = connection.info.user
        connection.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
        for role, why in ((name, "was not made by grant-reader"), (owner, "is a superuser")):
            with pytest.raises(UsageError, match=why):
                Reader(database, role).grant("30s", PASSWORD)
            with pytest.raises(UsageError, match=why):
                Reader(database, role).revoke()
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def test_a_user_who_may_not_make_roles_is_told(reader: Reader) -> None:
    """One sentence, and nothing is changed."""
    for options in ("", "?options=-cdefault_transaction_read_only%3Doff"):
        theirs = Reader(Database(reader.address(PASSWORD) + options), "another_reader")
        with pytest.raises(UsageError, match="connect as its owner, with CREATEROLE"):
            theirs.grant("30s", PASSWORD)
        assert not theirs.exists()


@pytest.mark.parametrize("name", ["", "pg_reader", "Reader", "a b", "1st", "r" * 64, 'x"; drop'])
def test_names_that_need_quoting_are_refused(name: str, database: Database) -> None:
    """They would have to be quoted by everybody who connects."""
    with pytest.raises(UsageError, match="cannot be the name of a reader"):
        Reader(database, name)


def test_timeouts_are_lengths_of_time() -> None:
    """With a unit, above nothing, up to a day."""
    assert [500, 30_000, 300_000, 3_600_000] == [
        milliseconds(text) for text in ("500ms", "30s", "5min", "1h")
    ]
    for text in ("", "30", "0s", "-1s", "2 days", "25h", "1e3s", "30s; select 1"):
        with pytest.raises(UsageError, match="--timeout is"):
            milliseconds(text)


def test_addresses_are_what_clients_take() -> None:
    """Whatever the password and the host are made of."""
    hosts = {
        "postgresql://o:p@[::1]:5433/w": "postgresql://r:a%2Fb@[::1]:5433/w",
        "postgresql://o:p@%2Frun%2Fpg/w": "postgresql://r:a%2Fb@%2Frun%2Fpg:5432/w",
    }

    assert [*hosts.values()] == [Reader(Database(url), "r").address("a/b") for url in hosts]
    assert "postgresql://r@localhost:5432/w" == Reader(
        Database("postgresql://o:p@localhost/w"), "r"
    ).address(None)


def test_a_query_of_a_reader_is_one_process(database: Database) -> None:
    """Only that one can be made to run behind the pipeline's own."""
    reader = Reader(database)
    reader.grant("30s", "read")
    with Database(reader.address("read")).connect() as connection:
        found = connection.execute("show max_parallel_workers_per_gather").fetchone()

    assert ("0",) == found
