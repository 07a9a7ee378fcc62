"""The coverage algebra in plain Python: sorted, disjoint runs of time.

The warehouse does the same with Postgres multiranges; tests hold the two against each other.
"""

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

    def __add__(self, other: Self) -> Self:
        """What either holds."""
        return self.of(chain(self.windows, other.windows))

    def __and__(self, other: Self) -> Self:
        """What both hold."""
        shared = (mine.intersection(theirs) for mine in self for theirs in other)
        return self.of(window for window in shared if window)

    def __sub__(self, other: Self) -> Self:
        """What this holds and the other does not."""
        left: list[Window] = []
        for window in self:
            left.extend(_without(window, other))
        return self.of(left)

    def slots(self, step: timedelta) -> int:
        """How many slots of a grid begin in the runs, when each run begins on that grid."""
        return sum(-(-window.span // step) for window in self)


def _without(window: Window, taken: Runs) -> Iterator[Window]:
    """The parts of one window that the taken runs leave over."""
    cursor: datetime = window.start
    for run in taken:
        if run.end <= cursor or run.start >= window.end:
            continue
        if run.start > cursor:
            yield Window(cursor, run.start)
        cursor = min(run.end, window.end)
    if cursor < window.end:
        yield Window(cursor, window.end)
