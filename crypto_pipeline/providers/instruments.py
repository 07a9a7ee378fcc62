"""What a venue lists, and when one of its series began; what to make of it is the caller's."""

from collections.abc import Sequence
from datetime import datetime

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candles import candle_endpoint
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import Listed, Question


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
    """Open time of the oldest candle of the window, by one request; None where it holds none.

    A RequestRejected where one row is not the answer: a venue whose replies begin with the
    newest candle, or whose limit counts slots, so that one row is the window's first slot alone.
    """
    provider = client.provider
    endpoint = candle_endpoint(provider, series)
    if not (endpoint.ascending and endpoint.limit_counts_rows):
        msg = f"{provider.name} cannot be asked for the first candle of a window: page through it"
        raise RequestRejected(msg)
    symbol, interval = provider.symbol(series.instrument), endpoint.intervals[series.interval.name]
    rows = await client.ask(
        Ask(
            question=Question(
                endpoint.path, endpoint.params(symbol, interval, window, 1), weight=endpoint.weight
            ),
            series=series,
            window=window,
            read=endpoint.rows,
            count=len,
        )
    )
    return min((row.open_time for row in rows if row.open_time in window), default=None)
