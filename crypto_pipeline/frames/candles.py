"""Candles as typed rows, and what a row must keep to be stored.

Prices and volumes are decimals, so that a number reads back exactly as the venue printed it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from crypto_pipeline.market.windows import Window

MOST_DIGITS = 30
"""Before the point, and zeros after it: more than any market has, and fewer than a database refuses."""
MOST_TRADES = 2**31 - 1
_ZERO = Decimal()


class Candle(NamedTuple):
    """One candle; the fields are the columns of the ``ohlc`` dataset, in its order."""

    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal | None
    trade_count: int | None


class Rejected(NamedTuple):
    """A row that breaks a promise, kept aside with the reason; the row begins with its time."""

    row: tuple[Any, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class CandleFrame:
    """Candles of one series, sorted by open time, one per open time, all of them valid and closed."""

    candles: tuple[Candle, ...]
    rejected: tuple[Rejected, ...] = ()


def broken_promise(candle: Candle) -> str | None:
    """Why a candle may not be stored, or None."""
    _, first, high, low, last, volume, quote_volume, trades = candle
    quote = _ZERO if quote_volume is None else quote_volume
    if not all(map(Decimal.is_finite, (first, high, low, last, volume, quote))):
        return "a price or volume is not a finite number"
    if low <= 0:
        return "a price is not positive"
    if not (low <= first <= high and low <= last <= high):
        return "open or close lies outside low and high"
    if volume < 0 or quote < 0 or (trades or 0) < 0:
        return "a volume or the trade count is negative"
    if (
        not -MOST_DIGITS <= low.adjusted() <= high.adjusted() <= MOST_DIGITS
        or max(abs(volume.adjusted()), abs(quote.adjusted())) > MOST_DIGITS
        or (trades or 0) > MOST_TRADES
    ):
        return "a number is beyond all measure"
    return None


def validated(candles: Iterable[Candle], window: Window, due: datetime) -> CandleFrame:
    """The candles of the window that are closed, sorted, the last of several with one open time.

    ``due`` is the end of the newest closed slot: a candle that opens before it is closed. Rows
    outside the window are clipped, rows that break a promise are set aside with the reason.
    """
    end = min(window.end, due)
    kept: dict[datetime, Candle] = {}
    rejected: list[Rejected] = []
    for candle in candles:
        if not window.start <= candle.open_time < end:
            continue
        reason = broken_promise(candle)
        if reason is None:
            kept[candle.open_time] = candle
        else:
            rejected.append(Rejected(candle, reason))
    return CandleFrame(tuple(sorted(kept.values())), tuple(rejected))
