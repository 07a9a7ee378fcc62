"""Bitfinex: candles newest first unless asked otherwise, none for a slot without a trade.

Docs: https://docs.bitfinex.com/reference/rest-public-candles
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment, spelt
from crypto_pipeline.sandbox.listings import DOLLARS, LISTINGS, Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 10_000
USUAL = 100
LETTERS = 3
ASSETS = {"USDT": "UST"}


class Bitfinex(Exchange):
    """The public part of api-pub.bitfinex.com."""

    name = "bitfinex"
    words = Words(
        unknown_symbol=Refusal(500, ["error", 10020, "symbol: invalid"]),
        bad_request=Refusal(500, ["error", 10020, "time_interval: invalid"]),
        too_many=Refusal(429, ["error", 11010, "ratelimit: error"]),
    )
    candles_at = r"/v2/candles/trade:(?P<interval>[^:/]+):(?P<symbol>t[^/]+)/hist"
    instruments_at = "/v2/conf/pub:list:pair:exchange"
    intervals = spelt("1m=1m 5m=5m 15m=15m 30m=30m 1h=1h 6h=6h 12h=12h 1d=1D")
    listings = (*DOLLARS, *LISTINGS[:2])
    omits_quiet = True

    def symbol(self, listing: Listing) -> str:
        """``tBTCUSD``, ``tDOGE:USD``."""
        pair = [ASSETS.get(asset, asset) for asset in (listing.base, listing.quote)]
        is_long = any(len(asset) > LETTERS for asset in pair)
        return f"t{(':' if is_long else '').join(pair)}"

    def query(self, given: Given) -> Query:
        """``start`` and ``end`` in ms, both inclusive; ``sort`` 1 is oldest first."""
        limit = int(given.get("limit", USUAL))
        if not 0 < limit <= MOST:
            raise Refusal(500, ["error", 10020, "limit: invalid"])
        bounds = moment(given, "start"), moment(given, "end")
        takes_newest = given.get("sort") != "1"
        return Query(given["symbol"], self.grid(given["interval"]), *bounds, limit, takes_newest)

    def page(self, query: Query, rows: Sequence[Row]) -> object:
        """``[ms, open, close, high, low, volume]``, as numbers."""
        return [
            [row.opened_at, *map(float, (row.open, row.close, row.high, row.low, row.volume))]
            for row in (reversed(rows) if query.takes_newest else rows)
        ]

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """A list of one list of pairs; one that trades no more is not in it."""
        return [[self.symbol(listing)[1:] for listing, is_trading in listed if is_trading]]
