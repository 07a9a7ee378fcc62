"""Gemini: the newest candles and no others, newest first.

Docs: https://docs.gemini.com/rest-api/#candles
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, spelt
from crypto_pipeline.sandbox.listings import DOLLARS, LISTINGS, Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

WINDOW = 1440


def _error(reason: str, message: str) -> dict[str, str]:
    return {"result": "error", "reason": reason, "message": message}


class Gemini(Exchange):
    """The public part of api.gemini.com."""

    name = "gemini"
    words = Words(
        unknown_symbol=Refusal(400, _error("InvalidSymbol", "Received unsupported symbol")),
        bad_request=Refusal(400, _error("Bad Request", "Supplied value is not a valid time frame")),
        too_many=Refusal(429, _error("RateLimit", "Requests were made too frequently")),
    )
    candles_at = r"/v2/candles/(?P<symbol>[^/]+)/(?P<interval>[^/]+)"
    intervals = spelt("1m=1m 5m=5m 15m=15m 30m=30m 1h=1hr")
    listings = (*DOLLARS, *LISTINGS[:2])
    is_descending = True
    depth = WINDOW

    def symbol(self, listing: Listing) -> str:
        """``btcusd``."""
        return listing.symbol.lower()

    def query(self, given: Given) -> Query:
        """No bounds: the newest window."""
        return Query(given["symbol"].lower(), self.grid(given["interval"]), None, None, WINDOW)

    def page(self, _: Query, rows: Sequence[Row]) -> object:
        """``[ms, open, high, low, close, volume]``, as numbers."""
        return [
            [row.opened_at, *map(float, (row.open, row.high, row.low, row.close, row.volume))]
            for row in rows
        ]
