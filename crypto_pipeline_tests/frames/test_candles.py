"""Frames: what may be stored, and what is set aside with a reason."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.candles import Candle, CandleFrame, Rejected, broken_promise, validated
from crypto_pipeline.market.windows import Window
from crypto_pipeline_tests.frames.examples import candle, candles_at

START = datetime(2024, 2, 29, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = Window(START, START + 60 * MINUTE)

BROKEN = [
    ({"open": "NaN"}, "a price or volume is not a finite number"),
    ({"high": "Infinity"}, "a price or volume is not a finite number"),
    ({"volume": "sNaN"}, "a price or volume is not a finite number"),
    ({"quote_volume": "-Infinity"}, "a price or volume is not a finite number"),
    ({"low": "0"}, "a price is not positive"),
    ({"low": "-1.5"}, "a price is not positive"),
    ({"open": "0", "high": "0", "low": "0", "close": "0"}, "a price is not positive"),
    ({"high": "16564.08"}, "open or close lies outside low and high"),
    ({"open": "16574.98"}, "open or close lies outside low and high"),
    ({"close": "16564.08"}, "open or close lies outside low and high"),
    ({"volume": "-0.00000001"}, "a volume or the trade count is negative"),
    ({"quote_volume": "-1"}, "a volume or the trade count is negative"),
    ({"trades": -1}, "a volume or the trade count is negative"),
    ({"trades": 2**31}, "a number is beyond all measure"),
    ({"high": "1E+31"}, "a number is beyond all measure"),
    ({"volume": "1E-31"}, "a number is beyond all measure"),
    ({"quote_volume": "0E+999999"}, "a number is beyond all measure"),
]


def frame_of(*candles: Candle, due: datetime = HOUR.end) -> CandleFrame:
    """The frame of an hour."""
    return validated(candles, HOUR, due)


@pytest.mark.parametrize(("changed", "reason"), BROKEN, ids=str)
def test_broken_row_is_set_aside_with_its_reason(changed: dict[str, str], reason: str) -> None:
    """A row that breaks a promise is not among the candles and is not lost either."""
    broken = candle(START, **changed)  # type: ignore[arg-type]
    sound = candle(START + MINUTE)

    assert CandleFrame((sound,), (Rejected(broken, reason),)) == frame_of(broken, sound)


@given(candles_at(START))
def test_valid_row_passes_as_it_is(row: Candle) -> None:
    """Nothing is rounded, filled in or corrected."""
    assert broken_promise(row) is None
    assert (row,) == frame_of(row).candles
    assert [*map(str, row)] == [*map(str, frame_of(row).candles[0])]


@pytest.mark.parametrize("flat", ["0", "0.00000000"])
def test_hour_without_trades_is_valid(flat: str) -> None:
    """Venues print flat candles with volume 0 when nobody traded."""
    price = "16570.14"
    quiet = candle(
        START, open=price, high=price, low=price, close=price, volume=flat, quote_volume=flat
    )

    assert (quiet,) == frame_of(quiet).candles


def test_what_a_venue_does_not_say_stays_unknown() -> None:
    """Quote volume and trade count may be absent; they do not become zero."""
    spare = candle(START, quote_volume=None, trades=None)

    assert (spare,) == frame_of(spare).candles


@given(st.permutations(range(10)))
def test_rows_are_sorted_whatever_their_order(order: list[int]) -> None:
    """The frame does not depend on the order in which a venue sends rows."""
    rows = [candle(START + number * MINUTE) for number in range(10)]

    assert tuple(rows) == frame_of(*(rows[number] for number in order)).candles


def test_rows_outside_the_window_are_clipped() -> None:
    """The window is half-open here too; what a venue sends beyond it is nobody's question."""
    before, first, last, after = (
        candle(moment) for moment in (START - MINUTE, START, HOUR.end - MINUTE, HOUR.end)
    )
    broken = candle(HOUR.end, low="NaN")

    assert CandleFrame((first, last)) == frame_of(before, first, last, after, broken)


def test_open_candle_is_dropped() -> None:
    """What opens at or after the end of the newest closed slot may still change."""
    closed, running = candle(START), candle(START + MINUTE)

    assert CandleFrame((closed,)) == frame_of(closed, running, due=START + MINUTE)


def test_off_grid_candle_keeps_its_own_time() -> None:
    """A candle that opens at 28:14.789 is stored as the venue gave it."""
    late = candle(START + timedelta(minutes=28, seconds=14, milliseconds=789))

    assert (late,) == frame_of(late).candles


def test_last_of_several_with_one_open_time_wins() -> None:
    """A candle that a venue sends twice is the one it said last."""
    early, late = candle(START, close="16566.00"), candle(START, close="16567.00")

    assert CandleFrame((late,)) == frame_of(early, late)
    assert CandleFrame((early,)) == frame_of(late, early)


def test_valid_row_is_kept_beside_its_broken_twin() -> None:
    """A broken duplicate neither replaces nor spoils the valid row."""
    sound, broken = candle(START), candle(START, low="0")

    assert (sound,) == frame_of(sound, broken).candles
    assert (sound,) == frame_of(broken, sound).candles
