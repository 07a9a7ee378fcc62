"""The sources: one file each, named in PROVIDERS, and the one client that asks them.

Storing what they say, and choosing what to ask, live elsewhere.
"""

from types import MappingProxyType

from crypto_pipeline.providers.alternative_me import ALTERNATIVE_ME
from crypto_pipeline.providers.binance import BINANCE, BINANCE_US
from crypto_pipeline.providers.binance_usdm import BINANCE_USDM
from crypto_pipeline.providers.binance_vision import BINANCE_VISION, BINANCE_VISION_USDM
from crypto_pipeline.providers.bitfinex import BITFINEX
from crypto_pipeline.providers.bitfinex_ticker import BITFINEX_TICKER
from crypto_pipeline.providers.bitget import BITGET
from crypto_pipeline.providers.bitstamp import BITSTAMP
from crypto_pipeline.providers.bitstamp_ticker import BITSTAMP_TICKER
from crypto_pipeline.providers.blockscout import BLOCKSCOUT
from crypto_pipeline.providers.bybit import BYBIT
from crypto_pipeline.providers.coinbase import COINBASE
from crypto_pipeline.providers.coinbase_ticker import COINBASE_TICKER
from crypto_pipeline.providers.coincap import COINCAP
from crypto_pipeline.providers.coingecko import COINGECKO
from crypto_pipeline.providers.coinlore import COINLORE
from crypto_pipeline.providers.coinmarketcap import COINMARKETCAP
from crypto_pipeline.providers.coinpaprika import COINPAPRIKA
from crypto_pipeline.providers.coinranking import COINRANKING
from crypto_pipeline.providers.cryptocom import CRYPTOCOM
from crypto_pipeline.providers.cryptopanic import CRYPTOPANIC
from crypto_pipeline.providers.defillama import DEFILLAMA
from crypto_pipeline.providers.ethereum_rpc import DRPC, LLAMARPC, MERKLE, ONERPC, PUBLICNODE
from crypto_pipeline.providers.etherscan import ETHERSCAN
from crypto_pipeline.providers.gate import GATE
from crypto_pipeline.providers.gdelt import GDELT
from crypto_pipeline.providers.gemini import GEMINI
from crypto_pipeline.providers.gemini_ticker import GEMINI_TICKER
from crypto_pipeline.providers.hn_algolia import HN_ALGOLIA
from crypto_pipeline.providers.htx import HTX
from crypto_pipeline.providers.kraken import KRAKEN
from crypto_pipeline.providers.kraken_ticker import KRAKEN_TICKER
from crypto_pipeline.providers.kucoin import KUCOIN
from crypto_pipeline.providers.mempool_space import MEMPOOL_SPACE
from crypto_pipeline.providers.mexc import MEXC
from crypto_pipeline.providers.newsapi import NEWSAPI
from crypto_pipeline.providers.okx import OKX
from crypto_pipeline.providers.poloniex import POLONIEX
from crypto_pipeline.providers.rss import RSS
from crypto_pipeline.providers.upbit import UPBIT
from crypto_pipeline.providers.wikimedia import WIKIMEDIA

PROVIDERS = MappingProxyType(
    {
        provider.name: provider
        for provider in (
            ALTERNATIVE_ME,
            BINANCE,
            BINANCE_US,
            BINANCE_USDM,
            BINANCE_VISION,
            BINANCE_VISION_USDM,
            BITFINEX,
            BITFINEX_TICKER,
            BITGET,
            BITSTAMP,
            BITSTAMP_TICKER,
            BLOCKSCOUT,
            BYBIT,
            COINBASE,
            COINBASE_TICKER,
            COINCAP,
            COINGECKO,
            COINLORE,
            COINMARKETCAP,
            COINPAPRIKA,
            COINRANKING,
            CRYPTOCOM,
            CRYPTOPANIC,
            DEFILLAMA,
            DRPC,
            ETHERSCAN,
            GATE,
            GDELT,
            GEMINI,
            GEMINI_TICKER,
            HN_ALGOLIA,
            HTX,
            KRAKEN,
            KRAKEN_TICKER,
            KUCOIN,
            LLAMARPC,
            MEMPOOL_SPACE,
            MERKLE,
            MEXC,
            NEWSAPI,
            OKX,
            ONERPC,
            POLONIEX,
            PUBLICNODE,
            *RSS,
            UPBIT,
            WIKIMEDIA,
        )
    }
)
"""Every provider by name; adding one is a file and a name here."""
