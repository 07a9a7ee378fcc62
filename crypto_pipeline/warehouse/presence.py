"""Which slots a batch of rows covers, as the ledger counts them: by series and UTC day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import DAY, midnight

Slot = tuple[datetime, datetime]


def presence(
    opened: Iterable[tuple[int, Interval, Iterable[datetime]]],
) -> Mapping[str, list[object]]:
    """Parallel lists for SQL, in the ledger's order, from series ids with open times.

    A row covers the slot it lies in; a slot longer than a day counts in the day it opens in.
    """
    found: dict[tuple[int, date], list[Slot]] = defaultdict(list)
    for series_id, interval, times in opened:
        for start, end in _runs(interval, times):
            found[series_id, start.date()].append((start, end))
    keys = sorted(found)
    return {
        "series_ids": [series_id for series_id, _ in keys],
        "days": [day for _, day in keys],
        "slots": [_multirange(found[key]) for key in keys],
    }


def _runs(interval: Interval, times: Iterable[datetime]) -> Iterator[Slot]:
    """Slots that touch, joined within their day."""
    run: Slot | None = None
    for slot in sorted({interval.floor(time) for time in times}):
        end = min(slot + interval.step, midnight(slot.date()) + DAY)
        if run is not None and slot == run[1] and slot.date() == run[0].date():
            run = (run[0], end)
            continue
        if run is not None:
            yield run
        run = (slot, end)
    if run is not None:
        yield run


def _multirange(slots: Iterable[Slot]) -> TimestamptzMultirange:
    return TimestamptzMultirange(TimestamptzRange(start, end) for start, end in sorted(slots))
