"""HTX (Huobi) spot: the newest 2000 candles, which no parameter moves.

Docs: https://huobiapi.github.io/docs/spot/v1/en/#get-klines-candles
A candle: {"id": open s, "open": 1.5, "close": …, "low": …, "high": …, "amount": volume, "vol": quote
volume, "count": trades}. Errors, too, come with HTTP 200.
"""

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

_NEWEST = 2000
_TOO_OFTEN = ("too-many-request", "rate-limit", "frequen")
_PASSING = ("busy", "internal", "maintenance", "timeout", "unavailable")
_VALUES = ("open", "high", "low", "close", "amount", "vol")


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}".lower()


def _params(symbol: str, interval: str, _window: Window, _limit: int) -> Params:
    """The newest rows, whatever the window: there is no parameter for a time."""
    return {"symbol": symbol, "period": interval, "size": _NEWEST}


def _candle(row: Any) -> Candle:
    first, high, low, last, volume, quote_volume = (number(row[name]) for name in _VALUES)
    opened, trades = from_seconds(whole(row["id"])), whole(row["count"])
    return Candle(opened, first, high, low, last, volume, quote_volume, trades)


def _rows(reply: Reply) -> list[Candle]:
    def read(body: Any) -> list[Candle]:
        return [_candle(row) for row in body["data"]]

    return reading(read, reply)


def _listed(row: Any) -> Listed | None:
    """One pair; None for those that are not spelt as pairs are, like leveraged tokens' indices."""
    symbol, base, quote, state = (text(row[key]) for key in ("sc", "bc", "qc", "state"))
    instrument = instrument_of(base.upper(), quote.upper())
    if instrument is None or symbol != _symbol(instrument):
        return None
    return Listed(instrument, symbol, "trading" if state == "online" else "halted")


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        return all_listed(body["data"], _listed)

    return reading(read, reply)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are ``{"status": "error", "err-code": …, "err-msg": …}``; what is not known is a rejection."""
    if not isinstance(body, dict) or body.get("status", "ok") == "ok":
        return http_fault(reply)
    code = str(body.get("err-code"))
    said = f"{code}: {body.get('err-msg', '')}"
    if any(word in code for word in _TOO_OFTEN):
        return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
    fault = http_fault(reply, said)
    if fault is not None:
        return fault
    is_passing = any(word in code for word in _PASSING)
    return TransientError(said) if is_passing else RequestRejected(said)


HTX = Provider(
    name="htx",
    title="HTX spot",
    docs="https://huobiapi.github.io/docs/spot/v1/en/#get-klines-candles",
    base_url="https://api.huobi.pro",
    mirrors=("https://api-aws.huobi.pro",),
    limits=Limits(weight_per_minute=300),
    symbol=_symbol,
    fault=_fault,
    history="the newest 2000 candles alone, to be harvested as they come",
    candles=CandleEndpoint(
        path="/market/history/kline",
        page_limit=_NEWEST,
        weight=1,
        # Its days and weeks begin in Singapore.
        intervals=MappingProxyType(
            {f"{count}m": f"{count}min" for count in (1, 5, 15, 30)}
            | {"1h": "60min", "4h": "4hour"}
        ),
        params=_params,
        rows=_rows,
        ascending=False,
        depth_slots=_NEWEST,
    ),
    instruments=InstrumentEndpoint(
        path="/v1/settings/common/symbols",
        weight=1,
        params=MappingProxyType({}),
        rows=_instruments,
    ),
)
