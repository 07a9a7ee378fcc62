"""Coinbase Exchange: candles newest first, 300 buckets at most, none for a minute without a trade.

Docs: https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproductcandles
"""

from collections.abc import Sequence
from datetime import datetime

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, spelt
from crypto_pipeline.sandbox.listings import DOLLARS, LISTINGS, Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST_BUCKETS = 300
TOO_LONG = (
    "granularity too small for the requested time range. "
    f"Count of aggregations requested exceeds {MOST_BUCKETS}"
)


class Coinbase(Exchange):
    """The public part of api.exchange.coinbase.com."""

    name = "coinbase"
    words = Words(
        unknown_symbol=Refusal(404, {"message": "NotFound"}),
        bad_request=Refusal(400, {"message": "Unsupported granularity"}),
        too_many=Refusal(429, {"message": "Public rate limit exceeded"}),
    )
    candles_at = r"/products/(?P<symbol>[^/]+)/candles"
    instruments_at = "/products"
    intervals = spelt("1m=60 5m=300 15m=900 1h=3600 6h=21600 1d=86400")
    listings = (*DOLLARS, *LISTINGS[:2])
    is_descending = True
    omits_quiet = True

    def symbol(self, listing: Listing) -> str:
        """``BTC-USD``."""
        return f"{listing.base}-{listing.quote}"

    def query(self, given: Given) -> Query:
        """``start`` and ``end`` in ISO 8601, both inclusive; without them the newest buckets."""
        grid = self.grid(given.get("granularity", "60"))
        start, end = (_ms(given[name]) if name in given else None for name in ("start", "end"))
        if start is not None and end is not None and end - start >= MOST_BUCKETS * grid.step:
            raise Refusal(400, {"message": TOO_LONG})
        return Query(given["symbol"], grid, start, end, MOST_BUCKETS, takes_newest=True)

    def page(self, _: Query, rows: Sequence[Row]) -> object:
        """``[seconds, low, high, open, close, volume]``, as numbers."""
        return [
            [
                row.opened_at // 1000,
                *map(float, (row.low, row.high, row.open, row.close, row.volume)),
            ]
            for row in rows
        ]

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Products; one that trades no more is delisted, and stays in the list."""
        return [
            {
                "id": self.symbol(listing),
                "base_currency": listing.base,
                "quote_currency": listing.quote,
                "display_name": self.symbol(listing),
                "status": "online" if is_trading else "delisted",
                "trading_disabled": not is_trading,
            }
            for listing, is_trading in listed
        ]


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
