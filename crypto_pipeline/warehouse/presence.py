"""Which slots a batch of rows covers, as the ledger counts them: by series and UTC day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from crypto_pipeline.market.intervals import EPOCH, Interval
from crypto_pipeline.market.windows import DAY, midnight

Slot = tuple[datetime, datetime]
Opened: TypeAlias = Iterable[datetime] | npt.NDArray[np.int64]
"""Open times; as an array they are microseconds since 1970, in order."""
_MICROSECOND = timedelta(microseconds=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


def presence(
    opened: Iterable[tuple[int, Interval, Opened]],
) -> Mapping[str, list[object]]:
    """Parallel lists for SQL, in the ledger's order, from series ids with open times.

    A row covers the slot it lies in; a slot longer than a day counts in the day it opens in.
    """
    found: dict[tuple[int, date], list[Slot]] = defaultdict(list)
    for series_id, interval, times in opened:
        runs = (
            _array_runs(interval, times)
            if isinstance(times, np.ndarray)
            else _runs(interval, times)
        )
        for start, end in runs:
            found[series_id, start.date()].append((start, end))
    keys = sorted(found)
    return {
        "series_ids": [series_id for series_id, _ in keys],
        "days": [day for _, day in keys],
        "slots": [_multirange(found[key]) for key in keys],
    }


def _runs(interval: Interval, times: Iterable[datetime]) -> Iterator[Slot]:
    """Slots that touch, joined within their day."""
    step = interval.step
    start = end = day_end = _NEVER
    for time in sorted(times):
        # Most rows open where the last slot ended; for them nothing need be worked out.
        slot = time if time == end else interval.floor(time)
        if start <= slot < end:
            continue
        if slot != end or slot >= day_end:
            if start < end:
                yield start, end
            day_end = midnight(slot.date()) + DAY
            start = slot
        end = slot + step
        end = min(end, day_end)
    if start < end:
        yield start, end


def _array_runs(interval: Interval, times: npt.NDArray[np.int64]) -> Iterator[Slot]:
    """The same for an array: a run ends where the next slot is not beside it, or of another day."""
    step, day = interval.step // _MICROSECOND, DAY // _MICROSECOND
    anchor = (interval.anchor - EPOCH) // _MICROSECOND
    slots = (times - anchor) // step * step + anchor
    days = slots // day
    ends = np.flatnonzero((np.diff(slots) > step) | (np.diff(days) > 0))
    firsts, lasts = np.append(0, ends + 1), np.append(ends, len(slots) - 1)
    for first, last in zip(slots[firsts].tolist(), slots[lasts].tolist(), strict=True):
        end = min(last + step, (last // day + 1) * day)
        yield EPOCH + first * _MICROSECOND, EPOCH + end * _MICROSECOND


def _multirange(slots: Iterable[Slot]) -> TimestamptzMultirange:
    return TimestamptzMultirange(TimestamptzRange(start, end) for start, end in sorted(slots))
