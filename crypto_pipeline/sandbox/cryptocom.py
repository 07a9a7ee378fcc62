"""Crypto.com Exchange: 300 candles at most, oldest first, within an envelope with a code.

Docs: https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#public-get-candlestick
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment, spelt
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 300
USUAL = 25
CANDLES, INSTRUMENTS = "public/get-candlestick", "public/get-instruments"


def _no(status: int, code: int, message: str) -> Refusal:
    return Refusal(status, {"id": -1, "method": CANDLES, "code": code, "message": message})


class Cryptocom(Exchange):
    """The public part of api.crypto.com/exchange/v1."""

    name = "cryptocom"
    words = Words(
        unknown_symbol=_no(400, 30003, "SYMBOL_NOT_FOUND"),
        bad_request=_no(400, 40004, "MISSING_OR_INVALID_ARGUMENT"),
        too_many=_no(429, 42901, "TOO_MANY_REQUESTS"),
    )
    candles_at = f"/exchange/v1/{CANDLES}"
    instruments_at = f"/exchange/v1/{INSTRUMENTS}"
    intervals = spelt("1m=1m 5m=5m 15m=15m 30m=30m 1h=1h 2h=2h 4h=4h 12h=12h 1d=1D 1w=7D")

    def symbol(self, listing: Listing) -> str:
        """``BTC_USDT``."""
        return f"{listing.base}_{listing.quote}"

    def query(self, given: Given) -> Query:
        """``start_ts`` inclusive, ``end_ts`` exclusive, both in ms."""
        count, end = int(given.get("count", USUAL)), moment(given, "end_ts")
        if not 0 < count <= MOST:
            raise self.words.bad_request
        return Query(
            given["instrument_name"],
            self.grid(given.get("timeframe", "1m")),
            moment(given, "start_ts"),
            None if end is None else end - 1,
            count,
            takes_newest=True,
        )

    def page(self, query: Query, rows: Sequence[Row]) -> object:
        """Candles as objects of texts."""
        candles = [
            {"o": row.open, "h": row.high, "l": row.low, "c": row.close, "v": row.volume}
            | {"t": row.opened_at}
            for row in rows
        ]
        result = {"interval": query.grid.name, "data": candles, "instrument_name": query.symbol}
        return {"id": -1, "method": CANDLES, "code": 0, "result": result}

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Pairs; one that trades no more is not tradable."""
        pairs = [
            {
                "symbol": self.symbol(listing),
                "inst_type": "CCY_PAIR",
                "display_name": f"{listing.base}/{listing.quote}",
                "base_ccy": listing.base,
                "quote_ccy": listing.quote,
                "tradable": is_trading,
            }
            for listing, is_trading in listed
        ]
        return {"id": 1, "method": INSTRUMENTS, "code": 0, "result": {"data": pairs}}
