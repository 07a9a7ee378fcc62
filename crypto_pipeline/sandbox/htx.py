"""HTX: the newest 2000 candles and no others, newest first; errors, too, with status 200.

Docs: https://huobiapi.github.io/docs/spot/v1/en/#get-klines-candles
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, spelt
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 2000
USUAL = 150


def _error(status: int, code: str, message: str) -> Refusal:
    body = {"ts": 0, "status": "error", "err-code": code, "err-msg": message, "data": None}
    return Refusal(status, body)


class Htx(Exchange):
    """The public part of api.huobi.pro."""

    name = "htx"
    words = Words(
        unknown_symbol=_error(200, "invalid-parameter", "invalid symbol"),
        bad_request=_error(200, "invalid-parameter", "invalid period"),
        too_many=_error(429, "too-many-requests", "exceeded rate limit"),
    )
    candles_at = "/market/history/kline"
    instruments_at = "/v1/settings/common/symbols"
    intervals = spelt("1m=1min 5m=5min 15m=15min 30m=30min 1h=60min 4h=4hour")
    is_descending = True
    depth = MOST

    def symbol(self, listing: Listing) -> str:
        """``btcusdt``."""
        return listing.symbol.lower()

    def query(self, given: Given) -> Query:
        """``size`` is all there is: no bounds."""
        size = int(given.get("size", USUAL))
        if not 0 < size <= MOST:
            raise _error(200, "invalid-parameter", "invalid size, valid range: [1,2000]")
        return Query(given["symbol"], self.grid(given["period"]), None, None, size)

    def page(self, query: Query, rows: Sequence[Row]) -> object:
        """Candles as objects of numbers, their time in seconds."""
        candles = [
            {"id": row.opened_at // 1000, "count": row.trades}
            | {name: float(getattr(row, name)) for name in ("open", "high", "low", "close")}
            | {"amount": float(row.volume), "vol": float(row.quote)}
            for row in rows
        ]
        period = next(key for key, name in self.intervals.items() if name == query.grid.name)
        channel = f"market.{query.symbol}.kline.{period}"
        return {"ch": channel, "status": "ok", "ts": self.now(), "data": candles}

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Pairs; one that trades no more is offline."""
        pairs = [
            {
                "sc": self.symbol(listing),
                "dn": f"{listing.base}/{listing.quote}",
                "bc": listing.base.lower(),
                "qc": listing.quote.lower(),
                "state": "online" if is_trading else "offline",
            }
            for listing, is_trading in listed
        ]
        return {"status": "ok", "data": pairs, "ts": str(self.now()), "full": 1}
