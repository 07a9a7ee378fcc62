"""OKX v5 spot.

Docs: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks-history
A candle: [open ms, open, high, low, close, volume, volume in coins, quote volume, confirmed], all text,
newest first; ``code`` "0" is an answer. ``/market/candles`` reaches the newest 1440 alone, so the
history is asked for every window.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.candles import Candle
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

_RUNNING = "0"
_CODES = Codes(
    code="code",
    words="msg",
    answer="0",
    too_often=frozenset({"50011", "50061"}),
    # Unavailable, timeout, busy, system error.
    passing=frozenset({"50001", "50004", "50013", "50026"}),
)


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _params(symbol: str, bar: str, window: Window, limit: int) -> Params:
    """``before`` asks for what is newer, ``after`` for what is older; neither bound is in."""
    return {
        "instId": symbol,
        "bar": bar,
        "before": _milliseconds(window.start) - 1,
        "after": _milliseconds(window.end),
        "limit": limit,
    }


def _candle(row: Sequence[object]) -> Candle:
    first, high, low, last, volume, _, quote_volume = (number(text(value)) for value in row[1:8])
    opened = from_milliseconds(text(row[0]))
    return Candle(opened, first, high, low, last, volume, quote_volume, None)


def _rows(reply: Reply) -> list[Candle]:
    """Those that OKX says are closed."""

    def read(body: Any) -> list[Candle]:
        return [_candle(row) for row in body["data"] if text(row[8]) != _RUNNING]

    return reading(read, reply)


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        names = ("instId", "baseCcy", "quoteCcy")
        return pairs(body["data"], names, str, lambda row: text(row["state"]) == "live")

    return reading(read, reply)


OKX = Provider(
    name="okx",
    title="OKX spot",
    docs="https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks-history",
    base_url="https://www.okx.com",
    limits=Limits(weight_per_minute=480),
    fault=_CODES.fault,
    history="candles of years back; addresses in the US are served by other hosts",
    candles=CandleEndpoint(
        path="/api/v5/market/history-candles",
        page_limit=300,
        weight=1,
        # Without "utc" its longer slots begin in Hong Kong; where its weeks begin is not known.
        intervals=MappingProxyType(
            {f"{count}m": f"{count}m" for count in (1, 3, 5, 15, 30)}
            | {f"{count}h": f"{count}H" for count in (1, 2, 4)}
            | {"6h": "6Hutc", "12h": "12Hutc", "1d": "1Dutc"}
        ),
        params=_params,
        rows=_rows,
        ascending=False,
        # Which rows come when more fit than the limit is not documented, so that more never fit.
        limit_counts_rows=False,
    ),
    instruments=InstrumentEndpoint(
        path="/api/v5/public/instruments",
        weight=1,
        params=MappingProxyType({"instType": "SPOT"}),
        rows=_instruments,
    ),
)
