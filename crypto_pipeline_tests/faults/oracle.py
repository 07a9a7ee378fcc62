"""What must be true of a world: its tables held against the venue's truth and against each other.

Nothing here asks the pipeline's own code, neither for what is missing nor for what a slot is.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import psycopg

from crypto_pipeline.sandbox.grids import DAY
from crypto_pipeline_tests.faults.schedule import Schedule
from crypto_pipeline_tests.faults.truth import Slots, Truth, ms

ROWS = """
select
    name,
    array_agg((extract(epoch from open_time) * 1000)::bigint order by open_time),
    string_agg(
        concat_ws(
            ' ', name, (extract(epoch from open_time) * 1000)::bigint,
            open, high, low, close, volume, quote_volume, trade_count
        ),
        E'\\n' order by open_time
    )
from warehouse.ohlc join warehouse.series using (series_id)
group by name
"""
DAYS = """
select name, day, expected, present, explained, tried, retry_at, recheck_at, listed_at, delisted_at
from warehouse.coverage join warehouse.series using (series_id)
order by name, day
"""
HOLES = """
select name, day, slots, reason, next_at, evidence
from warehouse.holes join warehouse.series using (series_id)
order by name, day, slots
"""
CHANGES = """
select name, slots, change
from warehouse.explanation_changes join warehouse.series using (series_id)
order by change_id
"""
COUNTS = """
select
    (select count(*) from warehouse.ohlc_revisions), (select count(*) from warehouse.rejected_rows)
