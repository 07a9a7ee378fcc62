"""What mempool.space recommends to pay for a Bitcoin transaction, in satoshi per virtual byte.

Docs: https://mempool.space/docs/api/rest#get-recommended-fees
"""

from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.providers.declaration import Limits, Provider, Question, Reply, Snapshot
from crypto_pipeline.providers.reading import number
from crypto_pipeline.providers.replies import http_fault, reading

_CHAIN = "bitcoin"


def _tiers(reply: Reply) -> dict[str, GasPrice]:
    """Slow is within an hour, standard within half of one, fast the next block."""

    def read(body: Any) -> dict[str, GasPrice]:
        slow, standard, fast = (
            number(body[key]) for key in ("hourFee", "halfHourFee", "fastestFee")
        )
        return {
            _CHAIN: GasPrice(None, slow_sat_vb=slow, standard_sat_vb=standard, fast_sat_vb=fast)
        }

    return reading(read, reply)


MEMPOOL_SPACE = Provider(
    name="mempool_space",
    title="mempool.space",
    docs="https://mempool.space/docs/api/rest",
    base_url="https://mempool.space",
    limits=Limits(weight_per_minute=30, concurrency=1),
    fault=http_fault,
    history="recommendations are told for now only",
    snapshots=MappingProxyType(
        {
            "gas_prices": Snapshot(
                name=lambda series: _CHAIN if series == f"{_CHAIN}/tiers" else None,
                question=lambda _: Question("/api/v1/fees/recommended"),
                rows=_tiers,
            )
        }
    ),
)
