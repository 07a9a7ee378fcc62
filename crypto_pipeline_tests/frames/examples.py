"""Candles to try things on, written as a venue prints them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from crypto_pipeline.frames.candles import Candle

PRINTED = ("16570.14", "16574.97", "16564.09", "16568.60", "2622.14355", "43448487.21898430")
"""Prices and volumes of a real candle, trailing zero included."""


def candle(opened: datetime, *, trades: int | None = 90705, **changed: Any) -> Candle:
    """A valid candle; ``changed`` replaces numbers, as text or None."""
    names = ("open", "high", "low", "close", "volume", "quote_volume")
    numbers = dict(zip(names, PRINTED, strict=True)) | changed
    values = [None if text is None else Decimal(text) for text in numbers.values()]
    return Candle._make([opened, *values, trades])


def _eighths(digits: int) -> Decimal:
    """A number with eight decimals, as most venues print."""
    return Decimal(digits).scaleb(-8)


@st.composite
def prices(draw: st.DrawFn) -> tuple[Decimal, ...]:
    """Any open, high, low, close, volume and quote volume that keep the promises."""
    low, first, last, high = sorted(
        draw(st.lists(st.integers(1, 10**15), min_size=4, max_size=4)),
    )
    amounts = draw(st.tuples(st.integers(0, 10**18), st.integers(0, 10**18)))
    if draw(st.booleans()):
        first, last = last, first
    return tuple(map(_eighths, (first, high, low, last, *amounts)))


def candles_at(opened: datetime) -> st.SearchStrategy[Candle]:
    """Any valid candle that opens then."""
    trades = st.none() | st.integers(0, 2**31 - 1)
    return st.builds(
        lambda numbers, count: Candle._make([opened, *numbers, count]), prices(), trades
    )
