"""Etherscan's gas oracle: what it recommends to pay for a transaction on Ethereum now.

Docs: https://docs.etherscan.io/etherscan-v2/api-endpoints/gas-tracker
An answer does not say of which chain it is, so there is one series here.
"""

from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import (
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.providers.declaration import (
    Key,
    Limits,
    Params,
    Provider,
    Question,
    Reply,
    Snapshot,
)
from crypto_pipeline.providers.reading import number, text
from crypto_pipeline.providers.replies import DEFAULT_PAUSE, by_body, http_fault, reading

_CHAIN = "ethereum"
_CHAIN_ID = 1
_ORACLE: Params = {"chainid": _CHAIN_ID, "module": "gastracker", "action": "gasoracle"}


def _tiers(reply: Reply) -> dict[str, GasPrice]:
    """Its prices include the base fee, which it tells too: of the block after the last one."""

    def read(body: Any) -> dict[str, GasPrice]:
        told = body["result"]
        slow, standard, fast, base = (
            number(text(told[key]))
            for key in ("SafeGasPrice", "ProposeGasPrice", "FastGasPrice", "suggestBaseFee")
        )
        return {
            _CHAIN: GasPrice(
                None,
                base_fee_gwei=base,
                slow_gwei=slow,
                standard_gwei=standard,
                fast_gwei=fast,
                last_block=int(text(told["LastBlock"])),
            )
        }

    return reading(read, reply)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are ``{"status": "0", "message": "NOTOK", "result": "why"}`` with 200."""
    if not isinstance(body, dict) or body.get("status") != "0":
        return http_fault(reply)
    # What stands behind a bar has been seen to repeat the key.
    said = str(body.get("result") or body.get("message")).partition("|")[0]
    if fault := http_fault(reply, said):
        return fault
    if "rate limit" in said.lower():
        return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
    return TransientError(said) if "temporarily" in said else RequestRejected(said)


ETHERSCAN = Provider(
    name="etherscan",
    title="Etherscan",
    docs="https://docs.etherscan.io/etherscan-v2",
    base_url="https://api.etherscan.io",
    limits=Limits(weight_per_minute=120, concurrency=1),
    key=Key("ETHERSCAN_API_KEY", param="apikey"),
    fault=_fault,
    history="recommendations are told for now only",
    snapshots=MappingProxyType(
        {
            "gas_prices": Snapshot(
                name=lambda series: _CHAIN if series == f"{_CHAIN}/tiers" else None,
                question=lambda _: Question("/v2/api", _ORACLE),
                rows=_tiers,
            )
        }
    ),
)
