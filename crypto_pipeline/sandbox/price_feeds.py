"""CoinGecko, CoinPaprika, DefiLlama and CoinLore: those who tell prices of all markets to anybody."""

from collections.abc import Callable, Mapping, Sequence

from crypto_pipeline.sandbox.coins import COINS, Coin, Quote
from crypto_pipeline.sandbox.feeds import PriceFeed, iso, words_of
from crypto_pipeline.sandbox.grids import DAY, MINUTE
from crypto_pipeline.sandbox.refusals import Refusal
from crypto_pipeline.sandbox.service import Given

FIVE_MINUTES = 5 * MINUTE
OFF_GRID = 33_053
MOST_POINTS = 500


class CoinGecko(PriceFeed):
    """The demo plan: five-minute points of the last day, off the grid, the last one the present."""

    name = "coingecko"
    pages = r"/coins/[^/]+/market_chart"
    words = words_of(
        {"error": "coin not found"},
        {"error": "Invalid parameter"},
        {
            "status": {
                "error_code": 429,
                "error_message": "You've exceeded the Rate Limit. Please visit "
                "https://www.coingecko.com/en/api/pricing to subscribe to our API plans.",
            }
        },
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Two of its paths."""
        return {
            "/simple/price": self._simple_price,
            r"/coins/(?P<id>[^/]+)/market_chart": self._market_chart,
        }

    def _simple_price(self, given: Given) -> object:
        _require(given, "ids", "vs_currencies")
        ids = given["ids"].split(",")
        return {c.coingecko: self._told(q, given) for c, q in self.quotes() if c.coingecko in ids}

    def _told(self, quote: Quote, given: Given) -> object:
        columns: dict[str, float] = {
            "include_market_cap": quote.cap,
            "include_24hr_vol": quote.volume,
            "include_24hr_change": quote.change,
        }
        names = ("usd_market_cap", "usd_24h_vol", "usd_24h_change")
        told = {
            name: value
            for name, (flag, value) in zip(names, columns.items(), strict=True)
            if given.get(flag) == "true"
        }
        updated = {"last_updated_at": quote.at // 1000}
        wants_time = given.get("include_last_updated_at") == "true"
        return {"usd": quote.usd, **told, **(updated if wants_time else {})}

    def _market_chart(self, given: Given) -> object:
        _require(given, "vs_currency", "days")
        coin = next((coin for coin in COINS if coin.coingecko == given["id"]), None)
        if coin is None:
            raise self.words.unknown_symbol
        now, days = self.now(), int(given["days"])
        step = FIVE_MINUTES if days == 1 else 12 * FIVE_MINUTES
        first = -(-(now - days * DAY - OFF_GRID) // step) * step + OFF_GRID
        points = self.past(coin, [*range(first, now, step), now // 1000 * 1000])
        return {
            "prices": [[point.at, point.usd] for point in points],
            "market_caps": [[point.at, point.cap] for point in points],
            "total_volumes": [[point.at, point.volume] for point in points],
        }


class CoinPaprika(PriceFeed):
    """The free plan; a slash at the end of a path is a redirect."""

    name = "coinpaprika"
    words = words_of(
        {"error": "id not found"},
        {"error": "invalid parameters"},
        {"error": "too many requests"},
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """All tickers, one, and the redirect."""
        return {
            "/v1/tickers": lambda _: [_ticker(*pair) for pair in self.quotes()],
            r"/v1/tickers/(?P<id>[^/]+)": self._one,
            r".*/": self._moved,
        }

    def _moved(self, _: Given) -> object:
        raise Refusal(301, "Moved Permanently")

    def _one(self, given: Given) -> object:
        for coin, quote in self.quotes():
            if coin.coinpaprika == given["id"]:
                return _ticker(coin, quote)
        raise self.words.unknown_symbol


def _ticker(coin: Coin, quote: Quote) -> object:
    told = {
        "price": quote.usd,
        "volume_24h": quote.volume,
        "market_cap": round(quote.cap),
        "percent_change_24h": round(quote.change, 2),
    }
    return {
        "id": coin.coinpaprika,
        "name": coin.title,
        "symbol": coin.symbol,
        "last_updated": iso(quote.at),
        "quotes": {"USD": told},
    }


class DefiLlama(PriceFeed):
    """A record every minute; a chart takes for each of its points the one that is nearest."""

    name = "defillama"
    pages = "/chart/.*"
    words = words_of(
        {"message": "Not Found"},
        {"message": "start is not an uint"},
        {"message": "Too Many Requests"},
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Prices now, and at regular moments."""
        return {"/prices/current/(?P<coins>.*)": self._current, "/chart/(?P<coins>.*)": self._chart}

    def _current(self, given: Given) -> object:
        wanted = given["coins"].split(",")
        found = {f"coingecko:{coin.coingecko}": (coin, quote) for coin, quote in self.quotes()}
        return {
            "coins": {
                name: {
                    "decimals": 8,
                    "symbol": coin.symbol,
                    "price": quote.usd,
                    "timestamp": quote.at // 1000,
                    "confidence": 0.99,
                }
                for name, (coin, quote) in found.items()
                if name in wanted
            }
        }

    def _chart(self, given: Given) -> object:
        names = given["coins"].split(",")
        start, span = int(given["start"]), int(given["span"])
        if "end" in given:
            raise Refusal(400, {"message": "use either start or end parameter, not both"})
        if len(names) * span > MOST_POINTS:
            msg = f"Requested {len(names) * span} data points exceeds the maximum of {MOST_POINTS}."
            raise Refusal(400, {"message": msg})
        period = _seconds(given.get("period", "1d"))
        width = _seconds(given["searchWidth"]) if "searchWidth" in given else period // 10
        moments = [start + number * period for number in range(span)]
        nearest = [round(at / 60) * 60 for at in moments]
        told = [
            near * 1000
            for at, near in zip(moments, nearest, strict=True)
            if abs(near - at) <= width
        ]
        found = {f"coingecko:{one.coingecko}": one for one in COINS}
        rows = {name: self.past(found[name], told) for name in names if name in found}
        return {"coins": {name: _points(found[name], row) for name, row in rows.items() if row}}


def _points(coin: Coin, quotes: Sequence[Quote]) -> object:
    prices = [{"timestamp": quote.at // 1000, "price": quote.usd} for quote in quotes]
    return {"symbol": coin.symbol, "confidence": 0.99, "prices": prices}


def _seconds(period: str) -> int:
    """``5m``, ``1d``, or a plain number of seconds."""
    units = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    unit = period[-1].lower()
    return int(period[:-1]) * units[unit] if unit in units else int(period)


class CoinLore(PriceFeed):
    """A page of the largest coins."""

    name = "coinlore"
    words = words_of({"error": "not found"}, {"error": "bad"}, {"error": "Too many requests"})

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """One path."""
        return {"/api/tickers/": self._tickers}

    def _tickers(self, given: Given) -> object:
        start, limit = int(given.get("start", 0)), min(int(given.get("limit", 100)), 100)
        rows = [_coin(rank, *pair) for rank, pair in enumerate(self.quotes(), 1)]
        info = {"coins_num": len(rows), "time": self.now() // 1000}
        return {"data": rows[start : start + limit], "info": info}


def _coin(rank: int, coin: Coin, quote: Quote) -> object:
    return {
        "id": str(rank),
        "symbol": coin.symbol,
        "name": coin.title,
        "nameid": coin.title.lower(),
        "rank": rank,
        "price_usd": quote.text,
        "percent_change_24h": f"{quote.change:.2f}",
        "market_cap_usd": f"{quote.cap:.2f}",
        "volume24": quote.volume,
    }


def _require(given: Given, *names: str) -> None:
    for name in names:
        if name not in given:
            raise Refusal(422, {"error": f"Missing parameter {name}"})
