"""Windows: half-open, in UTC, never empty."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.windows import DAY, Window, midnight, utc
from crypto_pipeline_tests.market.strategies import minutes, spans

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
KOLKATA = timezone(timedelta(hours=5, minutes=30))


def test_naive_time_is_refused() -> None:
    """A time without a zone is an error that says so, for nobody knows which instant it is."""
    with pytest.raises(UsageError, match="2024-02-29T12:00:00 has no time zone"):
        utc(NOON.replace(tzinfo=None))


@pytest.mark.parametrize("naive", ["start", "end"])
def test_window_refuses_naive_bounds(naive: str) -> None:
    """Neither bound of a window may lack its zone."""
    bounds = {"start": NOON, "end": NOON + DAY}
    bounds[naive] = bounds[naive].replace(tzinfo=None)

    with pytest.raises(UsageError, match="no time zone"):
        Window(**bounds)


def test_window_holds_its_bounds_in_utc() -> None:
    """The same instants in another zone make the same window, and it shows UTC."""
    window = Window(NOON.astimezone(KOLKATA), (NOON + DAY).astimezone(KOLKATA))

    assert Window(NOON, NOON + DAY) == window
    assert (UTC, UTC) == (window.start.tzinfo, window.end.tzinfo)
    assert str(window) == "[2024-02-29T12:00:00Z, 2024-03-01T12:00:00Z)"


@pytest.mark.parametrize("length", [timedelta(), -DAY])
def test_empty_and_reversed_windows_are_refused(length: timedelta) -> None:
    """A window holds at least one instant."""
    with pytest.raises(UsageError, match="must start before it ends"):
        Window(NOON, NOON + length)


def test_window_is_half_open() -> None:
    """The start is inside, the end is not."""
    window = Window(NOON, NOON + DAY)
    tick = timedelta(microseconds=1)

    assert NOON in window
    assert NOON + DAY - tick in window
    assert NOON + DAY not in window
    assert NOON - tick not in window


def test_day_is_24_hours_from_midnight() -> None:
    """A day's window runs from its first instant to the next day's."""
    window = Window.of_day(date(2024, 2, 29))

    assert Window(midnight(date(2024, 2, 29)), midnight(date(2024, 3, 1))) == window
    assert window.span == DAY
    assert [date(2024, 2, 29)] == list(window.days())


def test_days_are_those_a_window_touches() -> None:
    """A day counts when any instant of it lies inside, the end's own day when it does not."""
    window = Window(NOON, midnight(date(2024, 3, 2)))

    assert [date(2024, 2, 29), date(2024, 3, 1)] == list(window.days())


@given(spans(5000))
def test_days_tile_the_window(window: Window) -> None:
    """The parts of a window in its days, one after the other, are the window."""
    parts = [Window.of_day(day).intersection(window) for day in window.days()]
    inside = [part for part in parts if part]

    assert len(parts) == len(inside)
    assert (window.start, window.end) == (inside[0].start, inside[-1].end)
    assert [part.end for part in inside[:-1]] == [part.start for part in inside[1:]]


@given(spans(60), spans(60))
def test_intersection_is_what_both_hold(one: Window, other: Window) -> None:
    """The intersection has the minutes that both have, and is None when there are none."""
    shared = one.intersection(other)

    assert minutes(one) & minutes(other) == (minutes(shared) if shared else set())
    assert other.intersection(one) == shared


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)))
def test_midnight_is_the_first_instant_of_its_day(day: date) -> None:
    """A microsecond before, it is still the day before."""
    assert midnight(day).date() == day
    assert (midnight(day) - timedelta(microseconds=1)).date() == day - DAY


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)))
def test_month_holds_its_days_and_no_other(day: date) -> None:
    """From the first at midnight to the first of the next, leap years and Decembers included."""
    days = list(Window.of_month(day).days())

    assert day in days
    assert {(day.year, day.month)} == {(one.year, one.month) for one in days}
    assert (1, 1) == (days[0].day, (days[-1] + DAY).day)
