"""Crypto.com Exchange spot.

Docs: https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#public-get-candlestick
A candle: {"t": open ms, "o": "…", "h": "…", "l": "…", "c": "…", "v": "…"}; ``code`` 0 is an answer.
"""

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import (
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import (
    CandleEndpoint,
    InstrumentEndpoint,
    Limits,
    Listed,
    Params,
    Provider,
    Reply,
)
from crypto_pipeline.providers.pairs import all_listed, instrument_of
from crypto_pipeline.providers.reading import from_milliseconds, number, text, whole
from crypto_pipeline.providers.replies import DEFAULT_PAUSE, by_body, http_fault, reading

_TOO_OFTEN = 42901
_PASSING = frozenset({10001, 40801, 50001})
"""System error, timeout, internal error."""
_WRONG = frozenset({206, 208, 209, 30003, 40001, 40003, 40004, 40005, 40401})
"""Wrong in what was asked, whatever the status: an instrument, an argument, a date."""


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}_{instrument.quote}"


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _params(symbol: str, interval: str, window: Window, limit: int) -> Params:
    """Whether the bounds are inclusive is not known: as asked here the window's rows always come.

    A row too many at either end has its place in ``count``.
    """
    return {
        "instrument_name": symbol,
        "timeframe": interval,
        "start_ts": _milliseconds(window.start) - 1,
        "end_ts": _milliseconds(window.end),
        "count": limit + 1,
    }


def _candle(row: Any) -> Candle:
    first, high, low, last, volume = (number(text(row[name])) for name in "ohlcv")
    opened = from_milliseconds(whole(row["t"]))
    return Candle(opened, first, high, low, last, volume, None, None)


def _rows(reply: Reply) -> list[Candle]:
    def read(body: Any) -> list[Candle]:
        return [_candle(row) for row in body["result"]["data"]]

    return reading(read, reply)


def _listed(row: Any) -> Listed | None:
    """One pair; None for a derivative, and where an asset has no name here."""
    symbol, base, quote = (text(row[key]) for key in ("symbol", "base_ccy", "quote_ccy"))
    instrument = instrument_of(base, quote)
    if instrument is None:
        return None
    if symbol != _symbol(instrument) or row.get("inst_type", "CCY_PAIR") != "CCY_PAIR":
        return None
    return Listed(instrument, symbol, "trading" if row["tradable"] is True else "halted")


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        return all_listed(body["result"]["data"], _listed)

    return reading(read, reply)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are ``{"code": 30003, "message": …}``; permanent ones, too, come with HTTP 500."""
    if not isinstance(body, dict) or body.get("code", 0) == 0:
        return http_fault(reply)
    code, said = body["code"], f"{body['code']} {body.get('message', '')}".strip()
    if code == _TOO_OFTEN:
        return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
    if code in _WRONG:
        return RequestRejected(said)
    if code in _PASSING:
        return TransientError(said)
    return http_fault(reply, said) or RequestRejected(said)


CRYPTOCOM = Provider(
    name="cryptocom",
    title="Crypto.com Exchange spot",
    docs="https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html",
    base_url="https://api.crypto.com",
    limits=Limits(weight_per_minute=600),
    symbol=_symbol,
    fault=_fault,
    history="candles by range; how far back is not documented",
    candles=CandleEndpoint(
        path="/exchange/v1/public/get-candlestick",
        # One less than the venue gives.
        page_limit=299,
        weight=1,
        intervals=MappingProxyType(
            {name: name for name in ("1m", "5m", "15m", "30m", "1h", "2h", "4h", "12h")}
            | {"1d": "1D", "1w": "7D"}
        ),
        params=_params,
        rows=_rows,
        limit_counts_rows=False,
    ),
    instruments=InstrumentEndpoint(
        path="/exchange/v1/public/get-instruments",
        weight=1,
        params=MappingProxyType({}),
        rows=_instruments,
    ),
)
