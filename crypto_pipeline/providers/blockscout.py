"""Blockscout's explorer of Ethereum: what transactions that were fast or slow of late have paid.

Docs: https://docs.blockscout.com/devs/apis/rest
The keyless explorers are to be replaced by one API with a key; until then they answer.
"""

from decimal import Decimal
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.providers.declaration import Limits, Provider, Question, Reply, Snapshot
from crypto_pipeline.providers.reading import from_iso, optional_number
from crypto_pipeline.providers.replies import by_body, http_fault, reading

_CHAIN = "ethereum"


def _tiers(reply: Reply) -> dict[str, GasPrice]:
    def read(body: Any) -> dict[str, GasPrice]:
        prices, updated = body["gas_prices"], body.get("gas_price_updated_at")
        slow, standard, fast = (_price(prices[key]) for key in ("slow", "average", "fast"))
        return {
            _CHAIN: GasPrice(
                observed_at=None if updated is None else from_iso(updated),
                slow_gwei=slow,
                standard_gwei=standard,
                fast_gwei=fast,
            )
        }

    return reading(read, reply)


def _price(told: Any) -> Decimal | None:
    """A number in gwei, or where the explorer is configured so, an object that holds it."""
    return optional_number(told["price"] if isinstance(told, dict) else told)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are told by the status, with a ``message``."""
    return http_fault(reply, str(body.get("message", "")) if isinstance(body, dict) else "")


BLOCKSCOUT = Provider(
    name="blockscout",
    title="Blockscout",
    docs="https://docs.blockscout.com/devs/apis/rest",
    base_url="https://eth.blockscout.com",
    limits=Limits(weight_per_minute=60, concurrency=1),
    fault=_fault,
    history="recommendations are told for now only",
    snapshots=MappingProxyType(
        {
            "gas_prices": Snapshot(
                name=lambda series: _CHAIN if series == f"{_CHAIN}/tiers" else None,
                question=lambda _: Question("/api/v2/stats"),
                rows=_tiers,
            )
        }
    ),
)
