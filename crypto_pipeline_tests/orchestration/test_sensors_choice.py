"""Which days the gap sensor chooses, for any holes and whatever is in flight."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.windows import DAY
from crypto_pipeline.orchestration.sensors import MAX_BACKFILLS, choose
from crypto_pipeline_tests.orchestration.scene import TODAY

FIRST, SECOND, THIRD, FOURTH = (date(2026, 3, day) for day in (1, 2, 3, 4))

days = st.dates(TODAY - 60 * DAY, TODAY)
spans = st.tuples(days, st.integers(0, 20)).map(lambda one: (one[0], one[0] + one[1] * DAY))
holes = st.sets(days, max_size=50).map(lambda found: sorted(found, reverse=True))


@given(holes, st.lists(spans, max_size=MAX_BACKFILLS + 1), st.integers(1, 40))
def test_a_choice_is_bounded_free_and_newest_first(
    missing: list[date], taken: list[tuple[date, date]], max_days: int
) -> None:
    """Whatever is missing and in flight: few days, none that is worked on, the newest hole first."""
    repair = choose(missing, taken, TODAY, max_days)

    free = [day for day in missing if not any(first <= day <= last for first, last in taken)]
    assert repair.today == (TODAY if TODAY in free else None)
    if repair.older is None:
        return
    first, last = repair.older
    assert (last - first).days < max_days
    assert last == max(day for day in free if day < TODAY)
    assert first in free
    assert not any(begin <= last and first <= end for begin, end in taken)


@given(holes, st.integers(1, 40))
def test_with_nothing_in_flight_the_newest_hole_is_always_asked_for(
    missing: list[date], max_days: int
) -> None:
    """No hole waits without a reason, and the range takes in all the holes that fit."""
    repair = choose(missing, [], TODAY, max_days)

    older = [day for day in missing if day < TODAY]
    within = [day for day in older if older[0] - day < timedelta(days=max_days)]
    assert repair.older == ((within[-1], older[0]) if older else None)


@given(holes, st.lists(spans, min_size=MAX_BACKFILLS, max_size=6))
def test_no_more_backfills_than_allowed(
    missing: list[date], taken: list[tuple[date, date]]
) -> None:
    """With enough of them in flight, only today is asked for."""
    older = [(first, min(last, TODAY - DAY)) for first, last in taken if first < TODAY]
    repair = choose(missing, older, TODAY, 31)

    assert len(older) < MAX_BACKFILLS or repair.older is None


def test_a_run_for_today_takes_no_backfills_place() -> None:
    """Two backfills may be in flight beside it."""
    repair = choose([FOURTH, FIRST], [(TODAY, TODAY), (SECOND, THIRD)], TODAY, 31)

    assert repair.older == (FOURTH, FOURTH)
