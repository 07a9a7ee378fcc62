"""The synthetic market: pages of candles of any interval, as a venue would cut them.

How a page is asked for and printed is the venue's protocol and does not live here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from crypto_pipeline.sandbox.candles import Candles, Gaps, aggregated
from crypto_pipeline.sandbox.grids import DAY, GRIDS, MINUTE, SECOND, Grid
from crypto_pipeline.sandbox.tape import Tape

CHUNK_MINUTES = 65_536  # bounds the memory of a page of coarse candles
CHUNK_DAYS = 32
OFF_GRID = 1_694_789  # 28:14.789, as Binance's rows of 2018-02-09 to 02-11


@dataclass(frozen=True, slots=True)
class Ask:
    """A page: ``start`` and ``end`` are open times in milliseconds, both inclusive."""

    start: int | None
    end: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class Weather:
    """What the market does wrong: spans in milliseconds without rows, and spans off the grid."""

    outages: Gaps = ()
    off_grid: Gaps = ()


CALM = Weather()


def page(tape: Tape, grid: Grid, ask: Ask, now: int, weather: Weather = CALM) -> Candles:
    """The oldest rows from ``start``, or the newest up to ``end``; the running one included."""
    first = grid.slot(tape.listing.listed_ms)
    end = now if ask.end is None else min(ask.end, now)
    start = grid.open(first) if ask.start is None else ask.start
    parts: list[Candles] = []
    lower, upper = max(first, _from(grid, start, weather)), grid.slot(end) + 1
    for slots in _strides(grid, ask, lower, upper, weather.outages):
        rows = _rows(tape, grid, slots, now, weather).moved(weather.off_grid, _offset(grid))
        parts.append(rows.within(start, end + 1))
        if sum(map(len, parts)) >= ask.limit:
            break
    if ask.start is None:
        found = Candles.joined(parts[::-1])
        return found.take(slice(max(len(found) - ask.limit, 0), None))
    return Candles.joined(parts).take(slice(0, ask.limit))


def _from(grid: Grid, start: int, weather: Weather) -> int:
    """The first slot that may hold a row opening at ``start`` or later."""
    slot = grid.slot(start)
    return slot if weather.off_grid or grid.open(slot) == start else slot + 1


def _offset(grid: Grid) -> int:
    return OFF_GRID % grid.step if grid.step else OFF_GRID


def _strides(grid: Grid, ask: Ask, first: int, stop: int, gaps: Gaps) -> Iterator[tuple[int, int]]:
    """Spans of ``limit`` slots: newest first when no start was asked for, else oldest first."""
    while first < stop:
        if ask.start is None:
            lower = max(stop - ask.limit, first)
            yield lower, stop
            stop = _before(grid, lower, gaps)
        else:
            upper = min(first + ask.limit, stop)
            yield first, upper
            first = _behind(grid, upper, gaps)


def _before(grid: Grid, stop: int, gaps: Gaps) -> int:
    """Where the slots before ``stop`` end that are not all in one gap: it may last for years."""
    opened = grid.open(stop)
    return min([stop, *(grid.slot(start - 1) + 1 for start, end in gaps if start < opened <= end)])


def _behind(grid: Grid, first: int, gaps: Gaps) -> int:
    """As ``_before``, forwards."""
    opened = grid.open(first)
    return max([first, *(grid.slot(end) for start, end in gaps if start <= opened < end)])


def _rows(tape: Tape, grid: Grid, slots: tuple[int, int], now: int, weather: Weather) -> Candles:
    """The candles of the slots ``[first, stop)`` as they stand ``now``."""
    lower = max(grid.open(slots[0]), tape.listing.listed_ms)
    upper = min(grid.open(slots[1]), now + 1)
    gaps = weather.outages
    if any(start <= lower and upper <= end for start, end in gaps):
        return Candles.none()
    if grid.step == SECOND:
        return _seconds(tape, lower, upper, now).without(gaps)
    if grid.step == MINUTE:
        return _minutes(tape, lower, upper, now).without(gaps)
    if 0 < grid.step < DAY:
        parts = [_sums(tape, grid, span, now, gaps) for span in _chunks(grid, slots, lower, upper)]
        return Candles.joined(parts)
    return aggregated(_days(tape, lower, upper, now, gaps), grid)


def _seconds(tape: Tape, lower: int, upper: int, now: int) -> Candles:
    first, stop, live = lower // MINUTE, -(-upper // MINUTE), now // MINUTE
    parts = [tape.seconds(tape.minutes(first, min(stop, live)))]
    if first <= live < stop:
        parts.append(tape.live_seconds(now))
    return Candles.joined(parts).within(lower, upper)


def _minutes(tape: Tape, lower: int, upper: int, now: int) -> Candles:
    first, stop, live = lower // MINUTE, -(-upper // MINUTE), now // MINUTE
    minutes = tape.minutes(first, min(stop, live))
    if first <= live < stop:
        return Candles.joined([minutes, tape.live_minute(now)])
    return minutes


def _sums(tape: Tape, grid: Grid, span: tuple[int, int], now: int, gaps: Gaps) -> Candles:
    return aggregated(_minutes(tape, *span, now).without(gaps), grid)


def _chunks(
    grid: Grid, slots: tuple[int, int], lower: int, upper: int
) -> Iterator[tuple[int, int]]:
    """Spans in milliseconds that cover the slots, each of bounded length and on slot edges."""
    width = max(CHUNK_MINUTES * MINUTE // grid.step, 1)
    for first in range(slots[0], slots[1], width):
        span = max(grid.open(first), lower), min(grid.open(first + width), upper)
        if span[0] < span[1]:
            yield span


def _days(tape: Tape, lower: int, upper: int, now: int, gaps: Gaps) -> Candles:
    """Day candles, finished ones remembered in blocks: a page of weeks holds years of minutes."""
    width = CHUNK_DAYS * DAY
    parts: list[Candles] = []
    for block in range(lower // width, -(-upper // width)):
        if (block + 1) * width <= now:
            parts.append(_finished_days(tape, block, gaps))
        else:
            span = max(block * width, tape.listing.listed_ms), now + 1
            parts.append(_sums(tape, GRIDS["1d"], span, now, gaps))
    return Candles.joined(parts).within(lower // DAY * DAY, upper)


@lru_cache(maxsize=4096)
def _finished_days(tape: Tape, block: int, gaps: Gaps) -> Candles:
    width = CHUNK_DAYS * DAY
    span = max(block * width, tape.listing.listed_ms), (block + 1) * width
    return _sums(tape, GRIDS["1d"], span, span[1], gaps)
