"""A venue of the sandbox whose habits are asked for, so that every way of cutting pages can be tried."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.intervals import EPOCH, INTERVALS
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import (
    CandleEndpoint,
    Limits,
    Params,
    Provider,
    Reply,
)
from crypto_pipeline.providers.reading import from_milliseconds, number, whole
from crypto_pipeline.providers.replies import http_fault, reading
from crypto_pipeline.sandbox.exchange import Exchange, Given, Query, Row, moment
from crypto_pipeline.sandbox.refusals import Refusal, Words

MS = timedelta(milliseconds=1)
TOO_LONG = Refusal(400, {"message": "more slots than the limit"})


class OddExchange(Exchange):
    """Cuts a page on the side it is told to, and counts rows or slots as it is told to."""

    name = "odd"
    words = Words(
        unknown_symbol=Refusal(404, {"message": "unknown symbol"}),
        bad_request=Refusal(400, {"message": "bad request"}),
        too_many=Refusal(429, {"message": "too many"}),
    )
    candles_at = "/candles"
    intervals = {name: name for name in INTERVALS}  # noqa: RUF012 - a protocol's constant
    is_descending = True

    def query(self, given: Given) -> Query:
        """All as it is told."""
        grid, limit = self.grid(given["interval"]), int(given["limit"])
        start, end = int(given["start"]), int(given["end"])
        if given["counts"] == "slots" and grid.slot(end) - grid.slot(start - 1) > limit:
            raise TOO_LONG
        newest = given["cuts"] == "oldest"
        return Query(given["symbol"], grid, start, moment(given, "end"), limit, newest)

    def page(self, _: Query, rows: Sequence[Row]) -> object:
        """Rows as they are."""
        return [list(row) for row in rows]


def odd_venue(url: str, page_limit: int, *, ascending: bool, counts_rows: bool) -> Provider:
    """The provider with these habits."""

    def params(symbol: str, interval: str, window: Window, limit: int) -> Params:
        return {
            "symbol": symbol,
            "interval": interval,
            "limit": limit,
            "start": (window.start - EPOCH) // MS,
            "end": (window.end - EPOCH) // MS - 1,
            "cuts": "newest" if ascending else "oldest",
            "counts": "rows" if counts_rows else "slots",
        }

    return Provider(
        name="odd",
        title="Odd venue",
        docs="",
        base_url=url,
        limits=Limits(weight_per_minute=6000),
        symbol=lambda instrument: f"{instrument.base}{instrument.quote}",
        fault=http_fault,
        candles=CandleEndpoint(
            path="/candles",
            page_limit=page_limit,
            weight=1,
            intervals={name: name for name in INTERVALS},
            params=params,
            rows=_rows,
            ascending=ascending,
            limit_counts_rows=counts_rows,
        ),
    )


def _rows(reply: Reply) -> list[Candle]:
    def read(body: Any) -> list[Candle]:
        return [
            Candle(from_milliseconds(row[0]), *map(number, row[2:8]), whole(row[8])) for row in body
        ]

    return reading(read, reply)
