"""Paging through a venue's candles so that no boundary loses or doubles a row."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.frames.candles import Candle, CandleFrame, validated
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import CandleEndpoint, Provider


def candle_endpoint(provider: Provider, series: Series) -> CandleEndpoint:
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


async def candle_pages(
    client: Client, series: Series, window: Window, due: datetime
) -> AsyncIterator[CandleFrame]:
    """Valid closed candles of the window, a frame a reply, oldest first.

    Neither a full nor a short page is trusted: the next request starts right after the newest row,
    until the last slot is reached or an answer holds nothing more.
    """
    endpoint = candle_endpoint(client.provider, series)
    left: Window | None = window
    while left is not None:
        rows = await client.ask(_ask(client.provider, endpoint, series, left))
        inside = [row for row in rows if row.open_time in left]
        if not inside:
            return
        yield validated(inside, left, due)
        left = _rest(left, inside, series, endpoint)


def _ask(
    provider: Provider, endpoint: CandleEndpoint, series: Series, window: Window
) -> Ask[Sequence[Candle]]:
    symbol = provider.symbol(series.instrument)
    interval = endpoint.intervals[series.interval.name]
    return Ask(
        path=endpoint.path,
        params=endpoint.params(symbol, interval, window, endpoint.page_limit),
        weight=endpoint.weight,
        series=series,
        window=window,
        read=endpoint.rows,
        count=len,
    )


def _rest(
    window: Window, rows: Sequence[Candle], series: Series, endpoint: CandleEndpoint
) -> Window | None:
    """What is still to be asked; a candle on the grid fills the last slot, an off-grid one may not."""
    newest = max(row.open_time for row in rows)
    is_on_grid = newest == series.interval.floor(newest)
    if is_on_grid and newest + series.interval.step >= window.end:
        return None
    start = newest + endpoint.resolution
    return Window(start, window.end) if start < window.end else None
