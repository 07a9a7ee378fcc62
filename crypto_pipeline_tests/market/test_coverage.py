"""Runs: set algebra of time, held against sets of minutes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import Window
from crypto_pipeline_tests.market.strategies import MINUTE, minutes, runs, span, spans

NOTHING = Runs()


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
