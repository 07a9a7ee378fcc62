"""Which days of which marts are to be made anew, and whether it is time: nothing here knows Dagster or a clock."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeAlias

Newest: TypeAlias = Mapping[str, Mapping[str, int]]
"""Of each asset and day the number of its newest materialization: a greater one came later."""
Late: TypeAlias = Mapping[str, Mapping[str, Collection[str]]]
"""Of each source and day of it the marts that were made before it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often marts are made: each time costs seconds, however few the days are.

    Days before today are made when their source has been quiet for a while, or when they have waited long.
    """

    today: timedelta = timedelta(hours=1)
    quiet: timedelta = timedelta(minutes=1)
    patience: timedelta = timedelta(minutes=30)
    near: timedelta = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look saw: each source's newest change, since when it and the first wait, and what was said."""

    newest: Mapping[str, int] = field(default_factory=dict)
    changed_at: Mapping[str, datetime] = field(default_factory=dict)
    waits_since: Mapping[str, datetime] = field(default_factory=dict)
    today_at: datetime | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The days that one run makes anew, both ends included, and of which marts."""

    first: date
    last: date
    models: frozenset[str]


def behind(reads: Mapping[str, Collection[str]], newest: Newest) -> Late:
    """Of each source the days that came after a mart's, and those marts."""
    found: dict[str, dict[str, set[str]]] = {}
    for model, read in reads.items():
        made = newest.get(model, {})
        for source in read:
            for day, number in newest.get(source, {}).items():
                if number > made.get(day, 0):
                    found.setdefault(source, {}).setdefault(day, set()).add(model)
    return found


def look(late: Late, newest: Newest, seen: Seen, now: datetime) -> Seen:
    """What this look saw of the days before today."""
    today = now.date().isoformat()
    latest, changed_at, waits_since = {}, {}, {}
    for source, days in late.items():
        if older := [day for day in days if day < today]:
            latest[source] = max(newest[source][day] for day in older)
            is_new = latest[source] != seen.newest.get(source)
            changed_at[source] = now if is_new else seen.changed_at[source]
            waits_since[source] = seen.waits_since.get(source, now)
    return Seen(latest, changed_at, waits_since, seen.today_at)


def due(
    late: Late, newest: Newest, seen: Seen, busy: Collection[str], now: datetime, pace: Pace
) -> Mapping[str, Collection[str]]:
    """Of each day the late marts for which it is time; ``busy`` sources are being filled.

    Of today a mart's first is made at once, and from then on all of them once in a while.
    """
    today, found = now.date().isoformat(), dict[str, set[str]]()
    is_todays_turn = seen.today_at is None or now - seen.today_at >= pace.today
    for source, days in late.items():
        is_settled = _is_settled(source, seen, busy, now, pace)
        for day, models in days.items():
            if (day < today and is_settled) or (day == today and is_todays_turn):
                found.setdefault(day, set()).update(models)
            elif day == today and (first := [one for one in models if day not in newest[one]]):
                found.setdefault(day, set()).update(first)
    return found


def _is_settled(source: str, seen: Seen, busy: Collection[str], now: datetime, pace: Pace) -> bool:
    """Whether the older days of a source have been quiet for a while, or were waited for long enough."""
    if source not in seen.newest:
        return False
    is_quiet = source not in busy and now - seen.changed_at[source] >= pace.quiet
    return is_quiet or now - seen.waits_since[source] >= pace.patience


def newest_range(days: Mapping[str, Collection[str]], near: timedelta) -> Wanted:
    """The newest of the days, and those that lie near: days between cost less than another run."""
    ordered = [date.fromisoformat(day) for day in sorted(days, reverse=True)]
    first = last = ordered[0]
    for day in ordered:
        if first - day > near:
            break
        first = day
    chosen = (days[day] for day in days if first.isoformat() <= day <= last.isoformat())
    return Wanted(first, last, frozenset[str]().union(*chosen))


def pause(failures: int) -> timedelta:
    """How long to wait after so many failed runs in a row: two minutes, then twice as long, an hour at most."""
    return timedelta(minutes=min(2**failures, 60))
