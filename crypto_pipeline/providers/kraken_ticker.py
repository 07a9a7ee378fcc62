"""Kraken's last prices of all coins in dollars, for want of those of all markets."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.declaration import Provider, Question, Snapshot
from crypto_pipeline.providers.kraken import KRAKEN
from crypto_pipeline.providers.prices import by_symbol, rows_by_name, table
from crypto_pipeline.providers.reading import number

_MOST = 500


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    """The last trade, whose time is not told; ``o`` is the day's first price, not that of 24 h ago."""
    for pair, told in table(body["result"]).items():
        if pair.endswith("/USD"):
            yield pair, Price(None, number(told["c"][0]))


KRAKEN_TICKER = Provider(
    name="kraken_ticker",
    title="Kraken's prices in dollars",
    docs="https://docs.kraken.com/api-reference/market-data/get-ticker-information",
    base_url=KRAKEN.base_url,
    limits=KRAKEN.limits,
    fault=KRAKEN.fault,
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=by_symbol("{}/USD".format),
                # Version 1 spells BTC/USD; without a pair all come, so none unknown spoils the rest.
                question=lambda _: Question("/0/public/Ticker", {"assetVersion": 1}),
                rows=rows_by_name(_prices),
                most=_MOST,
            )
        }
    ),
)
