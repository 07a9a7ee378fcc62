"""Bybit: 1000 candles at most, newest first; errors with status 200.

Docs: https://bybit-exchange.github.io/docs/v5/market/kline
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment, spelt
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 1000
USUAL = 200


def _said(status: int, code: int, message: str) -> Refusal:
    return Refusal(
        status,
        {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": 0},
    )


class Bybit(Exchange):
    """The public part of api.bybit.com for spot."""

    name = "bybit"
    words = Words(
        unknown_symbol=_said(200, 10001, "Not supported symbols"),
        bad_request=_said(200, 10001, "Request parameter error."),
        too_many=_said(429, 10006, "Too many visits. Exceeded the API Rate Limit."),
    )
    candles_at = "/v5/market/kline"
    instruments_at = "/v5/market/instruments-info"
    intervals = spelt(
        "1m=1 3m=3 5m=5 15m=15 30m=30 1h=60 2h=120 4h=240 6h=360 12h=720 1d=D 1w=W 1M=M"
    )
    is_descending = True

    def query(self, given: Given) -> Query:
        """``start`` and ``end`` in ms, both inclusive."""
        limit = int(given.get("limit", USUAL))
        if given["category"] != "spot" or not 0 < limit <= MOST:
            raise self.words.bad_request
        start, end = moment(given, "start"), moment(given, "end")
        grid = self.grid(given["interval"])
        return Query(given["symbol"], grid, start, end, limit, takes_newest=True)

    def page(self, query: Query, rows: Sequence[Row]) -> object:
        """``[ms, open, high, low, close, volume, turnover]``, all text."""
        candles = [
            [
                str(row.opened_at),
                *(row.open, row.high, row.low, row.close, row.volume, row.quote),
            ]
            for row in rows
        ]
        return self._answered({"category": "spot", "symbol": query.symbol, "list": candles})

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Pairs that trade; others are not in the list."""
        pairs = [
            {
                "symbol": listing.symbol,
                "baseCoin": listing.base,
                "quoteCoin": listing.quote,
                "status": "Trading",
            }
            for listing, is_trading in listed
            if is_trading
        ]
        return self._answered({"category": "spot", "list": pairs})

    def _answered(self, result: object) -> object:
        return {
            "retCode": 0,
            "retMsg": "OK",
            "result": result,
            "retExtInfo": {},
            "time": self.now(),
        }
