"""Whom to ask first: the providers of each observed dataset in order of trust, where nobody says else."""

from collections.abc import Mapping
from types import MappingProxyType

TRUSTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "market_prices": (
            "coingecko",
            "coinpaprika",
            "coincap",
            "coinmarketcap",
            "coinranking",
            "coinlore",
            "defillama",
            "coinbase_ticker",
            "kraken_ticker",
            "bitstamp_ticker",
            "bitfinex_ticker",
            "gemini_ticker",
        ),
        "sentiment": ("alternative_me", "wikimedia", "coinmarketcap"),
        "gas_prices": (
            "publicnode",
            "drpc",
            "llamarpc",
            "merkle",
            "onerpc",
            "etherscan",
            "blockscout",
            "mempool_space",
        ),
    }
)
"""By dataset. All-market averages come before single exchanges; keyed ones are skipped without a key."""
