"""OKX: 300 candles of the history at most, newest first, between two exclusive bounds.

Docs: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks-history
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment, spelt
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 300
USUAL = 100


def _said(status: int, code: str, message: str) -> Refusal:
    return Refusal(status, {"code": code, "msg": message, "data": []})


class Okx(Exchange):
    """The public part of www.okx.com for spot."""

    name = "okx"
    words = Words(
        unknown_symbol=_said(200, "51001", "Instrument ID does not exist"),
        bad_request=_said(200, "51000", "Parameter bar error"),
        too_many=_said(429, "50011", "Too Many Requests"),
    )
    candles_at = "/api/v5/market/history-candles"
    instruments_at = "/api/v5/public/instruments"
    intervals = spelt(
        "1m=1m 3m=3m 5m=5m 15m=15m 30m=30m 1h=1H 2h=2H 4h=4H 6h=6Hutc 12h=12Hutc 1d=1Dutc 1w=1Wutc"
    )
    is_descending = True

    def symbol(self, listing: Listing) -> str:
        """``BTC-USDT``."""
        return f"{listing.base}-{listing.quote}"

    def query(self, given: Given) -> Query:
        """``before`` and ``after`` in ms: newer than the one, older than the other."""
        limit = int(given.get("limit", USUAL))
        if not 0 < limit <= MOST:
            raise _said(200, "51000", "Parameter limit error")
        newer, older = moment(given, "before"), moment(given, "after")
        return Query(
            given["instId"],
            self.grid(given.get("bar", "1m")),
            None if newer is None else newer + 1,
            None if older is None else older - 1,
            limit,
            takes_newest=True,
        )

    def page(self, _: Query, rows: Sequence[Row]) -> object:
        """``[ms, open, high, low, close, volume, in coins, in the quote, confirmed]``, all text."""
        now = self.now()
        candles = [
            [
                str(row.opened_at),
                *(row.open, row.high, row.low, row.close, row.volume, row.quote, row.quote),
                "1" if row.closed_at < now else "0",
            ]
            for row in rows
        ]
        return {"code": "0", "msg": "", "data": candles}

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Spot pairs; one that trades no more is suspended."""
        pairs = [
            {
                "instType": "SPOT",
                "instId": self.symbol(listing),
                "baseCcy": listing.base,
                "quoteCcy": listing.quote,
                "listTime": str(listing.listed_ms),
                "state": "live" if is_trading else "suspend",
            }
            for listing, is_trading in listed
        ]
        return {"code": "0", "msg": "", "data": pairs}
