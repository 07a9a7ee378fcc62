"""Kraken spot: the newest 720 candles of an interval, the running one among them, and no older ones.

Docs: https://docs.kraken.com/api-reference/market-data/get-ohlc-data
A candle: [open seconds, "open", "high", "low", "close", "vwap", "volume", trades]; a slot without a
trade has a flat one. Weeks, whose first day is not documented, are left out.
"""

from collections.abc import Sequence
from datetime import timedelta
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
from crypto_pipeline.providers.reading import from_seconds, number, text, whole
from crypto_pipeline.providers.replies import DEFAULT_PAUSE, by_body, http_fault, reading

_SECOND = timedelta(seconds=1)
_NAMES = MappingProxyType({"BTC": "XBT", "DOGE": "XDG"})
_OUR_NAMES = MappingProxyType({theirs: ours for ours, theirs in _NAMES.items()})
_TOO_FAST = ("Rate limit", "Too many requests", "Temporary lockout", "Throttled")
_PASSING = ("EService:", "EGeneral:Internal")


def _symbol(instrument: Instrument) -> str:
    """``XBTUSD``, whatever the reply calls it."""
    return "".join(_NAMES.get(asset, asset) for asset in (instrument.base, instrument.quote))


def _params(symbol: str, interval: str, window: Window, _limit: int) -> Params:
    """``since`` is exclusive, and there is no end: all comes up to the running candle."""
    before = (window.start - timedelta(microseconds=1) - EPOCH) // _SECOND
    return {"pair": symbol, "interval": interval, "since": before}


def _candle(row: Sequence[object]) -> Candle:
    opened, first, high, low, last, _, volume, trades = row[:8]
    prices = number(first), number(high), number(low), number(last)
    return Candle(from_seconds(opened), *prices, number(volume), None, whole(trades))


def _rows(reply: Reply) -> list[Candle]:
    def read(body: Any) -> list[Candle]:
        # One pair under a name of Kraken's choosing, beside the cursor.
        (rows,) = (rows for name, rows in body["result"].items() if name != "last")
        return [_candle(row) for row in rows]

    return reading(read, reply)


def _listed(row: Any) -> Listed | None:
    """One pair; None for a dark pool, which has no other name, and where an asset has no name here."""
    base, _, quote = text(row.get("wsname", "")).partition("/")
    instrument = instrument_of(_OUR_NAMES.get(base, base), _OUR_NAMES.get(quote, quote))
    if instrument is None:
        return None
    is_trading = row.get("status", "online") == "online"
    return Listed(instrument, text(row["altname"]), "trading" if is_trading else "halted")


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        return all_listed(body["result"].values(), _listed)

    return reading(read, reply)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are ``{"error": ["EQuery:Unknown asset pair"]}``, with status 200 as well."""
    errors = body.get("error") if isinstance(body, dict) else None
    told = map(str, errors) if isinstance(errors, list) else ()
    # What begins with W is a warning beside the answer.
    said = ", ".join(one for one in told if one.startswith("E"))
    if any(words in said for words in _TOO_FAST):
        return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
    if fault := http_fault(reply, said):
        return fault
    if any(words in said for words in _PASSING):
        return TransientError(said)
    return RequestRejected(said) if said else None


KRAKEN = Provider(
    name="kraken",
    title="Kraken spot",
    docs="https://docs.kraken.com/api-reference/market-data/get-ohlc-data",
    base_url="https://api.kraken.com",
    limits=Limits(weight_per_minute=50, concurrency=1),
    symbol=_symbol,
    fault=_fault,
    history="the newest 720 candles of each interval",
    candles=CandleEndpoint(
        path="/0/public/OHLC",
        page_limit=720,
        weight=1,
        intervals=MappingProxyType(
            {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "4h": "240", "1d": "1440"}
        ),
        params=_params,
        rows=_rows,
        resolution=_SECOND,
        depth_slots=720,
    ),
    instruments=InstrumentEndpoint(
        path="/0/public/AssetPairs", weight=1, params={}, rows=_instruments
    ),
)
