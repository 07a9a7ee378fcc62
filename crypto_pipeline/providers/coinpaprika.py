"""CoinPaprika: the price of one asset, or of all in one reply."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import HostRefused, ProviderError
from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.declaration import Limits, Provider, Question, Reply, Snapshot
from crypto_pipeline.providers.prices import fault_told_in, known_as, rows_by_name
from crypto_pipeline.providers.reading import from_iso, number, optional_number, text
from crypto_pipeline.providers.replies import REFUSAL_PAUSE

_ALL = 2000
_PAYMENT_REQUIRED = 402
_told = fault_told_in("error", "message")


def _fault(reply: Reply) -> ProviderError | None:
    """Errors are ``{"error": …}``; 402 is a month's allowance used up."""
    fault = _told(reply)
    if reply.status == _PAYMENT_REQUIRED:
        return HostRefused(str(fault), retry_after=reply.retry_after or REFUSAL_PAUSE)
    return fault


def _question(names: Sequence[str]) -> Question:
    """All cost one request, as one does; a slash at the end would be a redirect."""
    path = f"/v1/tickers/{names[0]}" if len(names) == 1 else "/v1/tickers"
    return Question(path, {"quotes": "USD"})


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    for row in body if isinstance(body, list) else [body]:
        told = row["quotes"]["USD"]
        yield (
            text(row["id"]),
            Price(
                from_iso(row["last_updated"]),
                number(told["price"]),
                optional_number(told["market_cap"]),
                optional_number(told["volume_24h"]),
                optional_number(told["percent_change_24h"]),
            ),
        )


COINPAPRIKA = Provider(
    name="coinpaprika",
    title="CoinPaprika",
    docs="https://api.coinpaprika.com",
    base_url="https://api.coinpaprika.com",
    limits=Limits(weight_per_minute=60, concurrency=2),
    fault=_fault,
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=known_as("coinpaprika"),
                question=_question,
                rows=rows_by_name(_prices),
                most=_ALL,
            )
        }
    ),
)
