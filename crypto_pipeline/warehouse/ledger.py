"""The coverage ledger: what each series and day should hold, holds, and lacks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.holes import LONGEST_PAUSE, LONGEST_RECHECK
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.dataset_statements import row_statements
from crypto_pipeline.warehouse.spans import runs_of, window_of
from crypto_pipeline.warehouse.statements import statements

Asking = Literal["missing", "patiently", "everything"]
"""All that is missing; patiently, without the holes that wait and with explanations that are due to
be put to the test; or everything that is expected, whether it is there or not."""


@dataclass(frozen=True, slots=True)
class DayCoverage:
    """The slots of one series and day, as far as they are due."""

    series: str
    day: date
    expected: int
    present: int
    explained: int
    missing: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What a dataset lacks: days with a hole, slots, and those of them that were asked for in vain."""

    days: int
    slots: int
    slots_tried: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """Slots of a series that no provider can fill, and why."""

    series: str
    reason: str
    slots: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Days whose holes all wait, and when the first of them may be asked for again."""

    days: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of one series is to be asked for.

    ``absent`` are the slots in and around it without a row, ``hollow`` those answered without.
    ``older`` is what the venue has and nobody wants: from its first candle to our first slot.
    """

    slots: Runs
    absent: Runs
    hollow: Runs = field(default_factory=Runs)
    older: Window | None = None


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest row of a series beside the newest that is due."""

    series: str
    newest: datetime | None
    newest_due: datetime
    step: timedelta

    @property
    def slots_behind(self) -> int | None:
        """How many due slots lie after the newest row; None when there is no row."""
        if self.newest is None:
            return None
        return max(0, -((self.newest - self.newest_due) // self.step))


@dataclass(frozen=True, slots=True)
class Ledger:
    """Reads the ledger of one database; the calendar, the writer and the book of holes keep it."""

    database: Database

    def missing(self, dataset: Dataset, window: Window, now: datetime) -> Mapping[str, Runs]:
        """The due slots of each series that are neither there nor explained."""
        return {name: wanted.slots for name, wanted in self.wanted(dataset, window, now).items()}

    def wanted(
        self,
        dataset: Dataset,
        window: Window,
        now: datetime,
        asking: Asking = "missing",
    ) -> Mapping[str, Wanted]:
        """What is to be asked for, by series."""
        statement = statements("coverage")["expected" if asking == "everything" else "wanted"]
        parameters = {
            "dataset": dataset.name,
            "start": window.start,
            "end": window.end,
            "now": now,
            "patient": asking == "patiently",
            "longest_pause": LONGEST_PAUSE,
            "longest_recheck": LONGEST_RECHECK,
        } | _days(window)
        with self.database.connect() as connection:
            rows = connection.execute(statement, parameters)
            found = {
                str(name): Wanted(
                    runs_of(slots),
                    runs_of(absent),
                    runs_of(hollow),
                    window_of(older) if older else None,
                )
                for name, slots, absent, hollow, older in rows
            }
        return {name: wanted for name, wanted in found.items() if wanted.slots}

    def days_to_repair(
        self, dataset: Dataset, now: datetime, due_at: datetime, limit: int
    ) -> list[date]:
        """Days with something to ask for now of what was due at ``due_at``, newest first."""
        parameters = {
            "dataset": dataset.name,
            "now": now,
            "due_at": due_at,
            "limit": limit,
            "longest_pause": LONGEST_PAUSE,
            "longest_recheck": LONGEST_RECHECK,
        }
        with self.database.connect() as connection:
            rows = connection.execute(statements("coverage")["days_to_repair"], parameters)
            return [day for (day,) in rows]  # type: ignore[misc]

    def waiting(self, dataset: Dataset, now: datetime) -> Waiting:
        """What waits for its next attempt."""
        parameters = {"dataset": dataset.name, "now": now}
        with self.database.connect() as connection:
            row = connection.execute(statements("coverage")["waiting"], parameters).fetchone()
        return Waiting(*(row or (0, None)))  # type: ignore[arg-type]

    def attempts(self, dataset: Dataset, first: date, last: date) -> int:
        """How often the days' most asked-for hole was asked for in vain; 0 when none was."""
        parameters = {"dataset": dataset.name, "first_day": first, "last_day": last}
        with self.database.connect() as connection:
            row = connection.execute(statements("coverage")["attempts"], parameters).fetchone()
        return int(str(row[0])) if row else 0

    def stuck(self, dataset: Dataset) -> list[Stuck]:
        """What no provider can fill, most slots first."""
        with self.database.connect() as connection:
            rows = connection.execute(statements("coverage")["stuck"], {"dataset": dataset.name})
            return [Stuck(*row) for row in rows]  # type: ignore[arg-type]

    def summary(self, dataset: Dataset, window: Window, due_at: datetime) -> list[DayCoverage]:
        """One row per active series and day of the window, newest day first, as due at an instant."""
        parameters = {"dataset": dataset.name, "due_at": due_at} | _days(window)
        with self.database.connect() as connection:
            rows = connection.execute(statements("coverage")["summary"], parameters)
            return [DayCoverage(*row) for row in rows]  # type: ignore[arg-type]

    def totals(self, dataset: Dataset, due_at: datetime) -> Totals:
        """What the whole dataset lacks of what was due at an instant."""
        parameters = {"dataset": dataset.name, "due_at": due_at}
        with self.database.connect() as connection:
            row = connection.execute(statements("coverage")["totals"], parameters).fetchone()
        return Totals(*(row or (0, 0, 0)))  # type: ignore[arg-type]

    def broken_promises(
        self, dataset: Dataset, window: Window, limit: int
    ) -> list[tuple[str, datetime, str]]:
        """Series, time and reason of rows in the window that may not be trusted, newest first."""
        parameters = {
            "dataset": dataset.name,
            "start": window.start,
            "end": window.end,
            "limit": limit,
        }
        with self.database.connect() as connection:
            connection.execute(statements("query")["side_by_side"])
            rows = connection.execute(row_statements(dataset)["broken_promises"], parameters)
            return [(str(name), at, str(why)) for name, at, why in rows]  # type: ignore[misc]

    def sources(self, dataset: Dataset, window: Window) -> dict[date, dict[str, int]]:
        """How many rows of each day came from which provider."""
        found: dict[date, dict[str, int]] = defaultdict(dict)
        parameters = {"dataset": dataset.name, "start": window.start, "end": window.end}
        with self.database.connect() as connection:
            for day, source, count in connection.execute(
                row_statements(dataset)["sources"], parameters
            ):
                found[day][str(source)] = int(str(count))  # type: ignore[index]
        return found

    def newest(self, dataset: Dataset, now: datetime) -> list[Newest]:
        """The newest row of each active series beside the newest due."""
        with self.database.connect() as connection:
            rows = connection.execute(
                row_statements(dataset)["newest"], {"dataset": dataset.name, "now": now}
            )
            return [Newest(*row) for row in rows]  # type: ignore[arg-type]


def by_day(rows: Iterable[DayCoverage]) -> dict[date, list[DayCoverage]]:
    """The rows of each day."""
    found: dict[date, list[DayCoverage]] = defaultdict(list)
    for row in rows:
        found[row.day].append(row)
    return found


def _days(window: Window) -> dict[str, date]:
    """The first and last UTC day that a window touches."""
    last = window.end - timedelta(microseconds=1)
    return {"first_day": window.start.date(), "last_day": last.date()}
