"""Binance spot, and Binance.US, which speaks the same protocol.

Docs: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
A kline: [open ms, "open", "high", "low", "close", "volume", close ms, "quote volume", trades, …].
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import numpy as np

from crypto_pipeline.errors import (
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
)
from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.frames.kline_text import plain_block
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH, INTERVALS
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
from crypto_pipeline.providers.reading import text, whole
from crypto_pipeline.providers.replies import (
    DEFAULT_PAUSE,
    http_fault,
    json_body,
    reading,
    reading_rows,
)

_MS = timedelta(milliseconds=1)
_TOO_MUCH_WEIGHT = -1003
_ROW = b'[,"","","","","",,"",,"","",""],'
"""A row of a reply without its digits, and what follows it."""
_TOUCHES = np.array([_ROW[at - 1 : at + 1] not in (b"[,", b",,", b'""') for at in range(len(_ROW))])
"""Whether no digits stand between a mark of a row and the one before."""
_MARKS = bytes(bytes([one]) not in b"0123456789." for one in range(256))
_NO_TEXT = b'[]"'
_GONE = sum(_ROW.count(one) for one in _NO_TEXT)
"""Marks of a row that are not in the lines it becomes."""
_ODD_POINTS = (b",.", b".,", b"\n.", b".\n")
"""Points without a digit on both sides, which are no numbers in JSON."""


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}"


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // _MS


def _params(symbol: str, interval: str, window: Window, limit: int) -> Params:
    """``endTime`` is inclusive at Binance, so it is one millisecond before ours."""
    return {
        "symbol": symbol,
        "interval": interval,
        "startTime": _milliseconds(window.start),
        "endTime": _milliseconds(window.end) - 1,
        "limit": limit,
    }


def _candle(row: Sequence[object]) -> Candle:
    opened, first, high, low, last, volume, _, quote_volume, trades = row[:9]
    return Candle(
        EPOCH + timedelta(milliseconds=whole(opened)),
        _number(first),
        _number(high),
        _number(low),
        _number(last),
        _number(volume),
        _number(quote_volume),
        whole(trades),
    )


def _number(value: object) -> Decimal:
    return Decimal(text(value))


def _rows(reply: Reply) -> list[Candle]:
    return reading_rows(_candle, reply)


def _block(reply: Reply) -> CandleBlock | None:
    """The rows of a reply without white space whose cells are plain digits of the types they should be."""
    text = np.frombuffer(reply.body, np.uint8)
    marks = np.flatnonzero(np.frombuffer(reply.body.translate(_MARKS), np.bool_))
    rows, rest = divmod(len(marks) - 1, len(_ROW))
    if rows < 1 or rest or marks[-1] - marks[0] + 1 < len(text):
        return None
    gaps = np.diff(marks).reshape(rows, -1)[:, _TOUCHES]
    if text[marks].tobytes() != b"[%b]" % (_ROW * rows)[:-1] or (gaps > 1).any():
        return None
    lines = np.frombuffer(bytearray(reply.body.translate(None, _NO_TEXT) + b"\n"), np.uint8)
    gone = 1 + _GONE * np.arange(1, rows)
    lines[marks[len(_ROW) : -1 : len(_ROW)] - gone] = ord("\n")
    plain = lines.tobytes()
    return None if any(odd in plain for odd in _ODD_POINTS) else plain_block(plain)


def listed(row: Any) -> Listed | None:
    """One symbol; None where an asset has no name here, like the few in Chinese characters."""
    symbol, status, base, quote = (
        text(row[key]) for key in ("symbol", "status", "baseAsset", "quoteAsset")
    )
    instrument = instrument_of(base, quote)
    if instrument is None:
        return None
    return Listed(instrument, symbol, "trading" if status == "TRADING" else "halted")


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        return all_listed(body["symbols"], listed)

    return reading(read, reply)


def _fault(reply: Reply) -> ProviderError | None:
    """Errors are ``{"code": …, "msg": …}``; a geo-block is 451 with code 0, so the status goes first."""
    if reply.status < HTTPStatus.BAD_REQUEST and reply.body.startswith(b"["):
        return None
    try:
        body = json_body(reply)
    except MalformedReply as malformed:
        return http_fault(reply) or malformed
    if not isinstance(body, dict) or "code" not in body:
        return http_fault(reply)
    said = f"{body['code']} {body.get('msg', '')}".strip()
    fault = http_fault(reply, said)
    if fault is None and body["code"] == _TOO_MUCH_WEIGHT:
        return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
    return fault or RequestRejected(said)


_CANDLES = CandleEndpoint(
    path="/api/v3/klines",
    page_limit=1000,
    weight=2,
    intervals=MappingProxyType({name: name for name in INTERVALS}),
    params=_params,
    rows=_rows,
    block=_block,
)

BINANCE = Provider(
    name="binance",
    title="Binance spot",
    docs="https://developers.binance.com/docs/binance-spot-api-docs",
    base_url="https://api.binance.com",
    mirrors=("https://data-api.binance.vision",),
    limits=Limits(
        weight_per_minute=6000, concurrency=16, used_weight_header="x-mbx-used-weight-1m"
    ),
    symbol=_symbol,
    fault=_fault,
    history="every candle since 2017-07 or the pair's listing",
    candles=_CANDLES,
    instruments=InstrumentEndpoint(
        path="/api/v3/exchangeInfo",
        weight=20,
        params=MappingProxyType({"showPermissionSets": "false"}),
        rows=_instruments,
    ),
)

_US_INTERVALS = {name: name for name in INTERVALS if name != "1s"}

BINANCE_US = replace(
    BINANCE,
    name="binance_us",
    title="Binance.US",
    docs="https://docs.binance.us/#get-candlestick-data",
    base_url="https://api.binance.us",
    mirrors=(),
    limits=Limits(weight_per_minute=1000, used_weight_header="x-mbx-used-weight-1m"),
    history="every candle since 2019-09 or the pair's listing; only addresses in the US are answered",
    candles=replace(_CANDLES, intervals=MappingProxyType(_US_INTERVALS)),
)
