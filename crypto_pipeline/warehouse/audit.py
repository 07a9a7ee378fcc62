"""The audit: whether the ledger says what the rows and the book of holes say, and how it is put right."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import cast

from psycopg.types.multirange import Multirange

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.dataset_statements import row_statements
from crypto_pipeline.warehouse.holes import settle
from crypto_pipeline.warehouse.spans import multirange, runs_of
from crypto_pipeline.warehouse.statements import statements

EVERYTHING = Window(midnight(date.min), midnight(date.max))


@dataclass(frozen=True, slots=True)
class Difference:
    """A day of a series whose ledger row is wrong, and in what.

    ``wrong`` names the columns that are; ``holes`` among them means that rows fill noted holes.
    """

    series: str
    day: date
    only_in_rows: Runs
    only_in_ledger: Runs
    slots_only_in_rows: int
    slots_only_in_ledger: int
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        """One line for a list."""
        return (
            f"{self.series} {self.day}: {self.slots_only_in_rows:,} slots unknown to the ledger, "
            f"{self.slots_only_in_ledger:,} without a row ({', '.join(self.wrong)} was wrong)"
        )


@dataclass(frozen=True, slots=True)
class Audit:
    """How many days of a series were looked at, and on which of them something was wrong."""

    days: int
    differences: list[Difference] = field(default_factory=list)


def audit(
    database: Database,
    dataset: Dataset,
    window: Window,
    *,
    repair: bool,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _planned: None,
) -> Audit:
    """Compare each day that the window touches, of every series, with its rows and holes.

    Runs beside writers. With ``repair`` the ledger follows the rows, and what was wrong is logged;
    days that have not begun count only when something is wrong with them.
    """
    now = now or datetime.now(UTC)
    done, looked_at, found = 0, 0, list[Difference]()
    with database.connect(read_only=not repair) as connection:
        chunks = list(_chunks(connection, dataset, window))
        planned = sum(chunk.days for chunk in chunks)
        for chunk in chunks:
            on_progress(done, planned)
            compared = chunk.compared(connection)
            wrong = [day for day in compared if day.difference.wrong]
            looked_at += sum(
                day.difference.day <= now.date() or bool(day.difference.wrong) for day in compared
            )
            if wrong and repair:
                wrong = _repaired(connection, chunk, now)
            found += [day.difference for day in wrong]
            done += chunk.days
        on_progress(done, planned)
    return Audit(looked_at, found)


@dataclass(frozen=True, slots=True)
class _Day:
    """A compared day; ``stored`` is what it should hold by its rows."""

    difference: Difference
    stored: Runs


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some days of a series, of one month at most: the rows of one partition."""

    dataset: Dataset
    series_id: int
    series: str
    step: timedelta
    first_day: date
    last_day: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.last_day - self.first_day).days + 1

    def compared(self, connection: Connection) -> list[_Day]:
        """The days of which anything is known, in one snapshot."""
        parameters = {
            "series_id": self.series_id,
            "step": self.step,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "start": midnight(self.first_day),
            "end": midnight(self.last_day) + DAY,
        }
        rows = connection.execute(row_statements(self.dataset)["compared"], parameters)
        return [self._day(*row) for row in rows]  # type: ignore[arg-type]

    def _day(
        self, day: date, wrong: list[str], stored: object, in_rows: object, in_ledger: object
    ) -> _Day:
        only_in_rows, only_in_ledger = runs_of(in_rows), _solid_runs(in_ledger)
        difference = Difference(
            self.series,
            day,
            only_in_rows,
            only_in_ledger,
            only_in_rows.slots(self.step),
            only_in_ledger.slots(self.step),
            tuple(wrong),
        )
        return _Day(difference, runs_of(stored))


def _chunks(connection: Connection, dataset: Dataset, window: Window) -> Iterator[_Chunk]:
    """What is known of each series, as far as the window touches it, by month."""
    rows = connection.execute(
        row_statements(dataset)["extents"], {"dataset": dataset.name}
    ).fetchall()
    last_touched = (window.end - timedelta(microseconds=1)).date()
    for series_id, name, step, first, last in cast(
        "list[tuple[int, str, timedelta, date, date]]", rows
    ):
        day, last_day = max(first, window.start.date()), min(last, last_touched)
        while day <= last_day:
            next_month = Window.of_month(day).end.date()
            yield _Chunk(dataset, series_id, name, step, day, min(last_day, next_month - DAY))
            day = next_month


def _repaired(connection: Connection, chunk: _Chunk, now: datetime) -> list[_Day]:
    """Have the ledger follow the rows where it still does not; nobody else writes meanwhile."""
    lock = {"series_ids": [chunk.series_id]}
    with connection.transaction():
        connection.execute(statements("series")["lock_series"], lock)
        wrong = [day for day in chunk.compared(connection) if day.difference.wrong]
        if wrong:
            _follow_rows(connection, chunk.series_id, wrong, now)
    return wrong


def _follow_rows(
    connection: Connection, series_id: int, wrong: Sequence[_Day], now: datetime
) -> None:
    days: list[object] = [one.difference.day for one in wrong]
    stored: dict[str, list[object]] = {
        "series_ids": [series_id] * len(wrong),
        "days": days,
        "slots": [multirange(one.stored) for one in wrong],
    }
    log = {
        "series_id": series_id,
        "now": now,
        "days": days,
        "only_in_rows": [multirange(one.difference.only_in_rows) for one in wrong],
        "only_in_ledger": [multirange(one.difference.only_in_ledger) for one in wrong],
    }
    connection.execute(statements("audit")["follow_rows"], stored)
    settle(connection, stored, now)
    connection.execute(statements("holes")["refresh_days"], {"series_id": series_id, "days": days})
    connection.execute(statements("audit")["log_repairs"], log)


def _solid_runs(found: object) -> Runs:
    """Runs of a ledger that may be written by hand, without the ones that last no time."""
    spans = cast("Multirange[datetime]", found)
    pairs = [(span.lower, span.upper) for span in spans]
    return Runs.of(Window(start, end) for start, end in pairs if start and end and start < end)
