"""Runs and coverage: set algebra of time, held against sets of minutes."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.coverage import Coverage, Runs
from crypto_pipeline.market.windows import Window
from crypto_pipeline_tests.market.strategies import MINUTE, minute, minutes, runs, span, spans

NOTHING = Runs()
TICK = timedelta(microseconds=1)


@given(st.lists(spans(120), max_size=8))
def test_union_of_windows_holds_their_minutes(windows: list[Window]) -> None:
    """Runs made of windows hold every minute of every window and no other."""
    assert set().union(*map(minutes, windows)) == minutes(Runs.of(windows))


@given(runs())
def test_runs_are_sorted_and_never_touch(some: Runs) -> None:
    """Between two runs there is a hole, so equal sets are equal runs."""
    assert all(earlier.end < later.start for earlier, later in pairwise(some))
    assert some == Runs.of(reversed(list(some)))


@given(runs(), runs())
def test_operators_are_those_of_sets(one: Runs, other: Runs) -> None:
    """Union, intersection and difference hold just the minutes that sets would."""
    assert minutes(one) | minutes(other) == minutes(one + other)
    assert minutes(one) & minutes(other) == minutes(one & other)
    assert minutes(one) - minutes(other) == minutes(one - other)


@given(runs(), runs(), runs())
def test_laws_of_the_algebra_hold(one: Runs, two: Runs, three: Runs) -> None:
    """Results are in normal form, so that the laws hold for the runs and not only for their minutes."""
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one & (two + three) == (one & two) + (one & three)
    assert one - (two + three) == (one - two) - three
    assert (one - two) + (one & two) == one
    assert one & NOTHING == one - one == NOTHING


@given(runs())
def test_slots_counts_the_minutes(some: Runs) -> None:
    """On a grid of minutes there are as many slots as minutes."""
    assert len(minutes(some)) == some.slots(MINUTE)
    assert bool(minutes(some)) == bool(some)


def test_a_part_of_a_slot_counts_as_a_slot() -> None:
    """A run of half a slot holds one, for a three-day slot shows only its first day in the ledger."""
    assert Runs((span(0, 1), span(3, 6))).slots(3 * MINUTE) == 2


@given(runs(), st.integers(-1, 121))
def test_instant_is_in_the_runs_when_a_run_holds_it(some: Runs, number: int) -> None:
    """A minute is in the runs from its first instant to its last, and ``at`` is the run around it."""
    found = some.at(minute(number))
    last_instant = minute(number + 1) - TICK

    assert (number in minutes(some)) == (minute(number) in some) == (last_instant in some)
    assert [run for run in some if number in minutes(run)] == ([found] if found else [])


@given(runs(), spans(120))
def test_part_within_a_window_is_the_intersection(some: Runs, window: Window) -> None:
    """Cutting to one window holds the minutes that both hold, as the operator would."""
    assert minutes(some) & minutes(window) == minutes(some.within(window))
    assert some & Runs((window,)) == some.within(window)


@given(runs(), runs(), runs())
def test_missing_is_expected_and_neither_there_nor_explained(
    expected: Runs, present: Runs, explained: Runs
) -> None:
    """Every expected minute is there, explained or missing, and nothing else is missing."""
    coverage = Coverage(expected, present, explained)

    assert minutes(expected) - minutes(present) - minutes(explained) == minutes(coverage.missing)


def test_nothing_expected_is_nothing_missing() -> None:
    """Rows that nobody expects are no fault, and what is not told of is not there."""
    there = Runs((span(0, 5),))

    assert not Coverage(NOTHING, there).missing
    assert there == Coverage(there).missing
