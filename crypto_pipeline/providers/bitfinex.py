"""Bitfinex spot.

Docs: https://docs.bitfinex.com/reference/rest-public-candles
A candle: [open ms, open, close, high, low, volume]; a slot without a trade has none. An error is
["error", code, "message"], most often with HTTP 500.
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
from crypto_pipeline.providers.replies import by_body, http_fault, reading, reading_rows

_INVALID = 10020
_TOO_OFTEN = 11010
_PAUSE = 60.0
"""Seconds; an address that asked too often is let in again after a minute."""
_SHORT = 3
_THEIRS = {"USDT": "UST", "USDC": "UDC", "TUSD": "TSD", "DASH": "DSH", "IOTA": "IOT", "QTUM": "QTM"}
_OURS = {theirs: ours for ours, theirs in _THEIRS.items()}


def _symbol(instrument: Instrument) -> str:
    """``tBTCUSD``; a colon stands between the two where either has more than three letters."""
    pair = [_THEIRS.get(asset, asset) for asset in (instrument.base, instrument.quote)]
    return "t" + ("" if max(map(len, pair)) <= _SHORT else ":").join(pair)


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _params(_symbol: str, _interval: str, window: Window, limit: int) -> Params:
    """Both bounds are inclusive; symbol and interval are in the path."""
    start, end = _milliseconds(window.start), _milliseconds(window.end) - 1
    return {"start": start, "end": end, "limit": limit, "sort": 1}


def _candle(row: Sequence[object]) -> Candle:
    first, last, high, low, volume = map(number, row[1:])
    return Candle(from_milliseconds(whole(row[0])), first, high, low, last, volume, None, None)


def _rows(reply: Reply) -> list[Candle]:
    return reading_rows(_candle, reply)


def _listed(pair: str) -> Listed | None:
    """One pair; None for one that is not spelt as pairs are."""
    base, colon, quote = pair.partition(":")
    if not colon:
        base, quote = pair[:_SHORT], pair[_SHORT:]
    instrument = instrument_of(_OURS.get(base, base), _OURS.get(quote, quote))
    if instrument is None:
        return None
    symbol = f"t{pair}"
    return Listed(instrument, symbol, "trading") if symbol == _symbol(instrument) else None


def _instruments(reply: Reply) -> list[Listed]:
    """A list of one list: all pairs that trade now."""

    def read(body: Any) -> list[Listed]:
        (pairs,) = body
        return all_listed(pairs, lambda pair: _listed(text(pair)))

    return reading(read, reply)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """What an error's code means; a code that is not known is what the status says, or may pass."""
    match body:
        case ["error", code, *words]:
            said = " ".join(map(str, (code, *words)))
        case _:
            return http_fault(reply)
    if code == _TOO_OFTEN:
        return RateLimited(said, retry_after=reply.retry_after or _PAUSE)
    if code == _INVALID:
        return RequestRejected(said)
    return http_fault(reply, said) or TransientError(said)


BITFINEX = Provider(
    name="bitfinex",
    title="Bitfinex spot",
    docs="https://docs.bitfinex.com/reference/rest-public-candles",
    base_url="https://api-pub.bitfinex.com",
    limits=Limits(weight_per_minute=30, concurrency=2),
    symbol=_symbol,
    fault=_fault,
    history="every candle since 2013 or the pair's listing",
    candles=CandleEndpoint(
        path="/v2/candles/trade:{interval}:{symbol}/hist",
        page_limit=10_000,
        weight=1,
        # Where its weeks begin is not known from any recording, so they are not offered.
        intervals=MappingProxyType(
            {name: name for name in ("1m", "5m", "15m", "30m", "1h", "6h", "12h")} | {"1d": "1D"}
        ),
        params=_params,
        rows=_rows,
        omits_quiet=True,
    ),
    instruments=InstrumentEndpoint(
        path="/v2/conf/pub:list:pair:exchange",
        weight=1,
        params=MappingProxyType({}),
        rows=_instruments,
    ),
)
