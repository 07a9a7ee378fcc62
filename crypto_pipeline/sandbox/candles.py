"""Candles as columns of integers, and how finer ones add up to coarser ones."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from crypto_pipeline.sandbox.grids import Grid, Ints

Gaps = tuple[tuple[int, int], ...]
"""Half-open spans in milliseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Rows in ascending time: prices in ticks, volumes in steps, quotes in tick times step."""

    opened_at: Ints
    closed_at: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    quote: Ints
    trades: Ints
    taker_volume: Ints
    taker_quote: Ints

    @classmethod
    def none(cls) -> Self:
        """No rows."""
        return cls(*(np.empty(0, dtype=np.int64) for _ in fields(cls)))

    @classmethod
    def joined(cls, parts: "list[Candles]") -> "Candles":
        """All rows of all parts, in the order given."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.none()
        columns = zip(*(part.columns() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def __len__(self) -> int:
        return len(self.opened_at)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Candles):
            return NotImplemented
        pairs = zip(self.columns(), other.columns(), strict=True)
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]

    def columns(self) -> tuple[Ints, ...]:
        """The columns in the order they are declared."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def take(self, rows: "npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice") -> "Candles":
        """The chosen rows."""
        return Candles(*(column[rows] for column in self.columns()))

    def within(self, start: int, end: int) -> "Candles":
        """Rows that open in ``[start, end)``."""
        first, stop = np.searchsorted(self.opened_at, [start, end])
        return self.take(slice(int(first), int(stop)))

    def without(self, gaps: Gaps) -> "Candles":
        """Rows that open in none of the spans."""
        keep = np.ones(len(self), dtype=np.bool_)
        for start, end in gaps:
            keep &= (self.opened_at < start) | (self.opened_at >= end)
        return self if keep.all() else self.take(keep)

    def moved(self, spans: Gaps, offset: int) -> "Candles":
        """The same rows, those that open in a span ``offset`` milliseconds later."""
        late = np.zeros(len(self), dtype=np.int64)
        for start, end in spans:
            late[(self.opened_at >= start) & (self.opened_at < end)] = offset
        return Candles(self.opened_at + late, self.closed_at + late, *self.columns()[2:])

    def stilled(self, spans: Gaps) -> "Candles":
        """The same rows; those that open in a span are flat, as when nobody trades."""
        if not spans:
            return self
        at = self.opened_at
        is_quiet = np.any([(at >= start) & (at < end) for start, end in spans], axis=0)
        prices = [np.where(is_quiet, self.open, price) for price in self.columns()[2:6]]
        sums = [np.where(is_quiet, 0, column) for column in self.columns()[6:]]
        return Candles(at, self.closed_at, *prices, *sums)


def aggregated(candles: Candles, grid: Grid) -> Candles:
    """One row per slot that holds any row: first open, last close, extremes, sums."""
    if not len(candles):
        return candles
    slots = grid.slots(candles.opened_at)
    first = np.flatnonzero(np.diff(slots, prepend=slots[0] - 1))
    last = np.append(first[1:], len(slots)) - 1
    return Candles(
        grid.opens(slots[first]),
        grid.opens(slots[first] + 1) - 1,
        candles.open[first],
        np.maximum.reduceat(candles.high, first),
        np.minimum.reduceat(candles.low, first),
        candles.close[last],
        *(np.add.reduceat(column, first) for column in candles.columns()[6:]),
    )