"""


class Day(NamedTuple):
    """A row of the ledger; the first five are multiranges."""

    name: str
    day: date
    expected: Any
    present: Any
    explained: Any
    tried: Any
    retry_at: datetime | None
    recheck_at: datetime | None
    listed_at: datetime | None
    delisted_at: datetime | None


class Noted(NamedTuple):
    """A hole as it is noted."""

    name: str
    day: date
    slots: Any
    reason: str | None
    next_at: datetime
    evidence: Any


@dataclass(frozen=True)
class Held:
    """All that the warehouse holds at an instant."""

    opened: dict[str, list[int]]
    lines: dict[str, list[str]]
    days: list[Day]
    holes: list[Noted]
    changes: list[tuple[str, Any, str]]
    counts: tuple[int, int]

    @classmethod
    def of(cls, connection: psycopg.Connection[Any]) -> "Held":
        """Read it."""
        rows = connection.execute(ROWS).fetchall()
        return cls(
            {name: opened for name, opened, _ in rows},
            {name: lines.split("\n") for name, _, lines in rows},
            [Day(*row) for row in connection.execute(DAYS)],
            [Noted(*row) for row in connection.execute(HOLES)],
            connection.execute(CHANGES).fetchall(),
            connection.execute(COUNTS).fetchall()[0],
        )


class Oracle:
    """Judges what one schedule's warehouse holds."""

    def __init__(self, schedule: Schedule) -> None:
        self._truths = {
            one.name: Truth(one, schedule.since, schedule.market) for one in schedule.series
        }

    def wrong(self, held: Held, now: datetime) -> list[str]:
        """What may never be, not even while faults last, each in a sentence; ``now`` is the true time."""
        for truth in self._truths.values():
            truth.look(ms(now))
        told = [
            *self._wrong_rows(held, ms(now)),
            *self._wrong_days(held),
            *self._wrong_history(held),
        ]
        if held.counts != (0, 0):
            told.append(
                f"revisions and rejected rows of a market that never changed: {held.counts}"
            )
        return told

    def open(self, held: Held, now: datetime) -> dict[str, Slots]:
        """The due slots of each series that are neither filled nor, where no row exists, explained."""
        found = {name: self._open(held, truth, ms(now)) for name, truth in self._truths.items()}
        return {name: slots for name, slots in found.items() if slots}

    def _open(self, held: Held, truth: Truth, now: int) -> Slots:
        name = truth.series.name
        filled, due = truth.filled(now), set(truth.due(now))
        stored = {truth.slot(opened) for opened in held.opened.get(name, [])}
        days = [day for day in held.days if day.name == name]
        told = self._slots(name, [run for day in days for run in day.explained])
        expected = self._slots(name, [run for day in days for run in day.expected])
        outside = {one for one in due - expected if _is_outside(one, days[0])} if days else set()
        return (due & filled) - stored | (due - filled - told - outside)

    def _wrong_rows(self, held: Held, now: int) -> Iterator[str]:
        """Rows that the venue has not, has otherwise, or had not closed; and any row twice."""
        for name, lines in held.lines.items():
            truth = self._truths[name]
            if invented := sorted(set(lines) - truth.lines):
                yield f"{len(invented)} rows that the venue has not so, like {invented[0]}"
            if truth.slot(max(held.opened[name])) + truth.step > now:
                yield f"{name}: a row that has not closed"
            slots = [truth.slot(opened) for opened in held.opened[name]]
            if len(slots) != len(set(slots)):
                yield f"{name}: two rows in one slot"

    def _wrong_days(self, held: Held) -> Iterator[str]:
        """Days whose account is not that of their rows, or not that of their holes."""
        holes = defaultdict(list)
        for hole in held.holes:
            holes[hole.name, hole.day].append(hole)
        stored = self._stored_by_day(held)
        for day in held.days:
            rows = stored.pop((day.name, day.day), set())
            if wrong := rows ^ self._slots(day.name, day.present):
                yield f"{day.name} {day.day}: ledger and rows differ in {len(wrong)} slots: {min(wrong)}"
            yield from self._wrong_holes(day, holes.pop((day.name, day.day), []), rows)
        if left := [*stored, *holes]:
            yield f"days that the ledger does not have: {left}"

    def _stored_by_day(self, held: Held) -> dict[tuple[str, date], Slots]:
        """The slots with a row; one that is longer than a day counts in the day it opens in."""
        found: dict[tuple[str, date], Slots] = {}
        for name, opened in held.opened.items():
            slots = {self._truths[name].slot(one) for one in opened}
            for day in [one for one in held.days if one.name == name]:
                of_day = slots & set(self._of_day(name, day.day))
                if of_day:
                    found[name, day.day] = of_day
                    slots -= of_day
            if slots:
                found[name, date.min] = slots
        return found

    def _wrong_holes(self, day: Day, holes: Iterable[Noted], rows: Slots) -> Iterator[str]:
        """Holes with rows in them, over each other, or in another state than their day's."""
        proven = [one for one in holes if one.reason]
        others = [one for one in holes if not one.reason]
        for word, account, at, parts in (
            ("explained", day.explained, day.recheck_at, proven),
            ("tried", day.tried, day.retry_at, others),
        ):
            slots = [slot for one in parts for slot in self._slots(day.name, [one.slots])]
            if sorted(slots) != sorted(self._slots(day.name, account)):
                yield f"{day.name} {day.day}: {word} {account} beside {[one.slots for one in parts]}"
            if min((one.next_at for one in parts), default=None) != at:
                yield f"{day.name} {day.day}: {word} until {at} beside {[one.next_at for one in parts]}"
            if both := rows.intersection(slots):
                yield f"{day.name} {day.day}: {word} though there are rows, at {min(both)}"
        for hole in proven:
            if not self._is_witnessed(hole):
                yield f"{hole.name} {hole.slots}: {hole.reason} on the evidence of {hole.evidence}"

    def _is_witnessed(self, hole: Noted) -> bool:
        """Whether rows that exist stand on both sides of an outage."""
        truth = self._truths[hole.name]
        before, after = (
            ms(datetime.fromisoformat(hole.evidence[f"row_{key}"])) for key in ("before", "after")
        )
        known = {one for one in (before, after) if one >= truth.begins}
        is_around = before < ms(hole.slots.lower) and ms(hole.slots.upper) <= after + truth.step
        return hole.reason == "venue_outage" and is_around and known <= truth.opened

    def _wrong_history(self, held: Held) -> Iterator[str]:
        """Explanations in force that were never noted, or the other way round."""
        noted: defaultdict[str, Slots] = defaultdict(set)
        for name, run, change in held.changes:
            slots = self._slots(name, [run])
            noted[name] = noted[name] | slots if change == "explained" else noted[name] - slots
        for name in self._truths:
            runs = [hole.slots for hole in held.holes if hole.name == name and hole.reason]
            if wrong := noted[name] ^ self._slots(name, runs):
                yield f"{name}: explained now or by its history, not by both: {len(wrong)} from {min(wrong)}"

    def _slots(self, name: str, runs: Iterable[Any]) -> Slots:
        """The slots that open in some ranges."""
        truth = self._truths[name]
        found: Slots = set()
        for run in runs:
            found.update(
                range(truth.slot(ms(run.lower) + truth.step - 1), ms(run.upper), truth.step)
            )
        return found

    def _of_day(self, name: str, day: date) -> range:
        truth = self._truths[name]
        first = ms(datetime.combine(day, datetime.min.time(), tzinfo=UTC))
        return range(truth.slot(first + truth.step - 1), first + DAY, truth.step)


def _is_outside(slot: int, day: Day) -> bool:
    """Whether the calendar says that a slot is before the listing or after the delisting."""
    is_early = day.listed_at is not None and slot < ms(day.listed_at)
    return is_early or (day.delisted_at is not None and slot >= ms(day.delisted_at))
