"""People's own SQL: one statement, read-only whatever it tries, its values as Postgres prints them."""

import psycopg
import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.query import BATCH_ROWS, answered

TIMEOUT = 60


def rows(database: Database, statement: str) -> list[tuple[object, ...]]:
    """Everything that a statement answers."""
    with answered(database, statement, TIMEOUT) as answer:
        return [tuple(row) for row in answer.rows]


@pytest.mark.parametrize(
    "statement",
    [
        "commit; delete from warehouse.series",
        "rollback; insert into warehouse.loads (source) values ('x')",
        "select 1; set default_transaction_read_only = off",
        "set transaction read write",
        "set session characteristics as transaction read write",
        "select set_config('transaction_read_only', 'off', true)",
        "do $$ begin set transaction read write; insert into warehouse.loads (source) values ('x'); end $$",
        "do $$ begin commit; insert into warehouse.loads (source) values ('x'); end $$",
        "insert into warehouse.loads (source) values ('x')",
        "with new as (insert into warehouse.loads (source) values ('x') returning 1) select * from new",
        "explain analyze insert into warehouse.loads (source) values ('x')",
        "create table market.mine as select 1",
        "select 1 into market.mine",
        "copy warehouse.loads (source) from program 'echo x'",
        "lock table warehouse.ohlc",
        "truncate warehouse.ohlc",
    ],
)
def test_no_statement_can_write(statement: str, database: Database) -> None:
    """Neither at once, nor by ending our transaction first, nor by making it writable."""
    with pytest.raises(UsageError):
        rows(database, statement)

    with database.connect() as connection:
        assert connection.execute("select count(*) from warehouse.loads").fetchone() == (0,)
        assert connection.execute("select to_regclass('market.mine')").fetchone() == (None,)


@pytest.mark.parametrize("statement", ["show timezone", "explain select 1", "table series limit 0"])
def test_everything_that_reads_is_answered(statement: str, database: Database) -> None:
    """Also what cannot be a cursor; ``warehouse`` needs its name said."""
    rows(database, statement.replace("series", "warehouse.series"))


def test_long_answers_are_streamed(database: Database) -> None:
    """The first rows are there before the last are made; the rest is never asked for."""
    # The row after the second batch would take a minute.
    slow_end = f"""
    select n, case when n > {2 * BATCH_ROWS} then pg_sleep(60) end
    from generate_series(1, 1000000) as n
    """  # noqa: S608
    with answered(database, slow_end, TIMEOUT) as answer:
        first = [next(answer.rows)[0] for _ in range(3)]

    assert [1, 2, 3] == first


def test_error_in_the_middle_is_told(database: Database) -> None:
    """A statement that fails after thousands of rows does not end as if it were whole."""
    failing = "select 1 / (n - 5000) from generate_series(1, 1000000) as n"

    with pytest.raises(UsageError, match="division by zero"):
        rows(database, failing)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.10::numeric", "0.10"),
        ("'2026-01-31 12:00:00.123456+00'::timestamptz", "2026-01-31T12:00:00.123456Z"),
        ("'2026-01-31 12:00:00'::timestamp", "2026-01-31T12:00:00"),
        ("'2026-01-31'::date", "2026-01-31"),
        ("'294276-01-01 00:00:00+00'::timestamptz", "294276-01-01T00:00:00Z"),
        ("'-infinity'::timestamptz", "-infinity"),
        ("9007199254740993::bigint", 9007199254740993),
        ("0.1::float8", 0.1),
        ("'Infinity'::float8", "Infinity"),
        ("array['2026-01-31 12:00+00'::timestamptz]", ["2026-01-31T12:00:00Z"]),
        ("interval '1 month 2 days'", "1 mon 2 days"),
        ("null", None),
        ("'{\"a\": 1}'::jsonb", {"a": 1}),
    ],
)
def test_values_are_exact(expression: str, value: object, database: Database) -> None:
    """Numbers and times as Postgres prints them, however large; times in UTC."""
    assert [(value,)] == rows(database, f"select {expression}")


def test_columns_of_numbers_are_known(database: Database) -> None:
    """A table aligns them to the right."""
    statement = "select 1 as a, 1.5::numeric as b, 'x' as c, now() as d, 1.5::float8 as e"
    with answered(database, statement, TIMEOUT) as answer:
        assert ["a", "b", "c", "d", "e"] == list(answer.columns)
        assert {"a", "b", "e"} == set(answer.numbers)


def test_lost_connection_is_not_the_statements_fault(database: Database) -> None:
    """A server that goes away is told as such: the caller's exit code is another."""
    suicide = "select pg_terminate_backend(pg_backend_pid())"

    with pytest.raises(psycopg.OperationalError):
        rows(database, suicide)
