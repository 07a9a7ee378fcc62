"""Blocks of candles and the text that venues print of them, for tests to compare."""

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from crypto_pipeline.frames.candle_block import microseconds
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.windows import Window

START = datetime(2024, 3, 1, tzinfo=UTC)
MONTH = Window(START, datetime(2024, 4, 1, tzinfo=UTC))
MINUTE = timedelta(minutes=1)
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)


def line(candle: Candle, unit: int = 1000) -> str:
    """A line of a file of klines, times in so many microseconds."""
    opened = microseconds(candle.open_time) // unit
    closed = microseconds(candle.open_time + MINUTE) // unit - 1
    prices = [f"{value:f}" for value in candle[1:6]]
    texts = [opened, *prices, closed, f"{candle.quote_volume:f}", candle.trade_count, "0.1", "2", 0]
    return ",".join(map(str, texts))


def lines(candles: Sequence[Candle], unit: int = 1000) -> bytes:
    """The lines of some candles."""
    return "".join(line(one, unit) + "\n" for one in candles).encode()


def zipped(path: Path, text: bytes, member: str = "BTCUSDT-1m-2024-03.csv") -> Path:
    """A zip file of one member."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, text)
    path.write_bytes(held.getvalue())
    return path


def _printed(digits: int, decimals: int) -> Decimal:
    return Decimal(digits).scaleb(-decimals)


@st.composite
def candle_lists(draw: st.DrawFn, most_digits: int = 15, most_decimals: int = 8) -> list[Candle]:
    """Candles of successive minutes, gaps among them, numbers with any digits, all promises kept."""
    numbers = st.integers(1, 10**most_digits - 1)
    minutes = sorted(draw(st.sets(st.integers(0, 44_000), min_size=1, max_size=6)))
    found = []
    for minute in minutes:
        decimals = draw(st.integers(0, most_decimals))
        low, opened, close, high = sorted(draw(st.lists(numbers, min_size=4, max_size=4)))
        amounts = [
            _printed(draw(st.integers(0, 10**most_digits - 1)), draw(st.integers(0, most_decimals)))
            for _ in range(2)
        ]
        values = [_printed(one, decimals) for one in (opened, high, low, close)]
        trades = draw(st.integers(0, 2**31 - 1))
        found.append(Candle._make([START + minute * MINUTE, *values, *amounts, trades]))
    return found


def texts(candles: Sequence[Candle]) -> list[list[str]]:
    """Candles as text, so that trailing zeros count."""
    return [
        [str(candle.open_time), *(f"{value:f}" for value in candle[1:7]), str(candle[7])]
        for candle in candles
    ]
