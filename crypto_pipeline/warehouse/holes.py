"""The book of holes: what was asked for in vain, what explains it, and how that changes.

Every change holds the series' lock, and leaves the days' own account of their holes in step.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.types.json import Jsonb

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.holes import (
    Attempt,
    Hole,
    Vain,
    accounted,
    joined,
    runs_by_day,
    within,
    without,
)
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.spans import runs_of, window_of
from crypto_pipeline.warehouse.statements import statements

EXPLAINED, REPLACED, REOPENED = "explained", "replaced_by_data", "reopened"


def account(
    database: Database,
    dataset: Dataset,
    attempts: Mapping[str, Sequence[Attempt]],
    now: datetime,
) -> None:
    """Note by series name what came of asking; only slots that are still absent were in vain."""
    for name, tried in attempts.items():
        with database.connect() as connection, connection.transaction():
            _account_series(_Book.locked(connection, dataset, name, now), tried)


def explain(
    database: Database, dataset: Dataset, name: str, window: Window, told: Vain, now: datetime
) -> int:
    """Explain the absent slots that open in a window on somebody's word; the number of runs explained."""
    with database.connect() as connection, connection.transaction():
        book = _Book.locked(connection, dataset, name, now)
        slots = book.slots_within(window)
        return _account_series(book, [Attempt(slots, told, [(run, told) for run in slots])])


def reopen(
    database: Database, dataset: Dataset, name: str, window: Window, note: str, now: datetime
) -> int:
    """Withdraw explanations and forget vain attempts of the slots that open in a window; how many holes."""
    with database.connect() as connection, connection.transaction():
        book = _Book.locked(connection, dataset, name, now)
        concerned = 0
        for day, runs in runs_by_day(book.slots_within(window)):
            holes = book.holes([day])
            gone = within(holes, runs)
            if gone:
                book.keep(day, without(holes, runs))
                book.log(REOPENED, gone, note)
                concerned += len(gone)
        return concerned


def settle(connection: Connection, covered: Mapping[str, list[object]], now: datetime) -> None:
    """Close the holes that a batch's rows fill; to be called in the batch's transaction."""
    found = connection.execute(statements("holes")["covered"], covered).fetchall()
    for series_id, day, slots in found:
        book = _Book(connection, int(str(series_id)), now)
        rows = runs_of(slots)
        holes = book.holes([day])  # type: ignore[list-item]
        book.keep(day, without(holes, rows))  # type: ignore[arg-type]
        book.log(REPLACED, within(holes, rows))


def _account_series(book: "_Book", attempts: Sequence[Attempt]) -> int:
    """Bring the days that still lack something up to date; the number of runs newly explained."""
    explained = 0
    tried: dict[date, list[Attempt]] = {}
    for attempt in attempts:
        for day, _ in runs_by_day(attempt.asked):
            tried.setdefault(day, []).append(attempt)
    for day, absent in book.absent(list(tried)):
        before = book.holes([day])
        after = joined(accounted(before, absent, tried.get(day, ()), book.now))
        if after != before:
            book.keep(day, after)
        fresh = [
            part for hole in after if hole.reason for part in without([hole], _said(before, hole))
        ]
        book.log(EXPLAINED, fresh)
        explained += len(fresh)
    return explained


def _said(before: Sequence[Hole], hole: Hole) -> Runs:
    """Where the same was said already as of a hole."""
    return Runs.of(
        one.slots for one in before if (one.reason, one.note) == (hole.reason, hole.note)
    )


@dataclass(frozen=True, slots=True)
class _Book:
    """The holes of one series, in a transaction that holds its lock."""

    connection: Connection
    series_id: int
    now: datetime

    @classmethod
    def locked(cls, connection: Connection, dataset: Dataset, name: str, now: datetime) -> "_Book":
        """The book of a series by name; a UsageError when there is no such series."""
        parameters = {"dataset": dataset.name, "name": name}
        row = connection.execute(statements("holes")["lock_named_series"], parameters).fetchone()
        if row is None:
            msg = f"there is no series {name!r} in {dataset.name}: 'crypto-pipeline status' lists them"
            raise UsageError(msg)
        return cls(connection, int(str(row[0])), now)

    def slots_within(self, window: Window) -> Runs:
        """The slots that open in a window; half a slot is none."""
        row = self.connection.execute(
            statements("holes")["slots_within"],
            {"series_id": self.series_id, "start": window.start, "end": window.end},
        ).fetchone()
        assert row is not None
        start, end = row
        return Runs((Window(start, end),)) if start < end else Runs()  # type: ignore[arg-type,operator]

    def absent(self, days: Sequence[date]) -> list[tuple[date, Runs]]:
        """The due slots without a row, by day, where there are any."""
        if not days:
            return []
        found = self.connection.execute(
            statements("holes")["absent"],
            {
                "series_id": self.series_id,
                "first_day": min(days),
                "last_day": max(days),
                "now": self.now,
            },
        )
        return [(day, runs_of(slots)) for day, slots in found if slots]  # type: ignore[misc]

    def holes(self, days: Sequence[date]) -> list[Hole]:
        """What is noted of some days, oldest first."""
        rows = self.connection.execute(
            statements("holes")["of_days"], {"series_id": self.series_id, "days": list(days)}
        )
        found = [Hole(window_of(slots), *rest) for _, slots, *rest in rows]  # type: ignore[arg-type]
        return sorted(found, key=lambda hole: hole.slots)

    def keep(self, day: date, holes: Sequence[Hole]) -> None:
        """Have exactly these holes noted of a day, and its account in the ledger in step."""
        of_day = {"series_id": self.series_id, "days": [day]}
        self.connection.execute(statements("holes")["forget"], of_day)
        rows = [self._row(hole) | {"day": day} for hole in holes]
        if rows:
            self.connection.cursor().executemany(statements("holes")["note"], rows)
        self.connection.execute(statements("holes")["refresh_days"], of_day)

    def log(self, change: str, holes: Iterable[Hole], note: str | None = None) -> None:
        """Write down that explanations began or ended; holes without one have nothing to tell."""
        rows = [
            self._row(hole) | {"change": change, "now": self.now, "note": note or hole.note}
            for hole in holes
            if hole.reason
        ]
        if rows:
            self.connection.cursor().executemany(statements("holes")["log_change"], rows)

    def _row(self, hole: Hole) -> dict[str, object]:
        return {
            "series_id": self.series_id,
            "start": hole.slots.start,
            "end": hole.slots.end,
            "attempts": hole.attempts,
            "next_at": hole.next_at,
            "error_class": hole.error_class,
            "error": hole.error,
            "absences": hole.absences,
            "absent_since": hole.absent_since,
            "absent_at": hole.absent_at,
            "reason": hole.reason,
            "evidence": Jsonb(dict(hole.evidence)) if hole.evidence else None,
            "note": hole.note,
        }
