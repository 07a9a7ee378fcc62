"""Poloniex spot.

Docs: https://api-docs.poloniex.com/spot/api/public/market-data#candles
A candle: [low, high, open, close, quote volume, volume, taker's quote, taker's volume, trades, pushed,
average, interval, open ms, close ms], the numbers but the last ones and the trades as text.
"""

from collections.abc import Sequence
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
from crypto_pipeline.providers.replies import (
    DEFAULT_PAUSE,
    by_body,
    http_fault,
    reading,
    reading_rows,
)

_TOO_OFTEN = frozenset({429})
_PASSING = frozenset({415, 500, 603, 24201})
"""System error, internal error, internal timeout, service busy."""


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}_{instrument.quote}"


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _params(_symbol: str, interval: str, window: Window, limit: int) -> Params:
    """``endTime`` seems exclusive; a millisecond before ours is right either way."""
    return {
        "interval": interval,
        "startTime": _milliseconds(window.start),
        "endTime": _milliseconds(window.end) - 1,
        "limit": limit,
    }


def _candle(row: Sequence[object]) -> Candle:
    low, high, first, last, quote_volume, volume = (number(text(value)) for value in row[:6])
    opened, trades = from_milliseconds(whole(row[12])), whole(row[8])
    return Candle(opened, first, high, low, last, volume, quote_volume, trades)


def _rows(reply: Reply) -> list[Candle]:
    return reading_rows(_candle, reply)


def _listed(row: Any) -> Listed | None:
    """One market; None where an asset has no name here."""
    symbol, base, quote, state = (
        text(row[key]) for key in ("symbol", "baseCurrencyName", "quoteCurrencyName", "state")
    )
    instrument = instrument_of(base, quote)
    if instrument is None or symbol != _symbol(instrument):
        return None
    return Listed(instrument, symbol, "trading" if state == "NORMAL" else "halted")


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        return all_listed(body, _listed)

    return reading(read, reply)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are ``{"code": 24101, "message": "Invalid symbol"}``."""
    if not isinstance(body, dict) or "code" not in body:
        return http_fault(reply)
    code, said = body["code"], f"{body['code']} {body.get('message', '')}".strip()
    fault = http_fault(reply, said)
    if fault is not None:
        return fault
    if code in _TOO_OFTEN:
        return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
    return TransientError(said) if code in _PASSING else RequestRejected(said)


POLONIEX = Provider(
    name="poloniex",
    title="Poloniex spot",
    docs="https://api-docs.poloniex.com/spot/api/public/market-data",
    base_url="https://api.poloniex.com",
    limits=Limits(weight_per_minute=600),
    symbol=_symbol,
    fault=_fault,
    history="candles by range; how far back is not documented",
    candles=CandleEndpoint(
        path="/markets/{symbol}/candles",
        page_limit=500,
        weight=1,
        # Where its three days and weeks begin is not known from any recording: they are not offered.
        intervals=MappingProxyType(
            {f"{count}m": f"MINUTE_{count}" for count in (1, 5, 15, 30)}
            | {f"{count}h": f"HOUR_{count}" for count in (1, 2, 4, 6, 12)}
            | {"1d": "DAY_1"}
        ),
        params=_params,
        rows=_rows,
        # Which rows come when more fit than the limit is not known, so that more never fit.
        limit_counts_rows=False,
    ),
    instruments=InstrumentEndpoint(
        path="/markets", weight=1, params=MappingProxyType({}), rows=_instruments
    ),
)
