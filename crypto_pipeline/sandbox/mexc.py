"""MEXC: 500 candles at most, whatever is promised, oldest first, the end exclusive.

Docs: https://www.mexc.com/api-docs/spot-v3/market-data-endpoints#klinecandlestick-data
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment, spelt
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 500
PROMISED = 1000


def _said(status: int, code: int, message: str) -> Refusal:
    return Refusal(status, {"msg": message, "code": code, "_extend": None})


class Mexc(Exchange):
    """The public part of api.mexc.com for spot."""

    name = "mexc"
    words = Words(
        unknown_symbol=_said(400, -1121, "Invalid symbol."),
        bad_request=_said(400, -1121, "Invalid interval."),
        too_many=_said(429, 429, "Too Many Requests"),
    )
    candles_at = "/api/v3/klines"
    instruments_at = "/api/v3/exchangeInfo"
    intervals = spelt("1m=1m 5m=5m 15m=15m 30m=30m 1h=60m 4h=4h 1d=1d 1w=1W 1M=1M")
    depth = 30 * 24 * 60

    def query(self, given: Given) -> Query:
        """``startTime`` inclusive and ``endTime`` exclusive, both in ms; they only work together."""
        limit = int(given.get("limit", MOST))
        if not 0 < limit <= PROMISED:
            raise _said(400, -1100, "Illegal characters found in parameter 'limit'.")
        grid = self.grid(given["interval"])
        start, end = moment(given, "startTime"), moment(given, "endTime")
        if start is None or end is None:
            return Query(given["symbol"], grid, None, None, min(limit, MOST))
        return Query(given["symbol"], grid, start, end - 1, min(limit, MOST))

    def page(self, _: Query, rows: Sequence[Row]) -> object:
        """``[ms, open, high, low, close, volume, close ms, quote volume]``."""
        return [
            [
                row.opened_at,
                *(row.open, row.high, row.low, row.close, row.volume),
                *(row.closed_at + 1, row.quote),
            ]
            for row in rows
        ]

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Pairs; 1 trades, 2 pauses."""
        pairs = [
            {
                "symbol": listing.symbol,
                "status": "1" if is_trading else "2",
                "baseAsset": listing.base,
                "quoteAsset": listing.quote,
                "isSpotTradingAllowed": is_trading,
            }
            for listing, is_trading in listed
        ]
        return {"timezone": "CST", "serverTime": self.now(), "rateLimits": [], "symbols": pairs}
