"""Bitstamp: the newest candles up to an end, oldest first; a start beside an end is ignored.

Docs: https://www.bitstamp.net/api/
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment, spelt
from crypto_pipeline.sandbox.listings import DOLLARS, LISTINGS, Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 1000


def _wrong(field: str, message: str) -> dict[str, object]:
    return {"code": "validation_error", "errors": [{"field": field, "message": message}]}


class Bitstamp(Exchange):
    """The public part of www.bitstamp.net."""

    name = "bitstamp"
    words = Words(
        unknown_symbol=Refusal(404, _wrong("market_symbol", "Invalid currency pair.")),
        bad_request=Refusal(400, _wrong("step", "Not a valid choice.")),
        too_many=Refusal(429, {"code": "400.002", "errors": ["Request rate limit exceeded."]}),
    )
    candles_at = r"/api/v2/ohlc/(?P<symbol>[^/]+)/"
    instruments_at = "/api/v2/markets/"
    intervals = spelt(
        "1m=60 3m=180 5m=300 15m=900 30m=1800 1h=3600 2h=7200 4h=14400 6h=21600 12h=43200 1d=86400"
    )
    listings = (*DOLLARS, *LISTINGS[:2])

    def symbol(self, listing: Listing) -> str:
        """``btcusd``."""
        return listing.symbol.lower()

    def query(self, given: Given) -> Query:
        """``end`` in seconds, inclusive; ``limit`` and ``step`` are required."""
        grid, limit = self.grid(given["step"]), int(given["limit"])
        start, end = moment(given, "start", 1000), moment(given, "end", 1000)
        if not 0 < limit <= MOST:
            raise Refusal(400, _wrong("limit", "Must be between 1 and 1000."))
        if given.get("exclude_current_candle") == "true":
            running = grid.open(grid.slot(self.now()))
            end = running - 1 if end is None else min(end, running - 1)
        start = start if end is None else None
        return Query(given["symbol"], grid, start, end, limit, takes_newest=start is None)

    def page(self, query: Query, rows: Sequence[Row]) -> object:
        """Candles as objects of texts, under the name of the pair."""
        names = ("open", "high", "low", "close", "volume")
        candles = [
            {"timestamp": str(row.opened_at // 1000)} | {name: getattr(row, name) for name in names}
            for row in rows
        ]
        listing = self._known[query.symbol]
        return {"data": {"ohlc": candles, "pair": f"{listing.base}/{listing.quote}"}}

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Markets; one that trades no more is disabled."""
        return [
            {
                "name": f"{listing.base}/{listing.quote}",
                "market_symbol": self.symbol(listing),
                "base_currency": listing.base,
                "counter_currency": listing.quote,
                "trading": "Enabled" if is_trading else "Disabled",
                "market_type": "SPOT",
            }
            for listing, is_trading in listed
        ]
