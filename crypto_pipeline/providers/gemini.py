"""Gemini spot: a fixed window of the newest candles, which no parameter moves.

Docs: https://docs.gemini.com/rest-api/#candles
A candle: [open ms, open, high, low, close, volume]. The list of symbols does not say where base and
quote meet (``paxgusd``), so instruments are named one by one.
"""

from collections.abc import Sequence
from datetime import timedelta
from types import MappingProxyType

from crypto_pipeline.errors import (
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import CandleEndpoint, Limits, Params, Provider, Reply
from crypto_pipeline.providers.reading import from_milliseconds, number, whole
from crypto_pipeline.providers.replies import (
    DEFAULT_PAUSE,
    by_body,
    http_fault,
    reading_rows,
)

_TOO_OFTEN = frozenset({"RateLimit", "RateLimited"})
_PASSING = frozenset({"Maintenance", "System"})


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}".lower()


def _params(_symbol: str, _interval: str, _window: Window, _limit: int) -> Params:
    """There are none: symbol and interval are in the path."""
    return {}


def _candle(row: Sequence[object]) -> Candle:
    first, high, low, last, volume = map(number, row[1:])
    return Candle(from_milliseconds(whole(row[0])), first, high, low, last, volume, None, None)


def _rows(reply: Reply) -> list[Candle]:
    return reading_rows(_candle, reply)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are ``{"result": "error", "reason": "InvalidSymbol", "message": …}``."""
    if not isinstance(body, dict) or body.get("result") != "error":
        return http_fault(reply)
    reason, said = body.get("reason"), f"{body.get('reason')}: {body.get('message', '')}"
    if reason in _TOO_OFTEN:
        return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
    fault = http_fault(reply, said)
    if fault is not None:
        return fault
    return TransientError(said) if reason in _PASSING else RequestRejected(said)


GEMINI = Provider(
    name="gemini",
    title="Gemini spot",
    docs="https://docs.gemini.com/rest-api/#candles",
    base_url="https://api.gemini.com",
    limits=Limits(weight_per_minute=120, concurrency=2),
    symbol=_symbol,
    fault=_fault,
    history="the newest candles alone: a day of minutes, to be harvested as they come",
    candles=CandleEndpoint(
        path="/v2/candles/{symbol}/{interval}",
        page_limit=1440,
        weight=1,
        # Where its six hours and its days begin is not known from any recording.
        intervals=MappingProxyType(
            {name: name for name in ("1m", "5m", "15m", "30m")} | {"1h": "1hr"}
        ),
        params=_params,
        rows=_rows,
        ascending=False,
        depth=timedelta(days=1),
    ),
)
