"""Presence: which slots a batch covers, against a slow and plain count."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.warehouse.presence import presence

START = datetime(2024, 2, 28, tzinfo=UTC)
OFFSETS = st.lists(st.integers(0, 3 * 86_400_000), max_size=60)


@given(OFFSETS, st.sampled_from(["1m", "1h", "4h", "1d", "3d", "1w"]))
def test_each_row_covers_the_slot_it_lies_in(offsets: list[int], name: str) -> None:
    """Every covered day holds exactly the slots that rows lie in, whatever their order."""
    interval = Interval.parse(name)
    times = [START + timedelta(milliseconds=offset) for offset in offsets]
    expected = {interval.floor(time) for time in times}

    found = presence([(7, interval, times)])

    runs = [run for slots in found["slots"] for run in slots]  # type: ignore[attr-defined]
    covered = {
        run.lower + n * interval.step
        for run in runs
        for n in range(max((run.upper - run.lower) // interval.step, 1))
    }
    assert expected == covered


@given(OFFSETS)
def test_no_run_leaves_its_day(offsets: list[int]) -> None:
    """The ledger has a row a day; a run that crosses midnight is two."""
    times = [START + timedelta(milliseconds=offset) for offset in offsets]

    found = presence([(7, Interval.parse("1m"), times)])

    for day, slots in zip(found["days"], found["slots"], strict=True):
        for run in slots:  # type: ignore[attr-defined]
            last = run.upper - timedelta(microseconds=1)
            assert (day, day) == (run.lower.date(), last.date())


def test_series_and_days_come_in_the_ledgers_order() -> None:
    """Writers that take rows in one order never wait for each other in a circle."""
    minute = Interval.parse("1m")
    times = [START + timedelta(days=1), START]

    found = presence([(9, minute, times), (3, minute, times), (9, minute, [START])])

    assert [3, 3, 9, 9] == found["series_ids"]
    assert [START.date(), (START + timedelta(days=1)).date()] * 2 == found["days"]


@pytest.mark.parametrize("name", ["3d", "1w"])
def test_slot_longer_than_a_day_counts_where_it_opens(name: str) -> None:
    """A week is one slot of one day."""
    interval = Interval.parse(name)
    opened = interval.floor(START)

    found = presence([(1, interval, [START])])

    assert [opened.date()] == found["days"]
    assert opened + timedelta(days=1) == found["slots"][0][0].upper  # type: ignore[index]
