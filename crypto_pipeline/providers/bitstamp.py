"""Bitstamp spot.

Docs: https://www.bitstamp.net/api/#tag/Market-info/operation/GetOHLCData
A candle: {"timestamp": "seconds", "open": "…", "high": …, "low": …, "close": …, "volume": …}. A page
is the newest ``limit`` candles up to ``end``: where both bounds are given ``start`` is ignored.
"""

from datetime import timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import (
    ProviderError,
    RateLimited,
    RequestRejected,
)
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH, Interval
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
from crypto_pipeline.providers.reading import from_seconds, number, text
from crypto_pipeline.providers.replies import by_body, http_fault, reading

_SECOND = timedelta(seconds=1)
_TOO_OFTEN = "400.002"
_PAUSE = 60.0
# Whether its three days count from the epoch is not known from any recording, so they are not offered.
_INTERVALS = MappingProxyType(
    {
        name: str(Interval.parse(name).step // _SECOND)
        for name in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
    }
)


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}".lower()


def _params(_symbol: str, interval: str, window: Window, limit: int) -> Params:
    """``end`` is inclusive; no more rows than the window has slots, for others would lie before it."""
    slots = -(-window.span // (int(interval) * _SECOND))
    return {
        "step": interval,
        "limit": min(slots, limit),
        "end": -((EPOCH - window.end) // _SECOND) - 1,
        "exclude_current_candle": "true",
    }


def _candle(row: Any) -> Candle:
    names = ("open", "high", "low", "close", "volume")
    first, high, low, last, volume = (number(text(row[name])) for name in names)
    opened = from_seconds(text(row["timestamp"]))
    return Candle(opened, first, high, low, last, volume, None, None)


def _rows(reply: Reply) -> list[Candle]:
    def read(body: Any) -> list[Candle]:
        return [_candle(row) for row in body["data"]["ohlc"]]

    return reading(read, reply)


def _listed(row: Any) -> Listed | None:
    """One market; None for a derivative, and where an asset has no name here."""
    symbol, kind = text(row["market_symbol"]), row.get("market_type", "SPOT")
    base, quote = str(row["base_currency"]).upper(), str(row["counter_currency"]).upper()
    instrument = instrument_of(base, quote)
    if instrument is None or kind != "SPOT" or symbol != _symbol(instrument):
        return None
    return Listed(instrument, symbol, "trading" if row["trading"] == "Enabled" else "halted")


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        return all_listed(body, _listed)

    return reading(read, reply)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are ``{"code": …, "errors": […]}``, older ones ``{"status": "error", "reason": …}``."""
    if not isinstance(body, dict) or not body.keys() & {"code", "errors", "error", "reason"}:
        return http_fault(reply)
    words = (body.get(name) for name in ("code", "reason", "error", "errors"))
    said = " ".join(str(word) for word in words if word)
    if body.get("code") == _TOO_OFTEN:
        return RateLimited(said, retry_after=reply.retry_after or _PAUSE)
    return http_fault(reply, said) or RequestRejected(said)


BITSTAMP = Provider(
    name="bitstamp",
    title="Bitstamp spot",
    docs="https://www.bitstamp.net/api/",
    base_url="https://www.bitstamp.net",
    limits=Limits(weight_per_minute=600),
    symbol=_symbol,
    fault=_fault,
    history="every candle since 2011 or the pair's listing",
    candles=CandleEndpoint(
        path="/api/v2/ohlc/{symbol}/",
        page_limit=1000,
        weight=1,
        intervals=_INTERVALS,
        params=_params,
        rows=_rows,
        resolution=_SECOND,
        ascending=False,
    ),
    instruments=InstrumentEndpoint(
        path="/api/v2/markets/", weight=1, params=MappingProxyType({}), rows=_instruments
    ),
)
