"""Holes: slots that were asked for in vain, when they may be asked for again, and what explains them.

Pure rules over runs of slots; where they are kept, and who asks, live elsewhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import DAY, Window

Reason = Literal[
    "venue_outage", "no_trades", "not_listed_yet", "delisted", "not_refillable", "not_published"
]
"""Why a slot can never be filled."""

FIRST_PAUSE = timedelta(minutes=2)
SILENT_PAUSE = timedelta(minutes=15)
"""The longest pause after a source gave no answer: it may be back at any moment."""
LONGEST_PAUSE = DAY
CONFIRM_AFTER = timedelta(minutes=5)
"""How much later an answer without the slots must come to confirm the first one."""
FILE = "file"
"""What evidence names when it is not an answer's: a file that the venue publishes of what was."""
FIRST_RECHECK = DAY
LONGEST_RECHECK = 64 * DAY
STUCK_AFTER = 6
"""Attempts in vain, an hour of them, after which a hole is stuck; a rejected request is so at once."""
MOST_ATTEMPTS = 12
"""Counted no further: by then every pause is the longest, and neighbours can become one hole."""
MOST_ABSENCES = 1000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Vain:
    """What came of asking in vain; with a ``reason`` it is evidence that the slots never were.

    ``is_certain`` evidence needs no confirmation: a person's word, or what the venue documents.
    """

    error_class: str
    error: str
    longest_pause: timedelta = LONGEST_PAUSE
    reason: Reason | None = None
    evidence: Mapping[str, str] | None = None
    note: str | None = None
    is_certain: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request for some slots of a series: what is known of parts of them, and of all others."""

    asked: Runs
    otherwise: Vain
    parts: Sequence[tuple[Window, Vain]] = ()


@dataclass(frozen=True, slots=True)
class Hole:
    """A run of slots without a row; explained when it has a ``reason``."""

    slots: Window
    attempts: int = 0
    next_at: datetime = _BEGINNING
    error_class: str | None = None
    error: str | None = None
    absences: int = 0
    absent_since: datetime | None = None
    absent_at: datetime | None = None
    reason: Reason | None = None
    evidence: Mapping[str, str] | None = field(default=None)
    note: str | None = None

    def asked(self, vain: Vain, now: datetime) -> "Hole":
        """The hole after one more attempt in vain."""
        attempts = min(self.attempts + 1, MOST_ATTEMPTS)
        pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), vain.longest_pause)
        tried = replace(
            self,
            attempts=attempts,
            next_at=now + pause,
            error_class=vain.error_class,
            error=vain.error,
        )
        return tried if vain.reason is None else tried.found_absent(vain, now)

    def found_absent(self, vain: Vain, now: datetime) -> "Hole":
        """One answer makes a suspicion; a later one makes an explanation, which is rechecked.

        A published file and an answer are two witnesses, whenever they speak.
        """
        since = min(self.absent_since or now, now)
        seen = replace(self, absent_since=since, absent_at=now, evidence=vain.evidence)
        is_confirmed = now - since >= CONFIRM_AFTER or _are_two(self.evidence, vain.evidence)
        if not (self.reason or vain.is_certain or is_confirmed):
            return replace(seen, absences=1, next_at=since + CONFIRM_AFTER)
        absences = min(self.absences + 1, MOST_ABSENCES)
        recheck = min(FIRST_RECHECK * 2 ** min(max(absences - 2, 0), 20), LONGEST_RECHECK)
        reason = vain.reason if vain.is_certain else self.reason or vain.reason
        note = vain.note or self.note
        return replace(seen, absences=absences, reason=reason, note=note, next_at=now + recheck)


def accounted(
    holes: Sequence[Hole], absent: Runs, attempts: Iterable[Attempt], now: datetime
) -> list[Hole]:
    """The holes of a day after some attempts; only slots that are still ``absent`` were in vain."""
    for attempt in attempts:
        left = attempt.asked & absent
        for window, vain in attempt.parts:
            part = left.within(window)
            holes = _asked(holes, part, vain, now)
            left -= part
        holes = _asked(holes, left, attempt.otherwise, now)
    return joined(holes)


def without(holes: Iterable[Hole], gone: Runs) -> list[Hole]:
    """What is left of holes when some slots are filled, or forgotten."""
    return [replace(hole, slots=run) for hole in holes for run in Runs((hole.slots,)) - gone]


def within(holes: Iterable[Hole], runs: Runs) -> list[Hole]:
    """The parts of holes that lie in the runs."""
    return [replace(hole, slots=run) for hole in holes for run in Runs((hole.slots,)) & runs]


def joined(holes: Iterable[Hole]) -> list[Hole]:
    """Neighbours that differ in nothing else as one, oldest first."""
    found: list[Hole] = []
    for hole in sorted(holes, key=lambda one: one.slots):
        last = found[-1] if found else None
        if last and last.slots.end == hole.slots.start and replace(hole, slots=last.slots) == last:
            found[-1] = replace(last, slots=Window(last.slots.start, hole.slots.end))
        else:
            found.append(hole)
    return found


def runs_by_day(runs: Runs) -> Iterator[tuple[date, Runs]]:
    """The runs cut at midnight, by UTC day; a slot counts in the day it opens in."""
    found: dict[date, list[Window]] = {}
    for run in runs:
        for day in run.days():
            part = run.intersection(Window.of_day(day))
            assert part is not None
            found.setdefault(day, []).append(part)
    for day, parts in sorted(found.items()):
        yield day, Runs(tuple(parts))


def _are_two(one: Mapping[str, str] | None, other: Mapping[str, str] | None) -> bool:
    """Whether one is a file's evidence and the other an answer's: neither can be the other's mistake."""
    return one is not None and other is not None and (FILE in one) != (FILE in other)


def _asked(holes: Sequence[Hole], slots: Runs, vain: Vain, now: datetime) -> list[Hole]:
    """The holes after some slots were asked for in vain; those that were none are holes now."""
    if not slots:
        return list(holes)
    fresh = slots - Runs.of(hole.slots for hole in holes)
    old = [hole.asked(vain, now) for hole in within(holes, slots)]
    return [*without(holes, slots), *old, *(Hole(run).asked(vain, now) for run in fresh)]
