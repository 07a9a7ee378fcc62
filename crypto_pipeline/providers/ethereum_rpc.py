"""Public Ethereum nodes, and the one function that makes a provider of any chain's node.

Left out: Cloudflare's gateway, which does not serve eth_feeHistory.
"""

from collections.abc import Sequence
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.declaration import Asker, History, Limits, Provider
from crypto_pipeline.providers.fee_history import Chain, Header, gas_prices
from crypto_pipeline.providers.json_rpc import Node, fault

_DOCS = "https://ethereum.github.io/execution-apis/api-documentation/"
_LONDON = Header(12_965_000, 1_628_166_822)
_MERGE = 15_537_394

CHAINS = MappingProxyType(
    {
        chain.name: chain
        for chain in (
            Chain("ethereum", first=_LONDON, beat=12, beat_since=_MERGE, span=DAY),
            Chain("base", first=Header(0, 1_686_789_347), beat=2, span=DAY / 4),
            Chain("optimism", first=Header(105_235_063, 1_686_068_903), beat=2, span=DAY / 4),
        )
    }
)
"""Chains of which something is known that saves requests; all others are asked for everything."""


def rpc_provider(
    chain: str, url: str, name: str = "", *, batch: int = 1, weight_per_minute: int = 120
) -> Provider:
    """The provider of ``<chain>/fees`` that the node at the URL is: the chain's name is free to choose.

    A key belongs into the URL's query, which no log shows, not into its path. ``batch`` is how many
    calls the node takes in one request; every call weighs 1.
    """
    parts = urlsplit(url)
    node = Node(parts.path or "/", dict(parse_qsl(parts.query)), batch)
    known = CHAINS.get(chain) or Chain(chain)

    async def rows(ask: Asker, _: str, window: Window, step: timedelta) -> Sequence[GasPrice]:
        return await gas_prices(ask, node, known, window, step)

    history = History(
        name=lambda series: chain if series == f"{chain}/fees" else None,
        rows=rows,
        span=known.span,
        absence="venue_outage",
    )
    return Provider(
        name=name or f"{chain}_rpc",
        title=f"{parts.hostname} ({chain})",
        docs=_DOCS,
        base_url=f"{parts.scheme}://{parts.netloc}",
        limits=Limits(weight_per_minute, concurrency=2),
        fault=fault,
        history="every block since the chain has fees, as far back as the node keeps blocks",
        histories=MappingProxyType({"gas_prices": history}),
    )


PUBLICNODE = rpc_provider(
    "ethereum", "https://ethereum-rpc.publicnode.com", "publicnode", batch=10, weight_per_minute=300
)
DRPC = rpc_provider("ethereum", "https://eth.drpc.org", "drpc", batch=3, weight_per_minute=300)
LLAMARPC = rpc_provider("ethereum", "https://eth.llamarpc.com", "llamarpc")
MERKLE = rpc_provider("ethereum", "https://eth.merkle.io", "merkle")
ONERPC = rpc_provider("ethereum", "https://1rpc.io/eth", "onerpc", batch=3)
"""It was seen eleven minutes behind: it comes last."""
