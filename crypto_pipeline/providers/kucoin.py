"""KuCoin spot.

Docs: https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-klines
A candle: [open seconds, open, CLOSE, high, low, volume, quote volume], all text, newest first, none for a
slot without a trade; ``code`` "200000" is an answer.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import ProviderError, RateLimited
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.coded import Codes
from crypto_pipeline.providers.declaration import (
    CandleEndpoint,
    InstrumentEndpoint,
    Limits,
    Listed,
    Params,
    Provider,
    Reply,
)
from crypto_pipeline.providers.pairs import pairs
from crypto_pipeline.providers.reading import from_seconds, number, text
from crypto_pipeline.providers.replies import reading

_CODES = Codes(
    code="code",
    words="msg",
    answer="200000",
    too_often=frozenset({"429000"}),
    # Internal error, timeout.
    passing=frozenset({"500000", "200002"}),
    # Not served in that country.
    refused=frozenset({"400302"}),
)


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def _params(symbol: str, interval: str, window: Window, _limit: int) -> Params:
    """Whether the bounds are inclusive is not known: as asked here the window's rows always come."""
    return {
        "symbol": symbol,
        "type": interval,
        "startAt": _seconds(window.start) - 1,
        "endAt": _seconds(window.end),
    }


def _candle(row: Sequence[object]) -> Candle:
    first, last, high, low, volume, quote_volume = (number(text(value)) for value in row[1:7])
    opened = from_seconds(text(row[0]))
    return Candle(opened, first, high, low, last, volume, quote_volume, None)


def _rows(reply: Reply) -> list[Candle]:
    def read(body: Any) -> list[Candle]:
        return [_candle(row) for row in body["data"]]

    return reading(read, reply)


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        names = ("symbol", "baseCurrency", "quoteCurrency")
        return pairs(body["data"], names, str, lambda row: row["enableTrading"] is True)

    return reading(read, reply)


def _fault(reply: Reply) -> ProviderError | None:
    """How long a pool stays empty is told in milliseconds, in a header of KuCoin's own."""
    fault, reset = _CODES.fault(reply), reply.headers.get("gw-ratelimit-reset", "")
    if isinstance(fault, RateLimited) and reset.isdecimal():
        return RateLimited(str(fault), retry_after=int(reset) / 1000)
    return fault


KUCOIN = Provider(
    name="kucoin",
    title="KuCoin spot",
    docs="https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-klines",
    base_url="https://api.kucoin.com",
    # Half of its public pool of 2000 in 30 seconds, which all that an address asks for shares.
    limits=Limits(weight_per_minute=2000),
    fault=_fault,
    history="candles since the pair's listing; those of a minute far back",
    candles=CandleEndpoint(
        path="/api/v1/market/candles",
        # Two less than the venue gives: a row too many may come at either end.
        page_limit=1498,
        weight=3,
        # Its weeks begin on Thursday.
        intervals=MappingProxyType(
            {f"{count}m": f"{count}min" for count in (1, 3, 5, 15, 30)}
            | {f"{count}h": f"{count}hour" for count in (1, 2, 4, 6, 8, 12)}
            | {"1d": "1day"}
        ),
        params=_params,
        rows=_rows,
        resolution=timedelta(seconds=1),
        ascending=False,
        omits_quiet=True,
        # There is no parameter for a limit: a longer window is cut.
        limit_counts_rows=False,
    ),
    instruments=InstrumentEndpoint(
        path="/api/v2/symbols", weight=4, params=MappingProxyType({}), rows=_instruments
    ),
)
