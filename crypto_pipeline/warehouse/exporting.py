"""What is exported: rows as CSV text in pieces, and what the ledger says of them, in one snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import IsolationLevel, sql

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.datasets import OHLC, Dataset
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.statements import statements

ROWS_AT_ONCE = 50_000
LONGEST_PIECE = 31 * DAY

_AS_TEXT: Mapping[str, LiteralString] = MappingProxyType(
    {
        "timestamptz": "replace(replace({}::text, ' ', 'T'), '+00', 'Z')",
        "bool": "{}::text",
        "text[]": "to_json({})",
    }
)
"""How a value of a type is written; others are written as Postgres does."""


class Column(NamedTuple):
    """A column of what is exported; the type is as Postgres calls it."""

    name: str
    type: str


class Completeness(NamedTuple):
    """The slots that were due and what became of them, and those that are expected no more."""

    expected: int
    present: int
    explained: int
    missing: int
    expired: int


class Piece(NamedTuple):
    """Rows as CSV text without a header."""

    rows: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Extract:
    """What is taken of one series, or of all news; ``statement`` is its heading in the SQL."""

    dataset: Dataset
    statement: str
    parameters: Mapping[str, object]
    series_ids: tuple[int, ...]
    """Whose slots it is made of."""
    step: timedelta
    """Of these slots."""

    @property
    def name(self) -> str:
        """The series; nothing of all news."""
        parts = (self.parameters.get(one) for one in ("venue", "instrument", "interval", "name"))
        return "/".join(str(one) for one in parts if one)

    def said(self, parameter: str) -> str:
        """One of its parameters, like ``interval``."""
        return str(self.parameters[parameter])

    def within(self, start: datetime, end: datetime) -> dict[str, object]:
        """The parameters of its statement for a part of time."""
        return {**self.parameters, "start": start, "end": end}

    def pieces(self, window: Window) -> list[Window]:
        """The window in parts that hold some ten thousand rows each."""
        days = max(ROWS_AT_ONCE * self.step // DAY, 1)
        span = min(days * DAY, LONGEST_PIECE)
        count = -(-window.span // span)
        cuts = [window.start + number * span for number in range(count)]
        return [Window(*ends) for ends in zip(cuts, [*cuts[1:], window.end], strict=True)]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The warehouse as it was at one instant."""

    connection: Connection

    def columns(self, extract: Extract, window: Window) -> list[Column]:
        """What its rows consist of; a UsageError where there can be no such rows."""
        nothing = extract.within(window.start, window.start)
        cursor = self.connection.execute(statements("exporting")[extract.statement], nothing)
        assert cursor.description is not None
        return [Column(one.name, _type(one.type_code)) for one in cursor.description]

    def scales(
        self, extracts: Sequence[Extract], columns: Sequence[Column], window: Window
    ) -> dict[str, int]:
        """For each column of decimals how many digits after the point are enough for all its values."""
        names = [one.name for one in columns if one.type == "numeric"]
        found = dict.fromkeys(names, 0)
        for extract in extracts:
            for name, scale in self._scales(extract, names, window).items():
                found[name] = max(found[name], scale or 0)
        return found

    def completeness(self, extracts: Sequence[Extract], window: Window) -> Completeness:
        """What the ledger says of the window."""
        ids = sorted({one for extract in extracts for one in extract.series_ids})
        parameters = {"series_ids": ids, "start": window.start, "end": window.end}
        row = self.connection.execute(
            statements("exporting")["completeness"], parameters
        ).fetchone()
        assert row is not None
        return Completeness(*row)  # type: ignore[arg-type]

    def piece(self, extract: Extract, columns: Sequence[Column], window: Window) -> Piece:
        """The rows of a part of the window, in the order of time."""
        written = [
            sql.SQL(_AS_TEXT.get(one.type, "{}")).format(sql.Identifier(one.name))
            for one in columns
        ]
        statement = sql.SQL("copy (select {} from ({}) as chosen) to stdout (format csv)").format(
            sql.SQL(", ").join(written), _inner(extract)
        )
        parameters = extract.within(window.start, window.end)
        with self.connection.cursor().copy(statement, parameters) as copied:
            lines = list(copied)
        return Piece(len(lines), b"".join(lines))

    def _scales(
        self, extract: Extract, names: Sequence[str], window: Window
    ) -> dict[str, int | None]:
        parameters = extract.within(window.start, window.end)
        statement: sql.Composable
        if extract.dataset == OHLC:
            statement = sql.SQL(statements("exporting")["candle_scales"])
            longest = extract.said("interval") if extract.statement == "candles" else None
            parameters |= {"series_ids": list(extract.series_ids), "longest": longest}
        else:
            most = [sql.SQL("max(scale({0})) as {0}").format(sql.Identifier(one)) for one in names]
            statement = sql.SQL("select {} from ({}) as chosen").format(
                sql.SQL(", ").join(most), _inner(extract)
            )
        cursor = self.connection.execute(statement, parameters)
        row = cursor.fetchone()
        assert row is not None
        assert cursor.description is not None
        return {one.name: value for one, value in zip(cursor.description, row, strict=True)}  # type: ignore[misc]


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """One read-only transaction; a UsageError says what the database has against what is asked of it."""
    with database.opened() as connection:
        connection.autocommit = False
        connection.read_only = True
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute(statements("exporting")["begin"])
        try:
            yield Snapshot(connection)
        except psycopg.errors.InvalidParameterValue as error:
            hint = error.diag.message_hint or ""
            msg = f"{error.diag.message_primary}: {hint[:1].lower()}{hint[1:]}"
            raise UsageError(msg) from None


def _inner(extract: Extract) -> sql.SQL:
    return sql.SQL(statements("exporting")[extract.statement].rstrip(";"))


def _type(oid: int) -> str:
    info = psycopg.adapters.types[oid]
    return f"{info.name}[]" if oid == info.array_oid else info.name
