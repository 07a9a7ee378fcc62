"""KuCoin: 1500 candles at most, newest first, the close before the high; none without a trade.

Docs: https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-klines
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, spelt
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 1500


class Kucoin(Exchange):
    """The public part of api.kucoin.com."""

    name = "kucoin"
    words = Words(
        unknown_symbol=Refusal(200, {"code": "400100", "msg": "Unsupported trading pair."}),
        bad_request=Refusal(
            200,
            {"code": "400100", "msg": "This type of Candlestick is currently not provided."},
        ),
        too_many=Refusal(429, {"code": "429000", "msg": "Too many requests"}),
        blocked=Refusal(
            403,
            {"code": "400302", "msg": "Our services are currently unavailable in the U.S."},
        ),
    )
    candles_at = "/api/v1/market/candles"
    instruments_at = "/api/v2/symbols"
    intervals = spelt(
        "1m=1min 3m=3min 5m=5min 15m=15min 30m=30min "
        "1h=1hour 2h=2hour 4h=4hour 6h=6hour 8h=8hour 12h=12hour 1d=1day"
    )
    is_descending = True
    omits_quiet = True

    def symbol(self, listing: Listing) -> str:
        """``BTC-USDT``."""
        return f"{listing.base}-{listing.quote}"

    def query(self, given: Given) -> Query:
        """``startAt`` inclusive and ``endAt`` exclusive, in seconds; without them there is no row."""
        start, end = (int(given.get(name, 0)) * 1000 for name in ("startAt", "endAt"))
        return Query(
            given["symbol"],
            self.grid(given["type"]),
            start,
            end - 1,
            MOST,
            takes_newest=True,
        )

    def page(self, _: Query, rows: Sequence[Row]) -> object:
        """``[seconds, open, close, high, low, volume, turnover]``, all text."""
        candles = [
            [
                str(row.opened_at // 1000),
                *(row.open, row.close, row.high, row.low, row.volume, row.quote),
            ]
            for row in rows
        ]
        return {"code": "200000", "data": candles}

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Pairs; trading can be off."""
        pairs = [
            {
                "symbol": self.symbol(listing),
                "name": self.symbol(listing),
                "baseCurrency": listing.base,
                "quoteCurrency": listing.quote,
                "enableTrading": is_trading,
            }
            for listing, is_trading in listed
        ]
        return {"code": "200000", "data": pairs}
