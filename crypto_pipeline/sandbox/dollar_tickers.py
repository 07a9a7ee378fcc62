"""The tickers of exchanges that trade against the dollar, which the tape takes for a USDT."""

from collections.abc import Callable, Mapping

from crypto_pipeline.sandbox.bitfinex import Bitfinex
from crypto_pipeline.sandbox.bitstamp import Bitstamp
from crypto_pipeline.sandbox.coins import Coin, Quote
from crypto_pipeline.sandbox.feeds import PriceFeed, words_of
from crypto_pipeline.sandbox.gemini import Gemini
from crypto_pipeline.sandbox.kraken import Kraken
from crypto_pipeline.sandbox.service import Given


class CoinbaseTicker(PriceFeed):
    """The public products of Advanced Trade."""

    name = "coinbase_ticker"
    words = words_of(
        {
            "error": "NOT_FOUND",
            "error_details": "valid product_id is required",
            "message": "valid product_id is required",
        },
        {"error": "INVALID_ARGUMENT", "message": "invalid argument"},
        {"error": "RESOURCE_EXHAUSTED", "message": "Too many requests"},
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """One product."""
        return {r"/api/v3/brokerage/market/products/(?P<id>[^/]+)": self._product}

    def _product(self, given: Given) -> object:
        for coin, quote in self.quotes():
            if f"{coin.symbol}-USD" == given["id"]:
                return {
                    "product_id": given["id"],
                    "price": quote.text,
                    "price_percentage_change_24h": f"{quote.change:.5f}",
                    "is_disabled": False,
                    "status": "online",
                }
        raise self.words.unknown_symbol


class KrakenTicker(PriceFeed):
    """All pairs, spelt as version 1 does; errors come under a 200, rate limits too."""

    name = "kraken_ticker"
    words = Kraken.words

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """One path."""
        return {"/0/public/Ticker": self._tickers}

    def _tickers(self, given: Given) -> object:
        if given["assetVersion"] != "1":
            raise self.words.bad_request
        return {
            "error": [],
            "result": {
                f"{coin.symbol}/{quoted}": {"c": [quote.text, "1.0"], "o": quote.text}
                for coin, quote in self.quotes()
                for quoted in ("EUR", "USD")
            },
        }


class BitfinexTicker(PriceFeed):
    """Tickers by symbol, those unknown left out; every error is a 500."""

    name = "bitfinex_ticker"
    words = Bitfinex.words

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """One path."""
        return {"/v2/tickers": self._tickers}

    def _tickers(self, given: Given) -> object:
        wanted = given["symbols"].split(",")
        rows = [_row(*pair) for pair in self.quotes()]
        return [row for row in rows if row[0] in wanted]


def _row(coin: Coin, quote: Quote) -> list[object]:
    """Symbol, bid and ask with sizes, the day's change twice, last price, volume, high, low."""
    colon = ":" if len(coin.symbol) > len("BTC") else ""
    prices = (quote.usd, 1.0, quote.usd, 1.0, 0.0, quote.change / 100, quote.usd)
    return [f"t{coin.symbol}{colon}USD", *prices, 100.0, quote.usd, quote.usd]


class BitstampTicker(PriceFeed):
    """All pairs."""

    name = "bitstamp_ticker"
    words = Bitstamp.words

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """One path."""
        return {"/api/v2/ticker/": lambda _: [_ticker(*pair) for pair in self.quotes()]}


def _ticker(coin: Coin, quote: Quote) -> object:
    return {
        "pair": f"{coin.symbol}/USD",
        "last": quote.text,
        "timestamp": str(quote.at // 1000),
        "percent_change_24": f"{quote.change:.2f}",
    }


class GeminiTicker(PriceFeed):
    """One pair at a time."""

    name = "gemini_ticker"
    words = Gemini.words

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """One path."""
        return {r"/v2/ticker/(?P<symbol>\w+)": self._ticker}

    def _ticker(self, given: Given) -> object:
        for coin, quote in self.quotes():
            if f"{coin.symbol}USD" == given["symbol"].upper():
                return {"symbol": given["symbol"].upper(), "close": quote.text, "open": quote.text}
        raise self.words.unknown_symbol
