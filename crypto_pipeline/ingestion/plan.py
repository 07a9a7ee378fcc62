"""From what is wanted to few requests, newest first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.declaration import CandleEndpoint
from crypto_pipeline.warehouse.ledger import Wanted

MARGIN_SLOTS = 2
"""Slots of a page that are left for the rows around what is wanted: they prove a hole, or end it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One page to be asked for: the ``window`` is what is asked, ``slots`` are what is wanted of it.

    ``before`` is a row that the venue has before the window, where we hold none and want none.
    """

    series: CandleSeries
    window: Window
    slots: Runs
    before: datetime | None = None


def plan(
    wanted: Mapping[CandleSeries, Wanted], endpoints: Mapping[str, CandleEndpoint]
) -> list[Request]:
    """The requests for what is wanted, newest first over all series; ``endpoints`` are by venue."""
    found = [
        Request(series, window, slots, _before(one, window))
        for series, one in wanted.items()
        for window, slots in _windows(one, series.interval.step, endpoints[series.venue])
    ]
    found.sort(key=lambda request: request.slots.windows[-1].end, reverse=True)
    return found


def _before(wanted: Wanted, window: Window) -> datetime | None:
    older = wanted.older
    return older.start if older and window.start in older else None


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


def _windows(
    wanted: Wanted, step: timedelta, endpoint: CandleEndpoint
) -> Iterator[tuple[Window, Runs]]:
    """What to ask, each with the wanted slots in it, and wide enough to reach the rows around them."""
    span = max(endpoint.page_limit - MARGIN_SLOTS, 1) * step
    # A long hole that was answered without holds no row, most likely, and one page spans it.
    free = wanted.slots & wanted.hollow if endpoint.limit_counts_rows else Runs()
    hollow = Runs(tuple(run for run in free if run.span > span))
    for window in (*hollow, *pages(wanted.slots - hollow, span)):
        yield _widened(window, wanted, step, endpoint), wanted.slots.within(window)


def _widened(window: Window, wanted: Wanted, step: timedelta, endpoint: CandleEndpoint) -> Window:
    """The window up to the nearest rows around it where that costs no other page, or by a slot."""
    room = (endpoint.page_limit * step - window.span) / 2 - step
    hole = _hole(window, wanted.absent, step)
    start, end = window.start, window.end
    if hole.start < start:
        gap = Window(hole.start, start)
        start = gap.start if gap.span <= room or _is_free(gap, wanted, endpoint) else start
    if hole.end > end:
        gap = Window(end, hole.end)
        end = gap.end if gap.span <= room or _is_free(gap, wanted, endpoint) else end
    start, end = start - step, end + step
    if wanted.older and start in wanted.older and not endpoint.ascending:
        # Only a row in the same answer proves what a venue that begins with the newest is without.
        start = max(min(start, end - endpoint.page_limit * step), wanted.older.start)
    return Window(start, end)


def _hole(window: Window, absent: Runs, step: timedelta) -> Window:
    """From the first to the last of the absent slots that the window lies among."""
    start, end = window.start, window.end
    while older := absent.at(start - step):
        start = older.start
    # The ledger counts a slot that is longer than a day in the day it opens in, and no further.
    rest = max(step - DAY, timedelta())
    while newer := absent.at(end + rest):
        end = newer.end
    return Window(start, end)


def _is_free(gap: Window, wanted: Wanted, endpoint: CandleEndpoint) -> bool:
    """Whether asking for it too takes no room in a page: it was asked for before, and gave no row."""
    return endpoint.limit_counts_rows and not Runs((gap,)) - wanted.hollow
