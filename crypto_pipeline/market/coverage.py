"""The coverage algebra in plain Python: sorted, disjoint runs of time.

The warehouse does the same with Postgres multiranges; tests hold the two against each other.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Self

from crypto_pipeline.market.windows import Window


@dataclass(frozen=True, slots=True)
class Runs:
    """A set of instants as maximal windows: sorted, disjoint, never touching."""

    windows: tuple[Window, ...] = ()

    @classmethod
    def of(cls, windows: Iterable[Window]) -> Self:
        """The union of any windows, in any order."""
        merged: list[Window] = []
        for window in sorted(windows):
            if merged and window.start <= merged[-1].end:
                merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
            else:
                merged.append(window)
        return cls(tuple(merged))

    def __iter__(self) -> Iterator[Window]:
        """Each run, oldest first."""
        return iter(self.windows)

    def __bool__(self) -> bool:
        """Whether any instant is in the set."""
        return bool(self.windows)

    def at(self, moment: datetime) -> Window | None:
        """The run that holds the instant."""
        place = bisect_right(self.windows, moment, key=lambda window: window.start) - 1
        run = self.windows[place] if place >= 0 else None
        return run if run and moment < run.end else None

    def __contains__(self, moment: datetime) -> bool:
        """Whether a run holds the instant."""
        return self.at(moment) is not None

    def __add__(self, other: Self) -> Self:
        """What either holds."""
        return self.of(chain(self.windows, other.windows))

    def __and__(self, other: Self) -> Self:
        """What both hold."""
        shared = [part for window in other for part in self.within(window)]
        return self.of(shared)

    def __sub__(self, other: Self) -> Self:
        """What this holds and the other does not."""
        left: list[Window] = []
        for window in self:
            left.extend(_without(window, other))
        return self.of(left)

    def within(self, window: Window) -> "Runs":
        """The part that lies in a window."""
        first = bisect_right(self.windows, window.start, key=lambda one: one.end)
        stop = bisect_right(self.windows, window.end, key=lambda one: one.start)
        parts = (one.intersection(window) for one in self.windows[first:stop])
        return Runs(tuple(part for part in parts if part))

    def slots(self, step: timedelta) -> int:
        """How many slots of a grid begin in the runs, when each run begins on that grid."""
        return sum(-(-window.span // step) for window in self)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the ledger says of a span of one series; the twin of a row of ``warehouse.coverage``."""

    expected: Runs
    present: Runs = Runs()
    explained: Runs = Runs()

    @property
    def missing(self) -> Runs:
        """Expected, neither there nor explained."""
        return self.expected - self.present - self.explained


def _without(window: Window, taken: Runs) -> Iterator[Window]:
    """The parts of one window that the taken runs leave over."""
    cursor: datetime = window.start
    for run in taken.within(window):
        if run.start > cursor:
            yield Window(cursor, run.start)
        cursor = min(run.end, window.end)
    if cursor < window.end:
        yield Window(cursor, window.end)
