"""Coinranking: the hundred largest coins in one reply, by their symbols; nothing without a key."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import ProviderError, RequestRejected
from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.declaration import Key, Limits, Provider, Question, Reply, Snapshot
from crypto_pipeline.providers.prices import by_symbol, fault_told_in, rows_by_name
from crypto_pipeline.providers.reading import number, optional_number, text
from crypto_pipeline.providers.replies import json_body

_MOST = 100
_told = fault_told_in("type", "message")


def _fault(reply: Reply) -> ProviderError | None:
    """Errors are ``{"status": "fail", "type": …, "message": …}``."""
    fault = _told(reply)
    if fault is not None:
        return fault
    body = json_body(reply)
    is_fail = isinstance(body, dict) and body.get("status", "success") != "success"
    return RequestRejected("the reply calls itself a failure") if is_fail else None


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    """Largest first, numbers as texts; the list has no time."""
    for row in body["data"]["coins"]:
        if row["price"] is not None:
            yield (
                text(row["symbol"]).upper(),
                Price(
                    None,
                    number(row["price"]),
                    optional_number(row["marketCap"]),
                    optional_number(row["24hVolume"]),
                    optional_number(row["change"]),
                ),
            )


COINRANKING = Provider(
    name="coinranking",
    title="Coinranking",
    docs="https://developers.coinranking.com/api/documentation",
    base_url="https://api.coinranking.com",
    limits=Limits(weight_per_minute=30, concurrency=1),
    fault=_fault,
    key=Key(env="COINRANKING_API_KEY", header="x-access-token"),
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=by_symbol(),
                question=lambda _: Question("/v2/coins", {"timePeriod": "24h", "limit": _MOST}),
                rows=rows_by_name(_prices),
                most=_MOST,
            )
        }
    ),
)
