"""Slots of candle intervals in milliseconds, whole pages at a time; calendar months too.

The pipeline's own grid is ``market.intervals``; venues also know the month, which has no
fixed step and so no place there.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from crypto_pipeline.market.intervals import EPOCH, INTERVALS, Interval

Ints = npt.NDArray[np.int64]

MS = timedelta(milliseconds=1)
SECOND = 1_000
MINUTE = 60_000
DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Numbered slots; ``step`` and ``anchor`` are in milliseconds, a step of 0 means months."""

    name: str
    step: int
    anchor: int

    def slots(self, moments: Ints) -> Ints:
        """The number of the slot that holds each instant."""
        if self.step:
            return (moments - self.anchor) // self.step
        return moments.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)

    def opens(self, slots: Ints) -> Ints:
        """The open time of each slot."""
        if self.step:
            return slots * self.step + self.anchor
        return slots.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)

    def slot(self, moment: int) -> int:
        """The number of the slot that holds the instant."""
        return int(self.slots(np.array([moment], dtype=np.int64))[0])

    def open(self, slot: int) -> int:
        """The open time of the slot."""
        return int(self.opens(np.array([slot], dtype=np.int64))[0])


def _fixed(name: str) -> Grid:
    interval = Interval.parse(name)
    return Grid(name, interval.step // MS, (interval.anchor - EPOCH) // MS)


GRIDS = {name: _fixed(name) for name in INTERVALS} | {"1M": Grid("1M", 0, 0)}
"""Every interval by its Binance name."""
