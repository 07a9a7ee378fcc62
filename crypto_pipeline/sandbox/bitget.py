"""Bitget: 200 candles of the history before a time, oldest first.

Docs: https://www.bitget.com/api-doc/spot/market/Get-History-Candle-Data
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, spelt
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 200
USUAL = 100


def _said(status: int, code: str, message: str) -> Refusal:
    return Refusal(status, {"code": code, "msg": message, "requestTime": 0, "data": None})


class Bitget(Exchange):
    """The public part of api.bitget.com for spot."""

    name = "bitget"
    words = Words(
        unknown_symbol=_said(400, "40034", "Parameter symbol does not exist"),
        bad_request=_said(400, "400172", "Parameter verification failed"),
        too_many=_said(429, "429", "Too Many Requests"),
    )
    candles_at = "/api/v2/spot/market/history-candles"
    instruments_at = "/api/v2/spot/public/symbols"
    intervals = spelt(
        "1m=1min 5m=5min 15m=15min 30m=30min 1h=1h 4h=4h "
        "6h=6Hutc 12h=12Hutc 1d=1Dutc 3d=3Dutc 1w=1Wutc"
    )

    def query(self, given: Given) -> Query:
        """``endTime`` in ms, exclusive, and nothing else bounds a page."""
        limit = int(given.get("limit", USUAL))
        if "endTime" not in given:
            raise _said(400, "40019", "Parameter endTime cannot be empty")
        if not 0 < limit <= MOST:
            raise self.words.bad_request
        grid, end = self.grid(given["granularity"]), int(given["endTime"]) - 1
        return Query(given["symbol"], grid, None, end, limit)

    def page(self, _: Query, rows: Sequence[Row]) -> object:
        """``[ms, open, high, low, close, volume, in the quote, in USDT]``, all text."""
        candles = [
            [
                str(row.opened_at),
                *(row.open, row.high, row.low, row.close, row.volume, row.quote, row.quote),
            ]
            for row in rows
        ]
        return self._answered(candles)

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Pairs; one that trades no more is off line."""
        pairs = [
            {
                "symbol": listing.symbol,
                "baseCoin": listing.base,
                "quoteCoin": listing.quote,
                "status": "online" if is_trading else "offline",
            }
            for listing, is_trading in listed
        ]
        return self._answered(pairs)

    def _answered(self, data: object) -> object:
        return {"code": "00000", "msg": "success", "requestTime": self.now(), "data": data}
