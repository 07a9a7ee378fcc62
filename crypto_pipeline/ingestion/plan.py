"""From what is missing to few requests, newest first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import Window


@dataclass(frozen=True, slots=True)
class Request:
    """One page to be asked for."""

    series: Series
    window: Window


def pages(missing: Runs, span: timedelta) -> Iterator[Window]:
    """Windows no longer than ``span`` that hold all that is missing, newest first.

    Holes that fit into one page are joined, for a page costs the same however much of it is
    missing; each window begins and ends with a missing slot.
    """
    left = list(missing)
    while left:
        newest = left.pop()
        floor = newest.end - span
        start = max(newest.start, floor)
        if newest.start < floor:
            left.append(Window(newest.start, floor))
        while start > floor and left and left[-1].end > floor:
            older = left.pop()
            start = max(older.start, floor)
            if older.start < floor:
                left.append(Window(older.start, floor))
        yield Window(start, newest.end)


def plan(missing: Mapping[Series, Runs], page_slots: Mapping[str, int]) -> list[Request]:
    """The requests for what is missing, newest first over all series; ``page_slots`` is by venue."""
    requests = [
        Request(series, window)
        for series, runs in missing.items()
        for window in pages(runs, page_slots[series.venue] * series.interval.step)
    ]
    requests.sort(key=lambda request: request.window.end, reverse=True)
    return requests
