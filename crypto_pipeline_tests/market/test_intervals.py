"""Intervals: every instant lies in exactly one slot, whatever the step."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.intervals import EPOCH, INTERVALS, MONDAY, Interval
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline_tests.market.strategies import instants, intervals

TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("name", INTERVALS)
def test_name_survives_parsing(name: str) -> None:
    """An interval is called what it was parsed from."""
    assert name == str(Interval.parse(name))


@pytest.mark.parametrize("name", ["", "60s", "1M", "1D", "4 h", "1m\n"])
def test_unknown_interval_is_refused_with_the_known_ones(name: str) -> None:
    """The error shows what was written and every interval there is."""
    with pytest.raises(UsageError) as refused:
        Interval.parse(name)

    assert repr(name) in str(refused.value)
    assert ", ".join(INTERVALS) in str(refused.value)


def test_intervals_are_listed_shortest_first() -> None:
    """The list that errors and settings show is in order of length."""
    steps = [Interval.parse(name).step for name in INTERVALS]

    assert sorted(steps) == steps


@given(intervals, instants)
def test_floor_is_the_slot_that_holds_the_instant(interval: Interval, moment: datetime) -> None:
    """The floor is on the grid, not later than the instant, and less than a step before it."""
    floor = interval.floor(moment)

    assert floor <= moment < floor + interval.step
    assert timedelta() == (floor - interval.anchor) % interval.step
    assert floor == interval.floor(floor)


@given(intervals, instants)
def test_ceil_is_the_first_slot_from_the_instant_on(interval: Interval, moment: datetime) -> None:
    """The ceiling is on the grid, not earlier than the instant, and less than a step after it."""
    ceil = interval.ceil(moment)

    assert ceil - interval.step < moment <= ceil
    assert ceil == interval.floor(ceil)
    assert (ceil == interval.floor(moment)) == (moment == ceil)


@given(intervals, instants, st.timedeltas(timedelta(), timedelta(minutes=5)))
def test_due_is_the_end_of_a_slot_that_had_its_grace(
    interval: Interval, now: datetime, grace: timedelta
) -> None:
    """What ends at ``due`` has closed and had its grace; what ends a step later has not."""
    due = interval.due(now, grace)

    assert due + grace <= now < due + interval.step + grace
    assert due == interval.floor(due)


@given(intervals, instants, st.timedeltas(TICK, timedelta(days=30)), st.integers(1, 50))
def test_opens_are_the_grid_inside_the_window(
    interval: Interval, start: datetime, length: timedelta, steps: int
) -> None:
    """Every open time lies in the window, a step from the next, and none is left out at the ends."""
    window = Window(start, start + min(length, steps * interval.step))
    opens = list(interval.opens(window))

    assert all(moment in window and moment == interval.floor(moment) for moment in opens)
    assert all(later - earlier == interval.step for earlier, later in pairwise(opens))
    assert (opens[0] if opens else window.end) <= interval.ceil(start)
    assert (opens[-1] + interval.step if opens else interval.ceil(start)) >= window.end


def test_weeks_open_on_monday() -> None:
    """A weekly candle opens at midnight of a Monday, as venues have it."""
    week = Interval.parse("1w")

    assert MONDAY.weekday() == 0
    assert datetime(2024, 2, 26, tzinfo=UTC) == week.floor(datetime(2024, 3, 3, 23, 59, tzinfo=UTC))


def test_three_days_count_from_the_epoch() -> None:
    """A three-day candle opens a multiple of three days after 1970-01-01."""
    three = Interval.parse("3d")
    opened = three.floor(datetime(2024, 3, 2, 12, tzinfo=UTC))

    assert datetime(2024, 2, 29, tzinfo=UTC) == opened
    assert (opened - EPOCH) // DAY % 3 == 0


@given(intervals, instants)
def test_slots_up_to_a_day_never_cross_midnight(interval: Interval, moment: datetime) -> None:
    """A slot shorter than a day lies in one UTC day, so that a day's ledger row can hold it."""
    slot = Window(interval.floor(moment), interval.floor(moment) + min(interval.step, DAY))

    assert len(list(slot.days())) == 1
