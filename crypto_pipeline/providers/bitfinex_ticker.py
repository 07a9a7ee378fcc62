"""Bitfinex's last prices of coins in dollars, for want of those of all markets."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.providers.bitfinex import BITFINEX
from crypto_pipeline.providers.declaration import Provider, Question, Snapshot
from crypto_pipeline.providers.prices import by_symbol, rows_by_name
from crypto_pipeline.providers.reading import number, text

_MOST = 100
_LAST_PRICE = 7


def _pair(symbol: str) -> str:
    return BITFINEX.symbol(Instrument(symbol, "USD"))


def _question(names: Sequence[str]) -> Question:
    return Question("/v2/tickers", {"symbols": ",".join(names)})


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    """A pair that is unknown is not there; funding, whose names begin with an f, is no price."""
    for row in body:
        if text(row[0]).startswith("t"):
            yield row[0], Price(None, number(row[_LAST_PRICE]))


BITFINEX_TICKER = Provider(
    name="bitfinex_ticker",
    title="Bitfinex's prices in dollars",
    docs="https://docs.bitfinex.com/reference/rest-public-tickers",
    base_url=BITFINEX.base_url,
    limits=BITFINEX.limits,
    fault=BITFINEX.fault,
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=by_symbol(_pair), question=_question, rows=rows_by_name(_prices), most=_MOST
            )
        }
    ),
)
