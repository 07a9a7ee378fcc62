"""Coinbase's last price of a coin in dollars, for want of that of all markets."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.declaration import Limits, Provider, Question, Snapshot
from crypto_pipeline.providers.prices import by_symbol, fault_told_in, rows_by_name
from crypto_pipeline.providers.reading import number, optional_number, text


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    """The change is the pair's own; of a product that is closed the price is of long ago."""
    if not body["is_disabled"]:
        change = optional_number(body["price_percentage_change_24h"])
        price = Price(None, number(body["price"]), change_24h_pct=change)
        yield text(body["product_id"]), price


COINBASE_TICKER = Provider(
    name="coinbase_ticker",
    title="Coinbase's prices in dollars",
    docs="https://docs.cdp.coinbase.com/advanced-trade/reference",
    base_url="https://api.coinbase.com",
    limits=Limits(weight_per_minute=300),
    fault=fault_told_in("error", "message"),
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=by_symbol("{}-USD".format),
                question=lambda names: Question(f"/api/v3/brokerage/market/products/{names[0]}"),
                rows=rows_by_name(_prices),
            )
        }
    ),
)
