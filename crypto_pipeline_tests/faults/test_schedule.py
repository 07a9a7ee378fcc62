"""Schedules: the same from the same seed, and none of the kinds forgotten."""

from crypto_pipeline_tests.faults.matrix import ROUND
from crypto_pipeline_tests.faults.schedule import KINDS, schedule


def test_seed_alone_makes_the_schedule() -> None:
    """A seed that failed yesterday fails today."""
    for seed in range(50):
        assert schedule(seed) == schedule(seed)
        assert str(schedule(seed)) == str(schedule(seed))


def test_every_kind_of_fault_has_its_turn() -> None:
    """Each round has all kinds among its schedules, so CI plays each of them eight times or more."""
    for first in range(0, 8 * ROUND, ROUND):
        ordered = set().union(*(schedule(seed).kinds for seed in range(first, first + ROUND)))

        assert set(KINDS) == ordered


def test_schedules_tell_what_goes_wrong() -> None:
    """A failure's message names the seed, the market's faults and each tick's."""
    one = schedule(2)
    told = str(one)

    assert told.startswith("seed 2: ")
    assert len(one.market) == told.count("market: ")
    assert len(one.ticks) == told.count("  tick ")
