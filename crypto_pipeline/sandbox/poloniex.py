"""Poloniex: 500 candles at most, oldest first, the low before the high.

Docs: https://api-docs.poloniex.com/spot/api/public/market-data#candles
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment, spelt
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 500
USUAL = 100
AVERAGE = "0"


class Poloniex(Exchange):
    """The public part of api.poloniex.com."""

    name = "poloniex"
    words = Words(
        unknown_symbol=Refusal(400, {"code": 24101, "message": "Invalid symbol"}),
        bad_request=Refusal(400, {"code": 24102, "message": "Invalid K-line type"}),
        too_many=Refusal(429, {"code": 429, "message": "Too many requests"}),
    )
    candles_at = r"/markets/(?P<symbol>[^/]+)/candles"
    instruments_at = "/markets"
    intervals = spelt(
        "1m=MINUTE_1 5m=MINUTE_5 15m=MINUTE_15 30m=MINUTE_30 "
        "1h=HOUR_1 2h=HOUR_2 4h=HOUR_4 6h=HOUR_6 12h=HOUR_12 1d=DAY_1"
    )

    def symbol(self, listing: Listing) -> str:
        """``BTC_USDT``."""
        return f"{listing.base}_{listing.quote}"

    def query(self, given: Given) -> Query:
        """``startTime`` inclusive, ``endTime`` exclusive, both in ms."""
        limit, end = int(given.get("limit", USUAL)), moment(given, "endTime")
        if not 0 < limit <= MOST:
            raise Refusal(400, {"code": 601, "message": "Invalid Parameter limit"})
        return Query(
            given["symbol"],
            self.grid(given["interval"]),
            moment(given, "startTime"),
            None if end is None else end - 1,
            limit,
            takes_newest=True,
        )

    def page(self, query: Query, rows: Sequence[Row]) -> object:
        """Low, high, open, close, quote, volume, taker's quote and volume, trades, and the times."""
        spelling = next(key for key, name in self.intervals.items() if name == query.grid.name)
        return [
            [
                *(row.low, row.high, row.open, row.close, row.quote, row.volume),
                *(row.quote, row.volume, row.trades, row.closed_at, AVERAGE, spelling),
                *(row.opened_at, row.closed_at),
            ]
            for row in rows
        ]

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Markets; one that trades no more is paused."""
        return [
            {
                "symbol": self.symbol(listing),
                "baseCurrencyName": listing.base,
                "quoteCurrencyName": listing.quote,
                "displayName": f"{listing.base}/{listing.quote}",
                "state": "NORMAL" if is_trading else "PAUSE",
                "visibleStartTime": listing.listed_ms,
                "tradableStartTime": listing.listed_ms,
            }
            for listing, is_trading in listed
        ]
