"""Gate: 1000 points between two times, oldest first, and none before the newest 10,000.

Docs: https://www.gate.com/docs/developers/apiv4/en/#market-k-line-chart
"""

from collections.abc import Sequence

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment, spelt
from crypto_pipeline.sandbox.grids import Grid
from crypto_pipeline.sandbox.listings import Listing
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 1000
OLDEST = 10_000
USUAL = 100


def _said(label: str, message: str, status: int = 400) -> Refusal:
    return Refusal(status, {"label": label, "message": message})


def _invalid(message: str) -> Refusal:
    return _said("INVALID_PARAM_VALUE", message)


TOO_BROAD = _invalid(
    f"Candlestick range too broad. Maximum {MOST} data points are allowed per request"
)
TOO_LONG_AGO = _invalid(f"Candlestick too long ago. Maximum {OLDEST} points ago are allowed")


class Gate(Exchange):
    """The public part of api.gateio.ws for spot."""

    name = "gate"
    words = Words(
        unknown_symbol=_said("INVALID_CURRENCY_PAIR", "Invalid currency pair"),
        bad_request=_invalid("Invalid request parameter"),
        too_many=_said("TOO_MANY_REQUESTS", "Request Rate Limit Exceeded", 429),
    )
    candles_at = "/api/v4/spot/candlesticks"
    instruments_at = "/api/v4/spot/currency_pairs"
    intervals = spelt("1m=1m 5m=5m 15m=15m 30m=30m 1h=1h 4h=4h 8h=8h 1d=1d")

    def symbol(self, listing: Listing) -> str:
        """``BTC_USDT``."""
        return f"{listing.base}_{listing.quote}"

    def query(self, given: Given) -> Query:
        """``from`` and ``to`` in seconds, both inclusive; or the newest, so many as ``limit``."""
        grid = self.grid(given.get("interval", "30m"))
        start, end = moment(given, "from", 1000), moment(given, "to", 1000)
        if start is None and end is None:
            return Query(given["currency_pair"], grid, None, None, int(given.get("limit", USUAL)))
        if "limit" in given:
            raise _invalid("Invalid request parameter `limit` value: " + str(given["limit"]))
        last = self.now() if end is None else end
        first = last - USUAL * grid.step if start is None else start
        self._bound(grid, first, last)
        return Query(given["currency_pair"], grid, first, last, MOST)

    def page(self, _: Query, rows: Sequence[Row]) -> object:
        """``[seconds, quote volume, close, high, low, open, volume, closed]``, all text."""
        now = self.now()
        return [
            [
                str(row.opened_at // 1000),
                *(row.quote, row.close, row.high, row.low, row.open, row.volume),
                "true" if row.closed_at < now else "false",
            ]
            for row in rows
        ]

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Pairs; one that trades no more is untradable."""
        return [
            {
                "id": self.symbol(listing),
                "base": listing.base,
                "quote": listing.quote,
                "trade_status": "tradable" if is_trading else "untradable",
            }
            for listing, is_trading in listed
        ]

    def _bound(self, grid: Grid, first: int, last: int) -> None:
        """Refuse what is too long, or begins too long ago."""
        if grid.slot(last) - grid.slot(first) >= MOST:
            raise TOO_BROAD
        if grid.slot(self.now()) - grid.slot(first) >= OLDEST:
            raise TOO_LONG_AGO
