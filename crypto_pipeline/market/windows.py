"""Windows: UTC half-open spans of time, and the days they touch."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from crypto_pipeline.errors import UsageError

DAY = timedelta(days=1)


def utc(moment: datetime) -> datetime:
    """The same instant in UTC; a naive time is refused, for nobody can know what it means."""
    if moment.tzinfo is None:
        msg = f"{moment.isoformat()} has no time zone: times here are UTC instants"
        raise UsageError(msg)
    return moment.astimezone(UTC)


def midnight(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """A UTC half-open interval ``[start, end)``; never empty, never reversed."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", utc(self.start))
        object.__setattr__(self, "end", utc(self.end))
        if self.start >= self.end:
            msg = f"a window must start before it ends: {self.start} is not before {self.end}"
            raise UsageError(msg)

    @classmethod
    def of_day(cls, day: date) -> Self:
        """The whole UTC day."""
        return cls(midnight(day), midnight(day) + DAY)

    @classmethod
    def of_month(cls, day: date) -> Self:
        """The whole month, in UTC, that a day is in."""
        first = day.replace(day=1)
        return cls(midnight(first), midnight((first + timedelta(days=32)).replace(day=1)))

    @property
    def span(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start

    def __contains__(self, moment: datetime) -> bool:
        """Whether the instant lies inside; ``end`` does not."""
        return self.start <= moment < self.end

    def __str__(self) -> str:
        """ISO times with the half-open brackets."""
        return f"[{self.start:%Y-%m-%dT%H:%M:%SZ}, {self.end:%Y-%m-%dT%H:%M:%SZ})"

    def intersection(self, other: "Window") -> "Window | None":
        """The part both share, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def days(self) -> Iterator[date]:
        """Each UTC day it touches, oldest first."""
        day = self.start.date()
        while midnight(day) < self.end:
            yield day
            day += DAY
