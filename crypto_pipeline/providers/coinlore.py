"""CoinLore: the hundred largest coins in one reply, by their symbols."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.declaration import Limits, Provider, Question, Snapshot
from crypto_pipeline.providers.prices import by_symbol, fault_told_in, rows_by_name
from crypto_pipeline.providers.reading import from_seconds, number, optional_number, text

_MOST = 100


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    """Largest first; the time is that of the whole list."""
    moment = from_seconds(body["info"]["time"])
    for row in body["data"]:
        yield (
            text(row["symbol"]).upper(),
            Price(
                moment,
                number(row["price_usd"]),
                optional_number(row["market_cap_usd"]),
                optional_number(row["volume24"]),
                optional_number(row["percent_change_24h"]),
            ),
        )


COINLORE = Provider(
    name="coinlore",
    title="CoinLore",
    docs="https://www.coinlore.com/cryptocurrency-data-api",
    base_url="https://api.coinlore.net",
    limits=Limits(weight_per_minute=30, concurrency=1),
    fault=fault_told_in("error", "message"),
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=by_symbol(),
                question=lambda _: Question("/api/tickers/", {"start": 0, "limit": _MOST}),
                rows=rows_by_name(_prices),
                most=_MOST,
            )
        }
    ),
)
