"""A person's own SQL: one statement in a read-only transaction, its rows streamed, its values exact."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from crypto_pipeline.errors import UsageError
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.statements import statements

BATCH_ROWS = 2_000
# EXPLAIN, SHOW and all that writes: asked again without a cursor, their error is the true one.
_NO_CURSOR = (psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported)

Row: TypeAlias = tuple[object, ...]
Cursor: TypeAlias = psycopg.ServerCursor[Row] | psycopg.Cursor[Row]
_NUMBERS = ("int2", "int4", "int8", "float4", "float8", "numeric", "oid")
_AS_POSTGRES_PRINTS = (
    *("numeric", "date", "time", "timetz", "interval", "bytea", "uuid", "inet", "cidr"),
    *("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"),
    *("int4multirange", "int8multirange", "nummultirange", "datemultirange"),
    *("tsmultirange", "tstzmultirange"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a statement, to be read while it is open; ``numbers`` names the columns of numbers."""

    columns: Sequence[str]
    numbers: frozenset[str]
    rows: Iterator[Sequence[object]]


@contextmanager
def answered(database: Database, statement: str, timeout_seconds: int) -> Iterator[Answer]:
    """The answer to one SQL statement; a UsageError says what the database has against it."""
    with database.opened() as connection:
        _register_loaders(connection)
        connection.autocommit = False
        connection.read_only = True
        settings = {"timeout_ms": str(timeout_seconds * 1000)}
        connection.execute(statements("query")["prepare_session"], settings)
        try:
            with _asked(connection, statement) as cursor:
                yield _answer(cursor)
        except psycopg.Error as error:
            if connection.broken:
                raise
            connection.close()
            raise _refusal(error, timeout_seconds) from error


def _asked(connection: Connection, statement: str) -> Cursor:
    """Run it; both ways take a single statement, so that none can end our transaction first."""
    streamed = connection.cursor("query")
    streamed.itersize = BATCH_ROWS
    try:
        with connection.transaction():
            return streamed.execute(statement)
    except psycopg.Error as error:
        streamed.close()
        if not isinstance(error, _NO_CURSOR):
            raise
    return connection.execute(statement, prepare=True)


def _answer(cursor: Cursor) -> Answer:
    if cursor.description is None:
        msg = "this statement answers no rows: query takes SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN"
        raise UsageError(msg)
    columns = [column.name for column in cursor.description]
    types = {psycopg.adapters.types[name].oid for name in _NUMBERS}
    numbers = {column.name for column in cursor.description if column.type_code in types}
    return Answer(columns, frozenset(numbers), iter(cursor))


def _refusal(error: psycopg.Error, timeout_seconds: int) -> UsageError:
    """The database's sentence, as ours."""
    said = error.diag.message_primary or str(error).strip().partition("\n")[0]
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    if isinstance(error, psycopg.errors.QueryCanceled):
        msg = f"the query took longer than {timeout_seconds} seconds: ask for less, or raise --timeout"
        return UsageError(msg)
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return UsageError(f"query only reads, and changes nothing: {said}")
    if "multiple commands" in said:
        return UsageError("query takes one statement at a time")
    return UsageError(f"the database refuses this SQL: {said}{hint}")


def _register_loaders(connection: Connection) -> None:
    """Numbers and times as Postgres prints them: exact, and none too large for Python."""
    adapters = connection.adapters
    for name in _AS_POSTGRES_PRINTS:
        adapters.register_loader(name, _Printed)
    for name in ("timestamptz", "timestamp"):
        adapters.register_loader(name, _Instant)
    for name in ("float4", "float8"):
        adapters.register_loader(name, _Float)


class _Printed(Loader):
    """The text that Postgres prints."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class _Instant(_Printed):
    """``2026-01-31T12:00:00Z``; the session is in UTC."""

    def load(self, data: Buffer) -> str:
        text = super().load(data).replace(" ", "T", 1)
        return f"{text.removesuffix('+00')}Z" if text.endswith("+00") else text


class _Float(_Printed):
    """A number, or the text of one that JSON does not have."""

    def load(self, data: Buffer) -> float | str:  # type: ignore[override]
        number = float(bytes(data))
        return number if math.isfinite(number) else super().load(data)
