"""Retention: months that ended before a dataset's edge are dropped, and the ledger says so.

What is expected begins at the edge, which is the calendar's business. Here the rows before it go, with
all that was noted of their days, in one transaction a month: the ledger always says what there is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

from psycopg import sql
from psycopg.errors import LockNotAvailable

from crypto_pipeline.market.datasets import NEWS, OHLC, Dataset
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.statements import statements

_NOTES = ("expire_days", "forget_holes", "forget_changes", "forget_rejected")


@dataclass(frozen=True, slots=True)
class Keeping:
    """A dataset that is kept for some days; rows of series with slots longer than ``longest`` stay.

    Rows before ``edge`` go, as far as they are older than the newest row by those days as well: a clock
    that runs ahead drops nothing.
    """

    dataset: Dataset
    edge: datetime
    days: int
    longest: timedelta | None = None


@dataclass(frozen=True, slots=True)
class OldMonth:
    """A month before the edge of which something is left: the rows that go, and about what they take."""

    month: date
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Expired:
    """The months that were dropped, and those that somebody was reading, which stay until next time."""

    dropped: list[OldMonth]
    in_use: list[OldMonth]


def kept_from(now: datetime, days: int) -> datetime:
    """The first instant that is kept: whole months go, so it is the first of the month so many days ago."""
    return midnight((now.astimezone(UTC) - timedelta(days=days)).date().replace(day=1))


def expiring(database: Database, keeping: Keeping) -> list[OldMonth]:
    """What ``expire`` would drop now, oldest first; changes nothing."""
    with database.connect(read_only=True) as connection:
        row = connection.execute(_worded("newest_day", keeping.dataset), _named(keeping)).fetchone()
        if row is None or row[0] is None:
            return []
        newest = midnight(cast("date", row[0]))
        edge = min(keeping.edge, kept_from(newest, keeping.days))
        return list(_old_months(connection, replace(keeping, edge=edge)))


def expire(
    database: Database,
    keeping: Keeping,
    on_progress: Callable[[date, int, int], None] = lambda _month, _done, _planned: None,
) -> Expired:
    """Drop the months before the edge. Safe to end at any point, to repeat, and to run beside writers.

    A month that a long query reads is left for the next time, and so are those after it: nobody is
    made to wait for longer than a few seconds.
    """
    months = expiring(database, keeping)
    with database.connect() as connection:
        for number, one in enumerate(months):
            on_progress(one.month, number, len(months))
            try:
                _drop(connection, keeping, one.month)
            except LockNotAvailable:
                return Expired(months[:number], months[number:])
    return Expired(months, [])


def _old_months(connection: Connection, keeping: Keeping) -> Iterator[OldMonth]:
    is_news = keeping.dataset == NEWS
    going, staying = _series(connection, keeping)
    before = {
        "going": going,
        "first_kept": keeping.edge.date(),
        "table": f"warehouse.{keeping.dataset.name}",
    }
    statement = _worded("news_months" if is_news else "months", keeping.dataset)
    for month, is_noted in connection.execute(statement, before).fetchall():
        one = _Month(keeping.dataset, month, going, staying)  # type: ignore[arg-type]
        rows, size = one.size(connection)
        # What holds rows of the series that stay alone is no business of ours.
        if rows or is_noted or not one.has_staying(connection):
            yield OldMonth(one.month, rows, size)


def _series(connection: Connection, keeping: Keeping) -> tuple[list[int], list[int]]:
    """The ids of the series whose rows go, and of those whose rows stay."""
    found = connection.execute(statements("retention")["series_of"], _named(keeping)).fetchall()
    ids = cast("list[tuple[int, bool]]", found)
    return [one for one, goes in ids if goes], [one for one, goes in ids if not goes]


def _drop(connection: Connection, keeping: Keeping, month: date) -> None:
    """Drop a month, with what was noted of its days, or change nothing."""
    lock, dataset = statements("series"), keeping.dataset
    with connection.transaction():
        connection.execute(lock["lock_catalogue"], {"dataset": dataset.name})
        going, staying = _series(connection, keeping)
        connection.execute(lock["lock_series"], {"series_ids": going + staying})
        one = _Month(dataset, month, going, staying)
        one.execute(connection, *_NOTES)
        if dataset == NEWS:
            one.execute(connection, "forget_articles", "drop_articles")
            return
        if dataset == OHLC:
            one.execute(connection, "forget_packed")
        one.execute(connection, "forget_revisions", "forget_straddling")
        if one.has_staying(connection):
            one.execute(connection, "delete_rows")
        else:
            connection.execute(statements("packing")["impatient"])
            connection.execute(_worded("drop_partition", dataset, one.partition))


@dataclass(frozen=True, slots=True)
class _Month:
    """One month of a dataset: the series whose rows go, and those whose rows stay."""

    dataset: Dataset
    month: date
    going: list[int]
    staying: list[int]

    @property
    def partition(self) -> str:
        return f"{self.dataset.name}_{self.month:%Y_%m}"

    @property
    def parameters(self) -> dict[str, object]:
        window = Window.of_month(self.month)
        return {
            "going": self.going,
            "staying": self.staying,
            "start": window.start,
            "end": window.end,
            "first_day": self.month,
            "last_day": (window.end - DAY).date(),
            "partition": f"warehouse.{self.partition}",
        }

    def execute(self, connection: Connection, *names: str) -> None:
        for name in names:
            connection.execute(_worded(name, self.dataset), self.parameters)

    def has_staying(self, connection: Connection) -> bool:
        if not self.staying:
            return False
        row = connection.execute(_worded("has_staying", self.dataset), self.parameters).fetchone()
        return row == (True,)

    def size(self, connection: Connection) -> tuple[int, int]:
        """The rows that go, and their share of the room that all of them take."""
        names = ["news_size" if self.dataset == NEWS else "size"]
        names += ["packed_size"] if self.dataset == OHLC else []
        rows = size = 0
        for name in names:
            found = connection.execute(_worded(name, self.dataset), self.parameters).fetchone()
            going, held, takes = cast("tuple[int, int, int]", found)
            rows, size = rows + going, size + takes * going // max(held, 1)
        return rows, size


def _named(keeping: Keeping) -> dict[str, object]:
    return {"dataset": keeping.dataset.name, "longest": keeping.longest}


def _worded(name: str, dataset: Dataset, partition: str = "") -> sql.Composed:
    """A statement for one dataset; names come from the declaration, never from outside."""
    return sql.SQL(statements("retention")[name]).format(
        table=sql.Identifier("warehouse", dataset.name),
        revisions=sql.Identifier("warehouse", f"{dataset.name}_revisions"),
        time=sql.Identifier(dataset.time),
        partition=sql.Identifier("warehouse", partition),
    )
