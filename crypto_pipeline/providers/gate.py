"""Gate v4 spot.

Docs: https://www.gate.com/docs/developers/apiv4/en/#market-k-line-chart
A candle: [open seconds, quote volume, close, high, low, open, volume, closed], all text, oldest first.
Errors are ``{"label": "INVALID_CURRENCY_PAIR", "message": …}``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

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
from crypto_pipeline.providers.reading import from_seconds, number, text
from crypto_pipeline.providers.replies import reading

_CODES = Codes(
    code="label",
    words="message",
    too_often=frozenset({"TOO_MANY_REQUESTS"}),
    passing=frozenset({"INTERNAL", "SERVER_ERROR", "TOO_BUSY"}),
)


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}_{instrument.quote}"


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def _params(symbol: str, interval: str, window: Window, _limit: int) -> Params:
    """``to`` is inclusive, so it is the last second of the window; a limit beside them is refused."""
    last = window.end - timedelta(microseconds=1)
    return {
        "currency_pair": symbol,
        "interval": interval,
        "from": _seconds(window.start),
        "to": _seconds(last),
    }


def _candle(row: Sequence[object]) -> Candle:
    quote_volume, last, high, low, first, volume = (number(text(value)) for value in row[1:7])
    opened = from_seconds(text(row[0]))
    return Candle(opened, first, high, low, last, volume, quote_volume, None)


def _is_closed(row: Sequence[object]) -> bool:
    """As the eighth field says; older replies had none."""
    return len(row) <= 7 or text(row[7]) != "false"  # noqa: PLR2004 - the place in the row


def _rows(reply: Reply) -> list[Candle]:
    def read(body: object) -> list[Candle]:
        if not isinstance(body, list):
            raise TypeError
        return [_candle(row) for row in body if _is_closed(row)]

    return reading(read, reply)


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        names = ("id", "base", "quote")
        return pairs(body, names, _symbol, lambda row: text(row["trade_status"]) == "tradable")

    return reading(read, reply)


GATE = Provider(
    name="gate",
    title="Gate spot",
    docs="https://www.gate.com/docs/developers/apiv4/en/#market-k-line-chart",
    base_url="https://api.gateio.ws",
    limits=Limits(weight_per_minute=600),
    symbol=_symbol,
    fault=_CODES.fault,
    history="the newest 10,000 candles: a week of minutes, more than a year of hours",
    candles=CandleEndpoint(
        path="/api/v4/spot/candlesticks",
        # One less than the venue gives: 1000 are refused as too many now and then.
        page_limit=999,
        weight=1,
        # Whether its days begin at midnight UTC is not known from any recording: they are not offered.
        intervals=MappingProxyType(
            {name: name for name in ("1m", "5m", "15m", "30m", "1h", "4h", "8h")}
        ),
        params=_params,
        rows=_rows,
        resolution=timedelta(seconds=1),
        # A hundred less: what is asked for waits, and one slot too old is refused.
        depth_slots=9900,
        limit_counts_rows=False,
    ),
    instruments=InstrumentEndpoint(
        path="/api/v4/spot/currency_pairs",
        weight=1,
        params=MappingProxyType({}),
        rows=_instruments,
    ),
)
