"""Blocks of candles: exact, and judged as single candles are."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.candle_block import CandleBlock, microseconds
from crypto_pipeline.frames.candles import Candle, broken_promise
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import Window
from crypto_pipeline_tests.frames.blocks import MINUTE, START, candle_lists, texts
from crypto_pipeline_tests.frames.examples import candle


@given(candle_lists(most_digits=25, most_decimals=14))
def test_block_gives_back_every_digit(candles: list[Candle]) -> None:
    """Rows to arrays and back are the same text, trailing zeros and all."""
    assert texts(candles) == texts(list(CandleBlock.of(candles)))


def test_empty_block_has_no_rows() -> None:
    """Nothing in, nothing out."""
    block = CandleBlock.of([])

    assert ([], [], 0) == (list(block), block.days(), len(block))
    assert (block, []) == block.validated()


def test_block_is_cut_at_instants() -> None:
    """The end stays outside, and a day is named once."""
    block = CandleBlock.of([candle(START + number * MINUTE) for number in range(1441)])

    cut = block.within(START + MINUTE, START + 3 * MINUTE)

    assert [START + MINUTE, START + 2 * MINUTE] == list(cut.times())
    assert [date(2024, 3, 1), date(2024, 3, 2)] == block.days()
    assert [START] == list(block.only(block.open_times == block.open_times[0]).times())


@given(candle_lists(most_digits=20, most_decimals=10), st.data())
def test_block_is_judged_as_its_rows_are(candles: list[Candle], data: st.DataObject) -> None:
    """Whatever is swapped among the prices, the block rejects just what a single row would be rejected for."""
    mixed = []
    for one in candles:
        prices = data.draw(st.permutations(one[1:5]))
        zeroed = [value * data.draw(st.sampled_from([0, 1, 1, 1])) for value in prices]
        mixed.append(Candle._make([one.open_time, *zeroed, *one[5:]]))
    kept, rejected = CandleBlock.of(mixed).validated()

    assert [one for one in mixed if broken_promise(one) is None] == list(kept)
    assert [(one, broken_promise(one)) for one in mixed if broken_promise(one)] == [
        tuple(one) for one in rejected
    ]


@pytest.mark.parametrize(("low", "high"), [("100", "99"), ("0.00000002", "0.00000001")])
def test_low_above_high_is_rejected(low: str, high: str) -> None:
    """The reason is the one a single row gets."""
    wrong = candle(START, low=low, high=high, open=low, close=low)
    kept, rejected = CandleBlock.of([wrong, candle(START + MINUTE)]).validated()

    assert [START + MINUTE] == list(kept.times())
    assert ["open or close lies outside low and high"] == [one.reason for one in rejected]


def test_mask_and_slice_choose_alike() -> None:
    """Arrays of all kinds are cut together."""
    block = CandleBlock.of([candle(START + timedelta(minutes=n)) for n in range(4)])
    mask = np.array([False, True, True, False])

    assert list(block.only(mask)) == list(block.only(slice(1, 3)))
    assert list(block) == list(replace(block))


@given(st.sets(st.integers(0, 400), max_size=12), st.sets(st.integers(0, 400), max_size=8))
def test_candles_lie_in_the_slots_that_hold_them(seconds: set[int], wanted: set[int]) -> None:
    """As the interval's floor and the runs say, candle by candle, off the grid too."""
    minute = Interval.parse("1m")
    runs = Runs.of(Window(start, start + MINUTE) for start in (START + n * MINUTE for n in wanted))
    times = [START + timedelta(seconds=17 * number) for number in sorted(seconds)]
    block = CandleBlock.of([candle(time) for time in times])

    assert [minute.floor(time) in runs for time in times] == block.lie_in(runs, minute).tolist()
    assert [microseconds(minute.floor(time)) for time in times] == block.slots(minute).tolist()
