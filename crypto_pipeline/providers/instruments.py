"""What a venue lists, and when one of its series began; what to make of it is the caller's."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.candles import candle_endpoint, candle_question
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import Listed, Question

FIRST_VENUE = datetime(2010, 7, 1, tzinfo=UTC)
"""Nobody traded before."""


async def listed_instruments(client: Client) -> Sequence[Listed]:
    """All that the venue lists, halted ones too; a RequestRejected where it offers no list."""
    endpoint = client.provider.instruments
    if endpoint is None:
        msg = f"{client.provider.name} offers no list of instruments: name them one by one"
        raise RequestRejected(msg)
    return await client.ask(
        Ask(
            question=Question(endpoint.path, endpoint.params, weight=endpoint.weight),
            series=None,
            window=None,
            read=endpoint.rows,
            count=len,
        )
    )


async def first_candle(client: Client, series: CandleSeries, window: Window) -> datetime | None:
    """Open time of the oldest candle of the window; None where it holds none.

    One request for one row; where a venue begins with the newest row, or its limit counts slots, a
    walk from the oldest page on: through days, then through the first day that holds any.
    """
    if candle_endpoint(client.provider, series).tells_first:
        return await _first(client, series, window, 1)
    start, end = max(window.start, FIRST_VENUE), window.end
    coarse = replace(series, interval=_coarse(client, series))
    if coarse == series:
        return await _walk(client, series, start, end)
    day = coarse.interval.ceil(start)
    found = await _walk(client, series, start, min(day, end))
    first = found or await _walk(client, coarse, day, end)
    if found or first is None:
        return first
    return await _walk(client, series, first, min(first + coarse.interval.step, end)) or first


def _coarse(client: Client, series: CandleSeries) -> Interval:
    """The longest interval up to a day that is offered: the fewest pages for a history."""
    offered = map(Interval.parse, candle_endpoint(client.provider, series).intervals)
    longest = max((one for one in offered if one.step <= DAY), key=lambda one: one.step)
    return max(longest, series.interval, key=lambda one: one.step)


async def _walk(
    client: Client, series: CandleSeries, start: datetime, end: datetime
) -> datetime | None:
    """The first candle of the first page that holds any; a page is as many slots as rows fit one."""
    span = candle_endpoint(client.provider, series).page_limit * series.interval.step
    while start < end:
        page = Window(start, min(start + span, end))
        found = await _first(client, series, page)
        if found:
            return found
        start = page.end
    return None


async def _first(
    client: Client, series: CandleSeries, window: Window, limit: int | None = None
) -> datetime | None:
    rows = await client.ask(
        Ask(
            question=candle_question(client.provider, series, window, limit),
            series=series,
            window=window,
            read=candle_endpoint(client.provider, series).rows,
            count=len,
        )
    )
    return min((row.open_time for row in rows if row.open_time in window), default=None)
