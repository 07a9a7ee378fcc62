"""Bybit v5 spot.

Docs: https://bybit-exchange.github.io/docs/v5/market/kline
A candle: [open ms, open, high, low, close, volume, quote volume], all text, newest first; ``retCode`` 0
is an answer.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import HostRefused, ProviderError
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

_BAN = 600.0
"""Seconds; the docs say that an address that asked too often is let in again after ten minutes."""
_CODES = Codes(
    code="retCode",
    words="retMsg",
    answer="0",
    too_often=frozenset({"10006", "10018", "10429"}),
    # Server timeout, server error.
    passing=frozenset({"10000", "10016"}),
    # Banned address, service restricted by law.
    refused=frozenset({"10009", "10024"}),
)


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}"


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _params(symbol: str, interval: str, window: Window, limit: int) -> Params:
    """``end`` is inclusive, so it is the last millisecond of the window."""
    return {
        "category": "spot",
        "symbol": symbol,
        "interval": interval,
        "start": _milliseconds(window.start),
        "end": _milliseconds(window.end) - 1,
        "limit": limit,
    }


def _candle(row: Sequence[object]) -> Candle:
    first, high, low, last, volume, quote_volume = (number(text(value)) for value in row[1:7])
    opened = from_milliseconds(text(row[0]))
    return Candle(opened, first, high, low, last, volume, quote_volume, None)


def _rows(reply: Reply) -> list[Candle]:
    def read(body: Any) -> list[Candle]:
        return [_candle(row) for row in body["result"]["list"]]

    return reading(read, reply)


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        names = ("symbol", "baseCoin", "quoteCoin")
        rows = body["result"]["list"]
        return pairs(rows, names, _symbol, lambda row: text(row["status"]) == "Trading")

    return reading(read, reply)


def _fault(reply: Reply) -> ProviderError | None:
    """A 403 is a refused country, or ``access too frequent``, which is forgiven sooner."""
    fault = _CODES.fault(reply)
    if isinstance(fault, HostRefused) and b"too frequent" in reply.body.lower():
        return HostRefused(f"{fault}: access too frequent", retry_after=reply.retry_after or _BAN)
    return fault


BYBIT = Provider(
    name="bybit",
    title="Bybit spot",
    docs="https://bybit-exchange.github.io/docs/v5/market/kline",
    base_url="https://api.bybit.com",
    mirrors=("https://api.bytick.com",),
    limits=Limits(weight_per_minute=1200),
    symbol=_symbol,
    fault=_fault,
    history="every candle since the pair's listing; addresses in the US and mainland China are refused",
    candles=CandleEndpoint(
        path="/v5/market/kline",
        page_limit=1000,
        weight=1,
        # On which day its weeks begin is not known from any recording: they are not offered.
        intervals=MappingProxyType(
            {f"{count}m": f"{count}" for count in (1, 3, 5, 15, 30)}
            | {f"{count}h": f"{60 * count}" for count in (1, 2, 4, 6, 12)}
            | {"1d": "D"}
        ),
        params=_params,
        rows=_rows,
        ascending=False,
        # Which rows come when more fit than the limit is not documented, so that more never fit.
        limit_counts_rows=False,
    ),
    instruments=InstrumentEndpoint(
        path="/v5/market/instruments-info",
        weight=1,
        params=MappingProxyType({"category": "spot"}),
        rows=_instruments,
    ),
)
