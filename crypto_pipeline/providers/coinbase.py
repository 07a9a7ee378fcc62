"""Coinbase Exchange.

Docs: https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproductcandles
A candle: [open seconds, low, high, open, close, volume], as numbers, newest first; a slot without a
trade has none.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.frames.candles import Candle
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
from crypto_pipeline.providers.replies import http_fault, reading, reading_rows, said_in


def _params(_symbol: str, granularity: str, window: Window, _limit: int) -> Params:
    """``end`` is inclusive, so it is the last second of the window; more than 300 buckets are refused."""
    last = window.end - timedelta(microseconds=1)
    return {"granularity": granularity, "start": _iso(window.start), "end": _iso(last)}


def _iso(moment: datetime) -> str:
    """Cut to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _candle(row: Sequence[object]) -> Candle:
    opened, low, high, first, last, volume = row[:6]
    prices = number(first), number(high), number(low), number(last)
    return Candle(from_seconds(opened), *prices, number(volume), None, None)


def _rows(reply: Reply) -> list[Candle]:
    return reading_rows(_candle, reply)


def _listed(row: Any) -> Listed | None:
    """One product, delisted ones too; None where an asset has no name here."""
    base, quote, status = (text(row[key]) for key in ("base_currency", "quote_currency", "status"))
    instrument = instrument_of(base, quote)
    if instrument is None:
        return None
    trades = status == "online" and not row["trading_disabled"]
    return Listed(instrument, text(row["id"]), "trading" if trades else "halted")


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        return all_listed(body, _listed)

    return reading(read, reply)


def _fault(reply: Reply) -> ProviderError | None:
    """Errors are ``{"message": …}`` with a status that says which kind."""
    return http_fault(reply, said_in(reply, "message"))


COINBASE = Provider(
    name="coinbase",
    title="Coinbase Exchange",
    docs="https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproductcandles",
    base_url="https://api.exchange.coinbase.com",
    limits=Limits(weight_per_minute=480),
    fault=_fault,
    history="every candle since the product's listing, the first in 2015",
    candles=CandleEndpoint(
        path="/products/{symbol}/candles",
        page_limit=300,
        weight=1,
        intervals=MappingProxyType(
            {"1m": "60", "5m": "300", "15m": "900", "1h": "3600", "6h": "21600", "1d": "86400"}
        ),
        params=_params,
        rows=_rows,
        resolution=timedelta(seconds=1),
        ascending=False,
        omits_quiet=True,
        limit_counts_rows=False,
    ),
    instruments=InstrumentEndpoint(path="/products", weight=1, params={}, rows=_instruments),
)
