"""What is taken of a file: the rows of the slots that are wanted, and what it turns out to have."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from crypto_pipeline.frames.candles import Rejected
from crypto_pipeline.frames.kline_files import KlinePart
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.writer import SeriesRows

_MICROSECOND = timedelta(microseconds=1)
Numbers = npt.NDArray[np.int64]
"""Microseconds since 1970."""


@dataclass(slots=True)
class FileRows:
    """The rows of a file in wanted slots; what it ``had`` of those is known when they are through.

    They are read anew each time that they are gone through: a part without any is passed over.
    """

    series: CandleSeries
    wanted: Runs
    read: Callable[[], Iterable[KlinePart]]
    count: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    _had: list[Window] = field(default_factory=list)

    @property
    def had(self) -> Runs:
        """The wanted slots that have a row in the file."""
        return Runs.of(self._had)

    def __iter__(self) -> Iterator[SeriesRows]:
        """Part by part."""
        self.count, self.rejected, self._had = 0, [], []
        for part in self.read():
            rows = self._of(part)
            if len(rows.rows) or rows.rejected:
                yield rows

    def _of(self, part: KlinePart) -> SeriesRows:
        interval = self.series.interval
        slots, chosen = part.block.slots(interval), part.block.lie_in(self.wanted, interval)
        block = part.block if chosen.all() else part.block.only(chosen)
        refused = [one for one in part.rejected if interval.floor(one.row[0]) in self.wanted]
        self._had += _runs(slots[chosen], interval.step)
        self.count += len(block)
        self.rejected += refused
        return SeriesRows(self.series, block, refused)


def _runs(slots: Numbers, step: timedelta) -> Iterator[Window]:
    """Slots, in order, as runs of those that touch."""
    if not len(slots):
        return
    breaks = np.flatnonzero(np.diff(slots) > step // _MICROSECOND) + 1
    firsts, lasts = slots[np.append(0, breaks)], slots[np.append(breaks - 1, len(slots) - 1)]
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        yield Window(EPOCH + first * _MICROSECOND, EPOCH + last * _MICROSECOND + step)
