"""Everybody in the sandbox who tells prices."""

from crypto_pipeline.sandbox.dollar_tickers import (
    BitfinexTicker,
    BitstampTicker,
    CoinbaseTicker,
    GeminiTicker,
    KrakenTicker,
)
from crypto_pipeline.sandbox.feeds import PriceFeed
from crypto_pipeline.sandbox.keyed_price_feeds import CoinCap, CoinMarketCap, Coinranking
from crypto_pipeline.sandbox.price_feeds import CoinGecko, CoinLore, CoinPaprika, DefiLlama

PRICE_FEEDS: tuple[type[PriceFeed], ...] = (
    *(BitfinexTicker, BitstampTicker, CoinbaseTicker, GeminiTicker, KrakenTicker),
    *(CoinCap, CoinGecko, CoinLore, CoinMarketCap, CoinPaprika, Coinranking, DefiLlama),
)
