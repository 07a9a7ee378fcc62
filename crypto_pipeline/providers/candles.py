"""Paging through a venue's candles so that no boundary loses or doubles a row."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.frames.candles import Candle, CandleFrame, validated
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import CandleEndpoint, Provider, Question


def candle_endpoint(provider: Provider, series: CandleSeries) -> CandleEndpoint:
    """Where the provider serves the series; a RequestRejected names what it does not offer."""
    endpoint = provider.candles
    if endpoint is None:
        msg = f"{provider.name} offers no candles"
        raise RequestRejected(msg)
    if series.interval.name not in endpoint.intervals:
        offered = ", ".join(endpoint.intervals)
        msg = f"{provider.name} offers no {series.interval} candles: ohlc.interval can be {offered}"
        raise RequestRejected(msg)
    return endpoint


@dataclass(frozen=True, slots=True)
class Absence:
    """Slots that one answer spans without them: ``before`` and ``after`` are the rows around."""

    slots: Window
    before: datetime
    after: datetime


@dataclass(frozen=True, slots=True)
class CandlePage:
    """What one reply gave of the wanted slots, and which of the grid's slots it proves absent."""

    frame: CandleFrame
    absences: tuple[Absence, ...] = ()


class _Answer(NamedTuple):
    rows: Sequence[Candle]
    sent_at: datetime | None


async def candle_pages(
    client: Client,
    series: CandleSeries,
    window: Window,
    due: datetime,
    wanted: Runs | None = None,
    before: datetime | None = None,
) -> AsyncIterator[CandlePage]:
    """Valid closed candles of the ``wanted`` slots of a window, a page a reply, oldest first.

    Neither a full nor a short page is trusted: the next request starts right after the newest row,
    until the last wanted slot is reached or an answer holds nothing more. A candle is closed when
    both our clock and the host's say so. ``before`` is a row that is known to lie before the window.
    """
    endpoint = candle_endpoint(client.provider, series)
    wanted = wanted or Runs((window,))
    hull = Window(wanted.windows[0].start, wanted.windows[-1].end)
    left: Window | None = window
    while left is not None:
        answer = await client.ask(_ask(client.provider, endpoint, series, left))
        inside = [row for row in answer.rows if row.open_time in left]
        if not inside:
            return
        closed = min(due, _due_there(series, answer.sent_at) or due)
        frame = validated(inside, hull, closed)
        absences = _absences(inside, series, left, before)
        before = None
        yield CandlePage(_only(frame, wanted, series), tuple(absences))
        left = _rest(left, hull.end, inside, series, endpoint)


def _ask(
    provider: Provider, endpoint: CandleEndpoint, series: CandleSeries, window: Window
) -> Ask[_Answer]:
    symbol = provider.symbol(series.instrument)
    interval = endpoint.intervals[series.interval.name]
    return Ask(
        question=Question(
            endpoint.path,
            endpoint.params(symbol, interval, window, endpoint.page_limit),
            weight=endpoint.weight,
        ),
        series=series,
        window=window,
        read=lambda reply: _Answer(endpoint.rows(reply), reply.sent_at),
        count=lambda answer: len(answer.rows),
    )


def _due_there(series: CandleSeries, sent_at: datetime | None) -> datetime | None:
    """The end of the newest slot that had closed by the host's clock."""
    return series.interval.floor(sent_at) if sent_at else None


def _only(frame: CandleFrame, wanted: Runs, series: CandleSeries) -> CandleFrame:
    """The part of a frame that was wanted; a row counts in the slot it lies in."""
    if len(wanted.windows) == 1:
        return frame
    floor = series.interval.floor
    return CandleFrame(
        tuple(one for one in frame.candles if floor(one.open_time) in wanted),
        tuple(one for one in frame.rejected if floor(one.candle.open_time) in wanted),
    )


def _absences(
    rows: Sequence[Candle], series: CandleSeries, asked: Window, known: datetime | None
) -> Iterator[Absence]:
    """The slots between two rows of one reply that hold none; a known one from before stands first."""
    step, floor = series.interval.step, series.interval.floor
    times = sorted({row.open_time for row in rows} | ({known} if known else set()))
    for before, after in pairwise(times):
        if after - before == step:
            continue
        start, end = max(floor(before) + step, asked.start), floor(after)
        if start < end:
            yield Absence(Window(start, end), before, after)


def _rest(
    window: Window,
    last: datetime,
    rows: Sequence[Candle],
    series: CandleSeries,
    endpoint: CandleEndpoint,
) -> Window | None:
    """What is still to be asked; a candle on the grid fills the last slot, an off-grid one may not."""
    newest = max(row.open_time for row in rows)
    is_on_grid = newest == series.interval.floor(newest)
    if newest >= last or (is_on_grid and newest + series.interval.step >= last):
        return None
    start = newest + endpoint.resolution
    return Window(start, window.end) if start < window.end else None
