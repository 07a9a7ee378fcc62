"""Kraken spot: the newest 720 candles, flat ones for slots without a trade, errors with status 200.

Docs: https://docs.kraken.com/api-reference/market-data/get-ohlc-data
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment, spelt
from crypto_pipeline.sandbox.listings import DOLLARS, LISTINGS, Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 720
LEGACY = {"BTC": "XXBT", "ETH": "XETH", "XRP": "XXRP", "LTC": "XLTC", "DOGE": "XXDG", "USD": "ZUSD"}
ALTERNATIVE = {"BTC": "XBT", "DOGE": "XDG"}


class Kraken(Exchange):
    """The public part of api.kraken.com."""

    name = "kraken"
    words = Words(
        unknown_symbol=Refusal(200, {"error": ["EQuery:Unknown asset pair"]}),
        bad_request=Refusal(200, {"error": ["EGeneral:Invalid arguments"]}),
        too_many=Refusal(200, {"error": ["EAPI:Rate limit exceeded"]}),
    )
    candles_at = "/0/public/OHLC"
    instruments_at = "/0/public/AssetPairs"
    intervals = spelt("1m=1 5m=5 15m=15 30m=30 1h=60 4h=240 1d=1440")
    listings = (*DOLLARS, *LISTINGS[:2])
    depth = MOST

    def symbol(self, listing: Listing) -> str:
        """``XBTUSD``, though replies say XXBTZUSD."""
        return "".join(ALTERNATIVE.get(one, one) for one in (listing.base, listing.quote))

    def query(self, given: Given) -> Query:
        """``since`` is exclusive, in seconds; the running candle is always there."""
        since = moment(given, "since", unit=1000)
        grid = self.grid(given.get("interval", "1"))
        start = None if since is None else min(since + 1, grid.open(grid.slot(self.now())))
        return Query(given["pair"], grid, start, None, MOST, takes_newest=True)

    def page(self, query: Query, rows: Sequence[Row]) -> object:
        """``[seconds, open, high, low, close, vwap, volume, trades]`` under the pair's older name."""
        listing = self._known[query.symbol]
        printed = [
            [row.opened_at // 1000, row.open, row.high, row.low, row.close, *_sums(row)]
            for row in rows
        ]
        finished = [row.opened_at // 1000 for row in rows if row.closed_at < self.now()]
        last = max(finished, default=0)
        return {"error": [], "result": {_legacy(listing): printed, "last": last}}

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Pairs by their older names."""
        pairs = {
            _legacy(listing): {
                "altname": self.symbol(listing),
                "wsname": "/".join(
                    ALTERNATIVE.get(one, one) for one in (listing.base, listing.quote)
                ),
                "base": LEGACY.get(listing.base, listing.base),
                "quote": LEGACY.get(listing.quote, listing.quote),
                "status": "online" if is_trading else "cancel_only",
            }
            for listing, is_trading in listed
        }
        return {"error": [], "result": pairs}


def _legacy(listing: Listing) -> str:
    """Currencies of old bear an X or a Z, and pairs of two such bear both."""
    both = listing.base in LEGACY and listing.quote in LEGACY
    names = LEGACY if both else ALTERNATIVE
    return "".join(names.get(one, one) for one in (listing.base, listing.quote))


def _sums(row: Row) -> tuple[str, str, int]:
    volume = float(row.volume)
    mean = float(row.quote) / volume if volume else 0.0
    return f"{mean:.5f}", row.volume, row.trades
