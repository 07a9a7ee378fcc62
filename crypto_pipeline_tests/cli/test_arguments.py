"""What commands take: days and instants, read alike by all of them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.cli.arguments import dataset_named, require_kept, window_between
from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import Window

YEAR = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
NOW = datetime(2026, 3, 5, 12, 7, tzinfo=UTC)


def test_without_both_ends_it_is_the_default() -> None:
    """Who bounds nothing sees everything."""
    assert YEAR == window_between(None, None, YEAR)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
def test_days_are_included_at_both_ends(first: date, length: int) -> None:
    """From a day to a day is all of both; the same day twice is that day."""
    last = date.fromordinal(first.toordinal() + length)
    window = window_between(str(first), str(last), YEAR)

    assert (first, last, length + 1) == (
        next(iter(window.days())),
        list(window.days())[-1],
        window.span.days,
    )


def test_instants_are_half_open_and_in_any_zone() -> None:
    """A time of day ends where it says, whatever zone it is written in."""
    window = window_between("2026-01-31T12:00:00Z", "2026-01-31T15:30:00+02:00", YEAR)

    assert str(window) == "[2026-01-31T12:00:00Z, 2026-01-31T13:30:00Z)"


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-02-30",
        "2026-1-1",
        "20260101",
        "2026-01-31T12:00:00",
        "",
        "9999-12-31",
        "0001-01-01T00:00:00+02:00",
    ],
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    """A time without a zone too, for nobody can know what it means."""
    with pytest.raises(UsageError, match="like 2026-01-31T12:00:00Z") as refused:
        window_between(None, text, YEAR)

    assert str(refused.value).startswith(f"--end {text!r} is not a time")


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-02-02", "2026-02-01"), ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z")],
)
def test_start_after_end_is_refused(start: str, end: str) -> None:
    """An empty span is a mistake, not an empty answer."""
    with pytest.raises(UsageError, match=f"--start {start} is after --end {end}"):
        window_between(start, end, YEAR)


def test_unknown_dataset_names_the_known() -> None:
    """The sentence has what could have been meant."""
    assert OHLC is dataset_named("ohlc")

    with pytest.raises(UsageError, match="there is no dataset 'olhc': expected ohlc"):
        dataset_named("olhc")


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("2026-03-01", "2026-03-02", "2026-03-01 lies before 2026-03-02, the first day kept"),
        ("2026-03-05", "2026-03-06", "2026-03-06 lies in the future: today is 2026-03-05"),
    ],
)
def test_days_that_are_not_kept_are_refused(start: str, end: str, reason: str) -> None:
    """Too old or yet to come: a sentence, for nothing would happen."""
    with pytest.raises(UsageError, match=reason):
        require_kept(window_between(start, end, YEAR), date(2026, 3, 2), NOW)


def test_the_first_day_and_today_are_kept() -> None:
    """Both ends of what is kept are in it."""
    require_kept(window_between("2026-03-02", "2026-03-05", YEAR), date(2026, 3, 2), NOW)
