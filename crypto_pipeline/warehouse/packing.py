"""Old months of candles: packed into a row by series and day, and unpacked again to be written to.

Who reads finds both in ``warehouse.ohlc_stored``; how a day is packed is in ``sql/packing.sql``.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import psycopg
from psycopg import sql

from crypto_pipeline.errors import PipelineError
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.statements import statements


@dataclass(frozen=True, slots=True)
class Packed:
    """What packing did; the bytes are those of all candles, with their keys, before and after."""

    candles: int
    days: int
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True, slots=True)
class _Part:
    """The candles of one series in one month."""

    series_id: int
    series: str
    step_ms: int
    start: datetime
    end: datetime

    @property
    def parameters(self) -> dict[str, object]:
        return {
            "series_id": self.series_id,
            "step_ms": self.step_ms,
            "start": self.start,
            "end": self.end,
        }


def unpack(connection: Connection, covered: Mapping[str, Sequence[object]]) -> int:
    """Have the candles of packed days be rows again, so that they can be written to; how many days.

    To be called in the writer's transaction, with the series locked and their months made;
    ``covered`` has ``series_ids`` and ``days`` side by side, and may have more.
    """
    touched = {"series_ids": covered["series_ids"], "days": covered["days"]}
    found = connection.execute(statements("packing")["is_packed"], touched).fetchall()
    days: defaultdict[object, list[object]] = defaultdict(list)
    for series_id, day in found:
        days[series_id].append(day)
    for series_id, packed in days.items():
        parameters = {"series_id": series_id, "days": packed}
        connection.execute(statements("packing")["unpack"], parameters)
        connection.execute(statements("packing")["forget_packed"], parameters)
    return len(found)


def pack(
    database: Database,
    before: date,
    on_progress: Callable[[str, int, int], None] = lambda _told, _done, _planned: None,
) -> Packed:
    """Pack whole months that ended before a day, a series and month in each transaction.

    Safe to end at any point and to repeat: a day is packed once it reads the same, digit for digit.
    """
    candles, days = 0, 0
    with database.connect() as connection:
        bytes_before = _bytes(connection)
        months = [month for (month,) in _rows(connection, "months", before=before)]
        for number, month in enumerate(months):
            for part in _parts(connection, month):
                on_progress(f"{part.series} {month:%Y-%m}", number, len(months))
                found = _pack(connection, part)
                candles, days = candles + sum(found.values()), days + len(found)
            _give_back(connection, month)
        if days:
            connection.execute(statements("packing")["analyze_packed"])
        return Packed(candles, days, bytes_before, _bytes(connection))


def months_before(today: date, months: int) -> date:
    """The first day of the month so many before today's: what ended before it is old."""
    number = today.year * 12 + today.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _parts(connection: Connection, month: date) -> Iterator[_Part]:
    window = Window.of_month(month)
    span = {"start": window.start, "end": window.end}
    for series_id, name, step_ms in _rows(connection, "series_within", **span):
        yield _Part(series_id, name, step_ms, **span)


def _pack(connection: Connection, part: _Part) -> dict[date, int]:
    """Pack the days of a part that can be; how many candles each of them has."""
    named, parameters = statements("packing"), part.parameters
    with connection.transaction():
        lock = {"series_ids": [part.series_id]}
        connection.execute(statements("series")["lock_series"], lock)
        rows = connection.execute(named["pack"], parameters).fetchall()
        packed = cast("dict[date, int]", dict(rows))  # type: ignore[arg-type]
        parameters["days"] = list(packed)
        row = connection.execute(named["differing"], parameters).fetchone()
        if row != (0,):
            msg = f"{part.series} {part.start:%Y-%m} reads differently packed, and stays as it is"
            raise PipelineError(msg)
        connection.execute(named["delete_hot"], parameters)
    return packed


def _give_back(connection: Connection, month: date) -> None:
    """Return the room of what was packed; a month that is in use is left for the next time."""
    with suppress(psycopg.errors.LockNotAvailable), connection.transaction():
        connection.execute(statements("packing")["impatient"])
        connection.execute(_of_month("lock_month", month))
        if connection.execute(_of_month("is_empty", month)).fetchone() == (True,):
            connection.execute(_of_month("truncate_month", month))
            return
    connection.execute(_of_month("vacuum_month", month))


def _of_month(name: str, month: date) -> sql.Composed:
    table = sql.Identifier("warehouse", f"ohlc_{month:%Y_%m}")
    return sql.SQL(statements("packing")[name]).format(month=table)


def _rows(connection: Connection, name: str, **parameters: object) -> list[Any]:
    return connection.execute(statements("packing")[name], parameters).fetchall()


def _bytes(connection: Connection) -> int:
    ((size,),) = _rows(connection, "bytes")
    return int(size)
