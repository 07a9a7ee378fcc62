"""The text of klines, read as arrays: exactly as row by row, or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.frames.kline_text import plain_block
from crypto_pipeline_tests.frames.blocks import MINUTE, START, candle_lists, line, lines, texts
from crypto_pipeline_tests.frames.examples import candle

GOOD = line(candle(START))


@given(candle_lists())
def test_every_digit_is_read(candles: list[Candle]) -> None:
    """Any mixture of lengths and decimals, some without a point, in either unit of time."""
    for unit in (1000, 1):
        block = plain_block(lines(candles, unit))

        assert block is not None
        assert texts(candles) == texts(list(block))


def test_lines_of_one_form_are_read() -> None:
    """As most files are: the points in the same columns of every line."""
    candles = [
        candle(START + number * MINUTE, volume=f"{number}.00000000") for number in range(3000)
    ]
    block = plain_block(lines(candles))

    assert block is not None
    assert texts(candles) == texts(list(block))


@pytest.mark.parametrize(
    "odd",
    [
        GOOD.replace("16570.14", "-1"),
        GOOD.replace("16570.14", "1e5"),
        GOOD.replace("16570.14", "NaN"),
        GOOD.replace("16570.14", ""),
        GOOD.replace("16570.14", ".5"),
        GOOD.replace("16570.14", "1.2.3"),
        GOOD.replace("16570.14", "1.123456789"),
        GOOD.replace("16570.14", "12345678901234567"),
        GOOD.replace("90705", "2147483648"),
        GOOD.replace("90705", "1.5"),
        GOOD.rpartition(",")[0],
        GOOD + ",7",
        GOOD.replace(",", ";", 1),
        GOOD.replace("1709251200000", "1709251200"),
    ],
)
def test_what_is_not_plain_is_left_alone(odd: str) -> None:
    """Nothing is guessed: such lines are for the reader of single rows."""
    assert plain_block(f"{odd}\n".encode()) is None
    assert plain_block(f"{GOOD}\n{odd}\n".encode()) is None


def test_nothing_is_no_block() -> None:
    """There is no line to read."""
    assert plain_block(b"") is None


def test_longest_numbers_are_read() -> None:
    """Sixteen digits before the point, eight after it."""
    great = candle(START, high="1234567890123456.12345678", volume="0.00000001")
    block = plain_block(lines([great]))

    assert block is not None
    assert Decimal("1234567890123456.12345678") == next(iter(block)).high
    assert texts([great]) == texts(list(block))
