"""What is taken of a file: the rows of the slots that are wanted, and what it turns out to have."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from crypto_pipeline.frames.candles import Rejected
from crypto_pipeline.frames.kline_files import KlinePart
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.writer import SeriesRows

T = TypeVar("T")
_MICROSECOND = timedelta(microseconds=1)
Numbers = npt.NDArray[np.int64]
"""Microseconds since 1970."""


@dataclass(slots=True)
class FileRows:
    """The reading of one file; what it ``had`` of the wanted slots is known when it is over."""

    series: CandleSeries
    wanted: Runs
    count: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    _had: list[Window] = field(default_factory=list)

    @property
    def had(self) -> Runs:
        """The wanted slots that have a row in the file."""
        return Runs.of(self._had)

    def of(self, parts: Iterable[KlinePart]) -> Iterator[SeriesRows]:
        """The rows of wanted slots, part by part; a part without any is passed over."""
        floor = self.series.interval.floor
        for part in parts:
            slots = part.block.slots(self.series.interval)
            chosen = part.block.lie_in(self.wanted, self.series.interval)
            block = part.block if chosen.all() else part.block.only(chosen)
            refused = [one for one in part.rejected if floor(one.row[0]) in self.wanted]
            self._had += _runs(slots[chosen], self.series.interval.step)
            self.count += len(block)
            self.rejected += refused
            if len(block) or refused:
                yield SeriesRows(self.series, block, refused)


def ahead(parts: Iterator[T]) -> Iterator[T]:
    """The same; another thread makes the first one at once, and each while the one before is used."""
    maker = ThreadPoolExecutor(1)
    return _made(maker, parts, maker.submit(next, parts, None))


def _made(maker: Executor, parts: Iterator[T], coming: Future[T | None]) -> Iterator[T]:
    with maker:
        while (part := coming.result()) is not None:
            coming = maker.submit(next, parts, None)
            yield part


def _runs(slots: Numbers, step: timedelta) -> Iterator[Window]:
    """Slots, in order, as runs of those that touch."""
    if not len(slots):
        return
    breaks = np.flatnonzero(np.diff(slots) > step // _MICROSECOND) + 1
    firsts, lasts = slots[np.append(0, breaks)], slots[np.append(breaks - 1, len(slots) - 1)]
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        yield Window(EPOCH + first * _MICROSECOND, EPOCH + last * _MICROSECOND + step)
