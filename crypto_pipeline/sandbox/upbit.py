"""Upbit: the newest 200 candles before an instant, newest first, none for a slot without a trade.

Docs: https://docs.upbit.com/kr/reference/list-candles-minutes
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, spelt
from crypto_pipeline.sandbox.grids import MINUTE
from crypto_pipeline.sandbox.listings import LISTINGS, Listing, quoted_in
from crypto_pipeline.sandbox.refusals import Refusal, Words

MOST = 200
LONGEST_UNIT = 1440
SEOUL = timezone(timedelta(hours=9))


def _error(name: int | str, message: str) -> dict[str, object]:
    return {"error": {"name": name, "message": message}}


class Upbit(Exchange):
    """The public part of api.upbit.com."""

    name = "upbit"
    words = Words(
        unknown_symbol=Refusal(404, _error(404, "Code not found")),
        bad_request=Refusal(400, _error(400, "mandatory query parameters are missing")),
        too_many=Refusal(429, _error("too_many_requests", "Too many API requests.")),
    )
    candles_at = r"/v1/candles/(?P<unit>minutes/\d+|days|weeks)"
    instruments_at = "/v1/market/all"
    intervals = spelt(
        "1m=minutes/1 3m=minutes/3 5m=minutes/5 15m=minutes/15 30m=minutes/30 "
        "1h=minutes/60 4h=minutes/240 1d=days 1w=weeks"
    )
    listings = (*quoted_in("KRW"), *LISTINGS[:2])
    is_descending = True
    omits_quiet = True

    def symbol(self, listing: Listing) -> str:
        """``KRW-BTC``."""
        return f"{listing.quote}-{listing.base}"

    def query(self, given: Given) -> Query:
        """``to`` in ISO 8601, exclusive; ``count`` is 1 unless it is given."""
        count, grid = int(given.get("count", 1)), self.grid(given["unit"])
        if not 0 < count <= MOST:
            raise self.words.bad_request
        end = _ms(given["to"]) - 1 if "to" in given else None
        return Query(given["market"], grid, None, end, count, takes_newest=True)

    def page(self, query: Query, rows: Sequence[Row]) -> object:
        """Candles as objects of numbers, their times without a zone."""
        minutes = query.grid.step // MINUTE
        unit = {"unit": minutes} if minutes < LONGEST_UNIT else {}
        return [_candle(query.symbol, row) | unit for row in rows]

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """Markets; one that trades no more is not among them."""
        return [
            {
                "market": self.symbol(listing),
                "korean_name": listing.base,
                "english_name": listing.base,
            }
            for listing, is_trading in listed
            if is_trading
        ]


def _ms(text: str) -> int:
    """A time without a zone is UTC."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _candle(market: str, row: Row) -> dict[str, Any]:
    opened = datetime.fromtimestamp(row.opened_at / 1000, UTC)
    return {
        "market": market,
        "candle_date_time_utc": f"{opened:%Y-%m-%dT%H:%M:%S}",
        "candle_date_time_kst": f"{opened.astimezone(SEOUL):%Y-%m-%dT%H:%M:%S}",
        "opening_price": float(row.open),
        "high_price": float(row.high),
        "low_price": float(row.low),
        "trade_price": float(row.close),
        "timestamp": row.closed_at,
        "candle_acc_trade_price": float(row.quote),
        "candle_acc_trade_volume": float(row.volume),
    }
