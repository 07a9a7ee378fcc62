"""Upbit spot (Korea).

Docs: https://docs.upbit.com/kr/reference/list-candles-minutes
A candle: {"candle_date_time_utc": "2024-03-01T00:00:00", "opening_price": 1.5, …}; a slot without a
trade has none. A page is the newest ``count`` candles that open before ``to``.
"""

from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import ProviderError, RequestRejected
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
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
from crypto_pipeline.providers.reading import from_iso, number, text
from crypto_pipeline.providers.replies import by_body, http_fault, reading, reading_rows

_INTERVALS = MappingProxyType(
    {f"{minutes}m": f"minutes/{minutes}" for minutes in (1, 3, 5, 15, 30)}
    | {"1h": "minutes/60", "4h": "minutes/240", "1d": "days", "1w": "weeks"}
)
_STEPS = {theirs: Interval.parse(ours).step for ours, theirs in _INTERVALS.items()}
_VALUES = (
    *("opening_price", "high_price", "low_price", "trade_price"),
    *("candle_acc_trade_volume", "candle_acc_trade_price"),
)


def _symbol(instrument: Instrument) -> str:
    """The money stands first: ``KRW-BTC``."""
    return f"{instrument.quote}-{instrument.base}"


def _params(symbol: str, interval: str, window: Window, limit: int) -> Params:
    """``to`` is exclusive; no more rows than the window has slots, for others would lie before it."""
    # A window that ends between two seconds is asked for up to the later one.
    end = window.end + timedelta(microseconds=-window.end.microsecond % 1_000_000)
    return {
        "market": symbol,
        "to": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "count": min(-(-window.span // _STEPS[interval]), limit),
    }


def _candle(row: Any) -> Candle:
    first, high, low, last, volume, quote_volume = (number(row[name]) for name in _VALUES)
    opened = from_iso(row["candle_date_time_utc"])
    return Candle(opened, first, high, low, last, volume, quote_volume, None)


def _rows(reply: Reply) -> list[Candle]:
    return reading_rows(_candle, reply)


def _listed(row: Any) -> Listed | None:
    """One market, trading as long as it is listed; None where an asset has no name here."""
    market = text(row["market"])
    quote, _, base = market.partition("-")
    instrument = instrument_of(base, quote)
    return Listed(instrument, market, "trading") if instrument else None


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        return all_listed(body, _listed)

    return reading(read, reply)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are ``{"error": {"name": …, "message": …}}`` with the status that fits."""
    match body:
        case {"error": {"name": name, "message": message}}:
            said = f"{name} {message}"
        case {"error": error}:
            said = str(error)
        case _:
            return http_fault(reply)
    if reply.status == HTTPStatus.NOT_FOUND:
        return RequestRejected(f"no such market: HTTP 404: {said}")
    return http_fault(reply, said) or RequestRejected(said)


UPBIT = Provider(
    name="upbit",
    title="Upbit spot",
    docs="https://docs.upbit.com/kr/reference/list-candles-minutes",
    base_url="https://api.upbit.com",
    # Ten requests a second, and a ban for who goes on: one after another is never too fast.
    limits=Limits(weight_per_minute=300, concurrency=1),
    symbol=_symbol,
    fault=_fault,
    history="years of candles; how far back is not documented",
    candles=CandleEndpoint(
        path="/v1/candles/{interval}",
        page_limit=200,
        weight=1,
        intervals=_INTERVALS,
        params=_params,
        rows=_rows,
        resolution=timedelta(seconds=1),
        ascending=False,
        omits_quiet=True,
    ),
    instruments=InstrumentEndpoint(
        path="/v1/market/all", weight=1, params=MappingProxyType({}), rows=_instruments
    ),
)
