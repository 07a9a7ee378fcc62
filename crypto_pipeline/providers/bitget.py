"""Bitget v2 spot.

Docs: https://www.bitget.com/api-doc/spot/market/Get-History-Candle-Data
A candle: [open ms, open, high, low, close, volume, quote volume, volume in USDT], all text, oldest first;
``code`` "00000" is an answer. ``/spot/market/candles`` reaches a month of minutes, so the history, which
only knows an end, is asked for every window.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.instruments import Instrument
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
from crypto_pipeline.providers.reading import from_milliseconds, number, text
from crypto_pipeline.providers.replies import reading

_CODES = Codes(
    code="code",
    words="msg",
    answer="00000",
    too_often=frozenset({"429", "30007"}),
    # Timeout, abnormal system, error of a service, unknown error.
    passing=frozenset({"40010", "40015", "40725", "45001"}),
)


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}"


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _params(symbol: str, granularity: str, window: Window, limit: int) -> Params:
    """Whether ``endTime`` is inclusive is not known: a row too many has its place in ``limit``."""
    return {
        "symbol": symbol,
        "granularity": granularity,
        "endTime": _milliseconds(window.end),
        "limit": limit + 1,
    }


def _candle(row: Sequence[object]) -> Candle:
    first, high, low, last, volume, quote_volume = (number(text(value)) for value in row[1:7])
    opened = from_milliseconds(text(row[0]))
    return Candle(opened, first, high, low, last, volume, quote_volume, None)


def _rows(reply: Reply) -> list[Candle]:
    def read(body: Any) -> list[Candle]:
        return [_candle(row) for row in body["data"]]

    return reading(read, reply)


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        names = ("symbol", "baseCoin", "quoteCoin")
        return pairs(body["data"], names, _symbol, lambda row: text(row["status"]) == "online")

    return reading(read, reply)


BITGET = Provider(
    name="bitget",
    title="Bitget spot",
    docs="https://www.bitget.com/api-doc/spot/market/Get-History-Candle-Data",
    base_url="https://api.bitget.com",
    limits=Limits(weight_per_minute=600),
    symbol=_symbol,
    fault=_CODES.fault,
    history="candles of years back, two hundred a page",
    candles=CandleEndpoint(
        path="/api/v2/spot/market/history-candles",
        # One less than the venue gives.
        page_limit=199,
        weight=1,
        # Without "utc" its longer slots begin in Singapore; where its weeks begin is not known.
        intervals=MappingProxyType(
            {f"{count}m": f"{count}min" for count in (1, 5, 15, 30)}
            | {"1h": "1h", "4h": "4h", "6h": "6Hutc", "12h": "12Hutc", "1d": "1Dutc"}
        ),
        params=_params,
        rows=_rows,
        ascending=False,
    ),
    instruments=InstrumentEndpoint(
        path="/api/v2/spot/public/symbols",
        weight=1,
        params=MappingProxyType({}),
        rows=_instruments,
    ),
)
