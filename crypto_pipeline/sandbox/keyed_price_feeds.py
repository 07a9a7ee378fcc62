"""CoinCap, CoinMarketCap and Coinranking: those who tell prices of all markets to who has a key."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from crypto_pipeline.sandbox.coins import COINS, Coin, Quote
from crypto_pipeline.sandbox.feeds import Lock, PriceFeed, iso, words_of
from crypto_pipeline.sandbox.grids import DAY
from crypto_pipeline.sandbox.price_feeds import FIVE_MINUTES
from crypto_pipeline.sandbox.refusals import Refusal
from crypto_pipeline.sandbox.service import Given

INTERVALS = {"m5": FIVE_MINUTES, "h1": 12 * FIVE_MINUTES, "d1": DAY}
FIRST_INDEX = round(datetime(2023, 6, 29, tzinfo=UTC).timestamp() * 1000)
MOST_DAYS = 500
WORDS = ("Extreme fear", "Fear", "Neutral", "Greed", "Extreme greed")


class CoinCap(PriceFeed):
    """Version 3: decimals are texts, times of a history lie on the grid, both ends are included."""

    name = "coincap"
    lock = Lock(
        "authorization", Refusal(401, {"error": "Unauthorized: API key required"}), "Bearer "
    )
    pages = r"/v3/assets/[^/]+/history"
    words = words_of(
        {"error": "asset not found"},
        {"error": "missing interval"},
        {"error": "You exceeded your request rate"},
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Assets and the history of one."""
        return {"/v3/assets": self._assets, r"/v3/assets/(?P<id>[^/]+)/history": self._history}

    def _assets(self, given: Given) -> object:
        wanted = given["ids"].split(",") if "ids" in given else None
        rows = [
            _asset(rank, coin, quote)
            for rank, (coin, quote) in enumerate(self.quotes(), 1)
            if coin.coincap and (wanted is None or coin.coincap in wanted)
        ]
        return {"data": rows, "timestamp": self.now()}

    def _history(self, given: Given) -> object:
        coin = next((coin for coin in COINS if coin.coincap == given["id"]), None)
        if coin is None:
            raise self.words.unknown_symbol
        step = INTERVALS[given["interval"]]
        first = -(-int(given["start"]) // step) * step
        rows = [
            {"priceUsd": quote.text, "time": quote.at, "date": iso(quote.at)}
            for quote in self.past(coin, range(first, int(given["end"]) + 1, step))
        ]
        return {"data": rows, "timestamp": self.now()}


def _asset(rank: int, coin: Coin, quote: Quote) -> object:
    return {
        "id": coin.coincap,
        "rank": str(rank),
        "symbol": coin.symbol,
        "name": coin.title,
        "maxSupply": None,
        "marketCapUsd": f"{quote.cap:.16f}",
        "volumeUsd24Hr": f"{quote.volume:.16f}",
        "priceUsd": quote.text,
        "changePercent24Hr": f"{quote.change:.16f}",
    }


def _status(code: int | str, message: str | None = None) -> dict[str, object]:
    return {
        "status": {
            "timestamp": "2024-01-01T00:00:00.000Z",
            "error_code": code,
            "error_message": message,
            "elapsed": 1,
            "credit_count": 1,
        }
    }


class CoinMarketCap(PriceFeed):
    """The basic plan: quotes, and its own index, newest day first."""

    name = "coinmarketcap"
    lock = Lock("x-cmc_pro_api_key", Refusal(401, _status(1002, "API key missing.")))
    pages = "/v3/fear-and-greed/historical"
    words = words_of(
        _status(400, 'Invalid value for "id"'),
        _status(400, '"value" is not allowed'),
        _status(1008, "You've exceeded your API Key's HTTP request rate limit."),
        status=400,
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Quotes by number, and two of its index."""
        return {
            "/v1/cryptocurrency/quotes/latest": self._quotes,
            "/v3/fear-and-greed/latest": self._latest,
            "/v3/fear-and-greed/historical": self._days,
        }

    def _quotes(self, given: Given) -> object:
        wanted = given["id"].split(",")
        found = {str(coin.coinmarketcap): (coin, quote) for coin, quote in self.quotes()}
        if not set(wanted) <= found.keys() and given.get("skip_invalid") != "true":
            raise self.words.unknown_symbol
        data = {number: _quoted(*found[number]) for number in wanted if number in found}
        return {**_status(0), "data": data}

    def _latest(self, _: Given) -> object:
        now = self.now()
        told = {**_index(now // DAY), "update_time": iso(now).replace("Z", ".017Z")}
        return {**_status("0", ""), "data": told}

    def _days(self, given: Given) -> object:
        start, limit = int(given.get("start", 1)), int(given.get("limit", 50))
        if not (start >= 1 <= limit <= MOST_DAYS):
            raise self.words.bad_request
        newest = self.now() // DAY
        days = range(newest, FIRST_INDEX // DAY - 1, -1)[start - 1 : start - 1 + limit]
        rows = [{"timestamp": str(day * DAY // 1000), **_index(day)} for day in days]
        return {**_status("0", ""), "data": self.page(rows)}


def _index(day: int) -> dict[str, object]:
    value = 5 + day * 37 % 91
    return {"value": value, "value_classification": WORDS[value // 20]}


def _quoted(coin: Coin, quote: Quote) -> object:
    told = {
        "price": quote.usd,
        "volume_24h": quote.volume,
        "percent_change_24h": quote.change,
        "market_cap": quote.cap,
        "last_updated": iso(quote.at).replace("Z", ".000Z"),
    }
    named = {"id": coin.coinmarketcap, "name": coin.title, "symbol": coin.symbol}
    return {**named, "last_updated": told["last_updated"], "quote": {"USD": told}}


def _failed(kind: str, message: str) -> dict[str, object]:
    return {"status": "fail", "type": kind, "message": message}


class Coinranking(PriceFeed):
    """The free plan: a page of the largest coins."""

    name = "coinranking"
    lock = Lock(
        "x-access-token", Refusal(401, _failed("AUTHENTICATION_FAILED", "No API key given"))
    )
    words = words_of(
        _failed("COIN_NOT_FOUND", "Coin not found"),
        _failed("VALIDATION_ERROR", "Invalid parameter"),
        _failed("RATE_LIMIT_EXCEEDED", "Rate limit exceeded"),
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """One path."""
        return {"/v2/coins": self._coins}

    def _coins(self, given: Given) -> object:
        rows = [
            {
                "uuid": f"uuid-{coin.symbol}",
                "symbol": coin.symbol,
                "name": coin.title,
                "marketCap": f"{quote.cap:.0f}",
                "price": quote.text,
                "change": f"{quote.change:.2f}",
                "rank": rank,
                "24hVolume": f"{quote.volume:.0f}",
            }
            for rank, (coin, quote) in enumerate(self.quotes(), 1)
        ]
        return {"status": "success", "data": {"coins": rows[: int(given.get("limit", 50))]}}
