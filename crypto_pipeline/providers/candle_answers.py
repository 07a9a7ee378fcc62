"""The candles of one reply, as typed rows or as arrays: what of them lies where, and what between.

Arrays serve the plain replies of venues whose pages are long; all others are rows. Paging, and what
is asked, belong in ``candles``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Candle, CandleFrame, validated
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import EPOCH, Interval
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import CandleEndpoint, Reply

Neighbours: TypeAlias = tuple[datetime, datetime]
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rows:
    """Candles in any order, each as often as it came."""

    candles: Sequence[Candle]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.candles)

    def within(self, window: Window) -> "Rows":
        """Those that open in a window."""
        return Rows([row for row in self.candles if row.open_time in window])

    def bounds(self) -> Neighbours:
        """When the oldest and the newest open."""
        times = [row.open_time for row in self.candles]
        return min(times), max(times)

    def leaps(self, step: timedelta) -> Iterable[Neighbours]:
        """Neighbours that do not open a step apart, oldest first."""
        times = sorted({row.open_time for row in self.candles})
        return [pair for pair in pairwise(times) if pair[1] - pair[0] != step]

    def kept(self, hull: Window, due: datetime, wanted: Runs, interval: Interval) -> "Kept":
        """The valid closed ones of the ``wanted`` slots, whose first and last are the ``hull``."""
        frame = validated(self.candles, hull, due)
        if len(wanted.windows) == 1:
            return Kept(frame)
        floor = interval.floor
        rejected = (one for one in frame.rejected if floor(one.row[0]) in wanted)
        candles = (one for one in frame.candles if floor(one.open_time) in wanted)
        return Kept(CandleFrame(tuple(candles), tuple(rejected)))


@dataclass(frozen=True, slots=True)
class Arrays:
    """The same of candles in the order of time, one for each open time."""

    block: CandleBlock

    def __len__(self) -> int:
        """How many there are."""
        return len(self.block)

    def within(self, window: Window) -> "Arrays":
        """Those that open in a window."""
        return Arrays(self.block.within(window.start, window.end))

    def bounds(self) -> Neighbours:
        """When the oldest and the newest open."""
        times = self.block.open_times
        return _moment(times[0]), _moment(times[-1])

    def leaps(self, step: timedelta) -> Iterable[Neighbours]:
        """Neighbours that do not open a step apart, oldest first."""
        times = self.block.open_times
        places = np.flatnonzero(np.diff(times) != step // _MICROSECOND)
        return [(_moment(times[at]), _moment(times[at + 1])) for at in places]

    def kept(self, hull: Window, due: datetime, wanted: Runs, interval: Interval) -> "Kept":
        """The valid closed ones of the ``wanted`` slots, whose first and last are the ``hull``."""
        block = self.block.within(hull.start, min(hull.end, due))
        if len(wanted.windows) > 1:
            block = block.only(block.lie_in(wanted, interval))
        block, rejected = block.validated()
        return Kept(CandleFrame((), tuple(rejected)), block if len(block) else None)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an answer; where it is a ``block`` the frame holds only what is set aside."""

    frame: CandleFrame
    block: CandleBlock | None = None


def answered(endpoint: CandleEndpoint, reply: Reply) -> Rows | Arrays:
    """What a reply that ``fault`` passed holds."""
    block = endpoint.block(reply) if endpoint.block else None
    if block is None or (np.diff(block.open_times) <= 0).any():
        return Rows(endpoint.rows(reply))
    return Arrays(block)


def _moment(number: np.int64) -> datetime:
    return EPOCH + int(number) * _MICROSECOND
