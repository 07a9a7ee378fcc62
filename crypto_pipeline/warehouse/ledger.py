"""The coverage ledger: what each series and day should hold, holds, and lacks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.statements import statements

AHEAD = 31 * DAY
"""How far ahead days are made, so that a stopped pipeline still shows what it misses."""
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(days=1)


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
    """What a dataset lacks: days with a hole, slots, the slots that were asked for in vain, and why."""

    days: int
    slots: int
    slots_tried: int
    reason: str | None


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
    """Reads and keeps the ledger of one database."""

    database: Database

    def register(
        self, dataset: Dataset, series: Sequence[Series], since: datetime, now: datetime
    ) -> dict[str, int]:
        """Make exactly these series the dataset's expected ones; ids by name. Safe to repeat.

        It is called before every run and by every tick, so where nothing is new it only reads.
        """
        if ids := self._registered(dataset, series, since, now):
            return ids
        sql = statements("series")
        parameters = {"dataset": dataset.name, "until": (now + AHEAD).date()}
        with self.database.connect() as connection, connection.transaction():
            connection.execute(sql["lock_catalogue"], parameters)
            ids = {one.name: _register(connection, dataset, one, since) for one in series}
            kept = list(ids.values())
            connection.execute(sql["deactivate_others"], parameters | {"kept": kept})
            connection.execute(sql["lock_series"], {"series_ids": kept})
            connection.execute(sql["extend_calendar"], parameters)
            connection.execute(sql["retract_calendar"], parameters)
        return ids

    def _registered(
        self, dataset: Dataset, series: Sequence[Series], since: datetime, now: datetime
    ) -> dict[str, int] | None:
        """The ids by name when exactly these series are expected already, as far ahead as yesterday."""
        wanted = {(one.name, _first_slot(one, since), dataset.grace) for one in series}
        enough = (now + AHEAD - DAY).date()
        known: set[tuple[object, ...]] = set()
        ids: dict[str, int] = {}
        with self.database.connect() as connection:
            for series_id, name, starts_at, grace, last_day in connection.execute(
                statements("series")["active_series"], {"dataset": dataset.name}
            ):
                known.add((name, starts_at, grace if last_day and last_day >= enough else None))  # type: ignore[operator]
                ids[str(name)] = int(str(series_id))
        return ids if known == wanted else None

    def missing(
        self, dataset: Dataset, window: Window, now: datetime, *, refetch: bool = False
    ) -> Mapping[str, Runs]:
        """The runs of due slots of each series to be asked for: the missing, or all with ``refetch``."""
        runs: dict[str, list[Window]] = defaultdict(list)
        statement = statements("coverage")["expected" if refetch else "missing"]
        parameters = {
            "dataset": dataset.name,
            "start": window.start,
            "end": window.end,
            "now": now,
        } | _days(window)
        with self.database.connect() as connection:
            for name, start, end in connection.execute(statement, parameters):
                runs[str(name)].append(Window(start, end))  # type: ignore[arg-type]
        return {name: Runs.of(windows) for name, windows in runs.items()}

    def days_to_repair(
        self, dataset: Dataset, now: datetime, due_at: datetime, limit: int
    ) -> list[date]:
        """Days that miss a slot that was due at ``due_at`` and may be asked for now, newest first."""
        parameters = {"dataset": dataset.name, "now": now, "due_at": due_at, "limit": limit}
        with self.database.connect() as connection:
            rows = connection.execute(statements("coverage")["days_to_repair"], parameters)
            return [day for (day,) in rows]  # type: ignore[misc]

    def account(
        self, dataset: Dataset, outcomes: Iterable[tuple[str, str]], window: Window, now: datetime
    ) -> None:
        """Note for each (series, reason) that it was asked: what is still missing waits longer."""
        parameters = {
            "dataset": dataset.name,
            "now": now,
            "first_pause": FIRST_PAUSE,
            "longest_pause": LONGEST_PAUSE,
        } | _days(window)
        reasons = dict(outcomes)
        names = {"dataset": dataset.name, "names": list(reasons)}
        with self.database.connect() as connection, connection.transaction():
            connection.execute(statements("series")["lock_named_series"], names)
            for series, reason in reasons.items():
                connection.execute(
                    statements("coverage")["account"],
                    parameters | {"series": series, "reason": reason},
                )

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
        return Totals(*(row or (0, 0, 0, None)))  # type: ignore[arg-type]

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
            rows = connection.execute(statements("ohlc")["broken_promises"], parameters)
            return [(str(name), at, str(why)) for name, at, why in rows]  # type: ignore[misc]

    def sources(self, dataset: Dataset, window: Window) -> dict[date, dict[str, int]]:
        """How many rows of each day came from which provider."""
        found: dict[date, dict[str, int]] = defaultdict(dict)
        parameters = {"dataset": dataset.name, "start": window.start, "end": window.end}
        with self.database.connect() as connection:
            for day, source, count in connection.execute(statements("ohlc")["sources"], parameters):
                found[day][str(source)] = int(str(count))  # type: ignore[index]
        return found

    def newest(self, dataset: Dataset, now: datetime) -> list[Newest]:
        """The newest row of each active series beside the newest due."""
        with self.database.connect() as connection:
            rows = connection.execute(
                statements("ohlc")["newest"], {"dataset": dataset.name, "now": now}
            )
            return [Newest(*row) for row in rows]  # type: ignore[arg-type]


def by_day(rows: Iterable[DayCoverage]) -> dict[date, list[DayCoverage]]:
    """The rows of each day."""
    found: dict[date, list[DayCoverage]] = defaultdict(list)
    for row in rows:
        found[row.day].append(row)
    return found


def _register(connection: Connection, dataset: Dataset, series: Series, since: datetime) -> int:
    interval = series.interval
    row = connection.execute(
        statements("series")["register_series"],
        {
            "dataset": dataset.name,
            "name": series.name,
            "venue": series.venue,
            "instrument": str(series.instrument),
            "interval": interval.name,
            "step": interval.step,
            "anchor": interval.anchor,
            "grace": dataset.grace,
            "starts_at": _first_slot(series, since),
        },
    ).fetchone()
    assert row is not None
    return int(str(row[0]))


def _first_slot(series: Series, since: datetime) -> datetime:
    return series.interval.ceil(since.astimezone(UTC))


def _days(window: Window) -> dict[str, date]:
    """The first and last UTC day that a window touches."""
    last = window.end - timedelta(microseconds=1)
    return {"first_day": window.start.date(), "last_day": last.date()}
