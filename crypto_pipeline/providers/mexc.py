"""MEXC v3 spot.

Docs: https://www.mexc.com/api-docs/spot-v3/market-data-endpoints#klinecandlestick-data
A candle: [open ms, open, high, low, close, volume, close ms, quote volume], the numbers as text, oldest
first. Errors are ``{"code": -1121, "msg": "Invalid symbol."}``.
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
from crypto_pipeline.providers.reading import from_milliseconds, number, text, whole
from crypto_pipeline.providers.replies import reading, reading_rows

_CODES = Codes(
    code="code",
    words="msg",
    too_often=frozenset({"429", "-1003", "510"}),
    passing=frozenset({"500", "503", "-1000", "-1001"}),
    refused=frozenset({"403"}),
)
_TRADING = frozenset({"1", "ENABLED"})
"""The state's spelling, and the one of earlier years."""


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}"


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _params(symbol: str, interval: str, window: Window, limit: int) -> Params:
    """``endTime`` is exclusive; were it not, the row too many has its place in ``limit``."""
    return {
        "symbol": symbol,
        "interval": interval,
        "startTime": _milliseconds(window.start),
        "endTime": _milliseconds(window.end),
        "limit": limit + 1,
    }


def _candle(row: Sequence[object]) -> Candle:
    first, high, low, last, volume = (number(text(value)) for value in row[1:6])
    opened, quote_volume = from_milliseconds(whole(row[0])), number(text(row[7]))
    return Candle(opened, first, high, low, last, volume, quote_volume, None)


def _rows(reply: Reply) -> list[Candle]:
    return reading_rows(_candle, reply)


def _instruments(reply: Reply) -> list[Listed]:
    """Whether a pair's orders are taken by API too is none of ours."""

    def read(body: Any) -> list[Listed]:
        names = ("symbol", "baseAsset", "quoteAsset")
        rows = body["symbols"]
        return pairs(rows, names, _symbol, lambda row: str(row["status"]) in _TRADING)

    return reading(read, reply)


MEXC = Provider(
    name="mexc",
    title="MEXC spot",
    docs="https://www.mexc.com/api-docs/spot-v3/market-data-endpoints#klinecandlestick-data",
    base_url="https://api.mexc.com",
    limits=Limits(weight_per_minute=900),
    symbol=_symbol,
    fault=_CODES.fault,
    history="some 30 days of minutes, and as many candles of a longer interval",
    candles=CandleEndpoint(
        path="/api/v3/klines",
        # The docs promise 1000; 500 come.
        page_limit=499,
        weight=1,
        # Where its weeks begin is not known from any recording: they are not offered.
        intervals=MappingProxyType(
            {name: name for name in ("1m", "5m", "15m", "30m", "4h", "1d")} | {"1h": "60m"}
        ),
        params=_params,
        rows=_rows,
        # How far back is not documented: 30 days of minutes, and the rows of the others likewise.
        depth_slots=30 * 24 * 60,
        # Which rows come when more fit than the limit is not known, so that more never fit.
        limit_counts_rows=False,
    ),
    instruments=InstrumentEndpoint(
        path="/api/v3/exchangeInfo",
        weight=10,
        params=MappingProxyType({}),
        rows=_instruments,
    ),
)
