"""Paging through a venue's candles so that no boundary loses or doubles a row."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Candle, CandleFrame
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candle_answers import Arrays, Rows, answered
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
    return _with_depth(_with_page(endpoint), series.interval)


def _with_page(endpoint: CandleEndpoint) -> CandleEndpoint:
    """The endpoint with the page that brings the most rows for its weight."""
    best = max(endpoint.limits, key=lambda limit: limit / endpoint.weight_of(limit))
    return endpoint if best == endpoint.page_limit else replace(endpoint, page_limit=best)


def _with_depth(endpoint: CandleEndpoint, interval: Interval) -> CandleEndpoint:
    """The endpoint as it is for that interval: a number of candles is a length of time now."""
    if endpoint.depth_slots is None:
        return endpoint
    reach = endpoint.depth_slots * interval.step
    return replace(endpoint, depth=min(reach, endpoint.depth or reach))


def candle_question(
    provider: Provider, series: CandleSeries, window: Window, limit: int | None = None
) -> Question:
    """One page of a series, as the provider is asked for it: as light as its window allows."""
    endpoint = candle_endpoint(provider, series)
    slots = -(-window.span // series.interval.step)
    limit = limit or next((one for one in endpoint.limits if one >= slots), endpoint.page_limit)
    symbol, interval = provider.symbol(series.instrument), endpoint.intervals[series.interval.name]
    path = endpoint.path.format(symbol=symbol, interval=interval)
    params, weight = endpoint.params(symbol, interval, window, limit), endpoint.weight_of(limit)
    if endpoint.is_posted:
        return Question(path, body=params, weight=weight)
    return Question(path, params, weight=weight)


@dataclass(frozen=True, slots=True)
class Absence:
    """Slots that one answer spans without them: ``before`` and ``after`` are the rows around."""

    slots: Window
    before: datetime
    after: datetime


@dataclass(frozen=True, slots=True)
class CandlePage:
    """What one reply gave of the wanted slots, and which of the grid's slots it proves absent.

    Candles that came as arrays are in the ``block``, and the frame holds none.
    """

    frame: CandleFrame
    absences: tuple[Absence, ...] = ()
    block: CandleBlock | None = None

    @property
    def rows(self) -> Sequence[Candle] | CandleBlock:
        """The candles, whichever way they came."""
        return self.frame.candles if self.block is None else self.block


class _Answer(NamedTuple):
    candles: Rows | Arrays
    sent_at: datetime | None


async def candle_pages(
    client: Client,
    series: CandleSeries,
    window: Window,
    due: datetime,
    wanted: Runs | None = None,
    before: datetime | None = None,
) -> AsyncIterator[CandlePage]:
    """Valid closed candles of the ``wanted`` slots of a window, a page a reply.

    They come from the side on which the venue begins: oldest first, or newest first. Neither a full
    nor a short page is trusted: the next request starts right beside the last row, until the last
    wanted slot is reached or an answer holds nothing more. A candle is closed when both our clock
    and the host's say so. ``before`` is a row that is known to lie before the window.
    """
    endpoint = candle_endpoint(client.provider, series)
    wanted = wanted or Runs((window,))
    hull = Window(wanted.windows[0].start, wanted.windows[-1].end)
    # An answer that begins with the newest row may have lost its oldest ones.
    before = before if endpoint.ascending else None
    left: Window | None = window
    while left is not None:
        asked = _page_of(left, series.interval, endpoint)
        answer = await client.ask(_ask(client.provider, endpoint, series, asked))
        inside = answer.candles.within(asked)
        if inside:
            closed = min(due, _due_there(series, answer.sent_at) or due)
            kept = inside.kept(hull, closed, wanted, series.interval)
            absences = _absences(inside, series, asked, before)
            yield CandlePage(kept.frame, tuple(absences), kept.block)
        before = None
        rest = _newer if endpoint.ascending else _older
        left = rest(left, asked, hull, inside.bounds() if inside else None, series, endpoint)


def _page_of(left: Window, interval: Interval, endpoint: CandleEndpoint) -> Window:
    """What one request can ask for: all that is left, unless the limit counts slots."""
    if endpoint.limit_counts_rows:
        return left
    span = endpoint.page_limit * interval.step
    if endpoint.ascending:
        return Window(left.start, min(left.end, interval.floor(left.start) + span))
    return Window(max(left.start, interval.ceil(left.end) - span), left.end)


def _ask(
    provider: Provider, endpoint: CandleEndpoint, series: CandleSeries, window: Window
) -> Ask[_Answer]:
    return Ask(
        question=candle_question(provider, series, window),
        series=series,
        window=window,
        read=lambda reply: _Answer(answered(endpoint, reply), reply.sent_at),
        count=lambda answer: len(answer.candles),
    )


def _due_there(series: CandleSeries, sent_at: datetime | None) -> datetime | None:
    """The end of the newest slot that had closed by the host's clock."""
    return series.interval.floor(sent_at) if sent_at else None


def _absences(
    rows: Rows | Arrays, series: CandleSeries, asked: Window, known: datetime | None
) -> Iterator[Absence]:
    """The slots between two rows of one reply that hold none; a known one from before stands first."""
    step, floor = series.interval.step, series.interval.floor
    first = [(known, rows.bounds()[0])] if known else []
    for before, after in (*first, *rows.leaps(step)):
        start, end = max(floor(before) + step, asked.start), floor(after)
        if start < end:
            yield Absence(Window(start, end), before, after)


def _newer(
    left: Window,
    asked: Window,
    hull: Window,
    bounds: tuple[datetime, datetime] | None,
    series: CandleSeries,
    endpoint: CandleEndpoint,
) -> Window | None:
    """What is still to be asked; a candle on the grid fills the last slot, an off-grid one may not."""
    start, edge = asked.end, min(asked.end, hull.end)
    if bounds:
        newest = bounds[1]
        is_on_grid = newest == series.interval.floor(newest)
        reached = newest + series.interval.step if is_on_grid else newest
        start = asked.end if reached >= edge else newest + endpoint.resolution
    return Window(start, left.end) if start < hull.end else None


def _older(
    left: Window,
    asked: Window,
    hull: Window,
    bounds: tuple[datetime, datetime] | None,
    *_: object,
) -> Window | None:
    """As ``_newer``, downwards: whatever is older than the oldest row."""
    end = bounds[0] if bounds else asked.start
    return Window(left.start, end) if end > hull.start else None
