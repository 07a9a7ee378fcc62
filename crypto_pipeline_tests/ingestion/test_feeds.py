"""What a feed's answer proves: coverage by overlap, holes by its lack, and nothing more."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.ingestion.feeds import FeedAnswer, whole_slots
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.news import Marks, NewsPage
from crypto_pipeline.warehouse.news import FeedState

QUARTER = Interval.parse("15m")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MINUTES = st.integers(min_value=-2000, max_value=2000)


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + minutes * MINUTE


def span(start: float, end: float) -> Runs:
    """One run by minutes after noon."""
    return Runs((Window(at(start), at(end)),))


def state(start: float, end: float) -> FeedState:
    """A feed that was read whole from and until then; its oldest item was its first."""
    return FeedState(at(start), at(end), '"a"', None, at(start), at(end - 1))


def answer(before: FeedState | None, oldest: float | None, until: float) -> FeedAnswer:
    """A feed with such an oldest item, or one that is as it was."""
    page = NewsPage(until=at(until), marks=Marks('"a"'), not_modified=True)
    if oldest is not None:
        page = NewsPage((), Window(at(oldest), at(until)), at(until), Marks('"b"'))
    return FeedAnswer("rss_a", QUARTER, before, page)


def test_first_answer_covers_its_whole_slots() -> None:
    """From the oldest item to now; half a slot proves nothing."""
    first = answer(None, -100, 7)

    assert (at(-100), at(7)) == (first.covered.start, first.covered.end)  # type: ignore[union-attr]
    assert span(-90, 0) == first.slots
    assert FeedState(at(-100), at(7), '"b"', None, at(-100), None) == first.state


@pytest.mark.parametrize("oldest", [-500, 1, 7, None])
def test_overlap_proves_all_the_time_between(oldest: float | None) -> None:
    """Where the feed reaches back to what was covered, or did not change, nothing is missing since."""
    found = answer(state(-100, 7), oldest, 33)

    assert span(0 if oldest is None or oldest >= 0 else -495, 30) == found.slots
    assert at(33) == found.state.covered_until  # type: ignore[union-attr]
    assert at(min(oldest or 0, -100)) == found.state.covered_from  # type: ignore[union-attr]
    hole = found.attempt(Runs())
    assert not [window for window, _ in hole.parts if window.end > at(7)]


def test_lack_of_overlap_is_a_hole_with_evidence() -> None:
    """What scrolled off between two polls is lost for good, and both instants say so."""
    found = answer(state(-100, 7), 50, 100)
    attempt = found.attempt(span(15, 90))
    (hole, vain), *rest = attempt.parts

    assert span(60, 90) == found.slots
    assert Window(at(0), at(60)) == hole
    assert ("not_refillable", True) == (vain.reason, vain.is_certain)
    assert {
        "provider": "rss_a",
        "oldest_item": at(50).isoformat(),
        "covered_until": at(7).isoformat(),
    } == vain.evidence
    assert span(0, 90) == attempt.asked
    assert [Window(at(15), at(60))] == [window for window, _ in rest]


def test_what_is_older_than_the_feed_is_lost() -> None:
    """A slot that nobody covered before is not in a feed that no longer reaches it."""
    attempt = answer(None, 50, 100).attempt(span(0, 30))
    ((window, vain),) = attempt.parts

    assert (Window(at(0), at(30)), "not_refillable") == (window, vain.reason)
    assert "covered_until" not in (vain.evidence or {})


def test_feed_without_items_proves_nothing() -> None:
    """An empty feed is no evidence of a quiet day."""
    empty = FeedAnswer("rss_a", QUARTER, state(-100, 7), NewsPage(until=at(33)))

    assert (None, Runs(), None) == (empty.covered, empty.slots, empty.state)
    assert () == tuple(empty.attempt(span(0, 30)).parts)


def test_stale_answer_takes_nothing_back() -> None:
    """A cache that answered before our last poll adds no slot that was not there."""
    for stale in (answer(state(-100, 7), -200, -20), answer(state(-100, 7), None, -20)):
        assert not [run for run in stale.slots if run.end > at(-20)]


@given(st.lists(st.tuples(MINUTES, st.integers(1, 500)), min_size=1, max_size=8))
def test_covered_is_only_what_feeds_held(polls: list[tuple[int, int]]) -> None:
    """However polls follow each other, every slot called covered lies within what they held together."""
    before: FeedState | None = None
    held, marked, now = Runs(), Runs(), -3000
    for oldest, later in polls:
        now += later
        if oldest >= now:
            continue
        found = answer(before, oldest, now)
        held += span(oldest, now)
        marked += found.slots
        before = found.state or before
        lost = Runs.of(window for window, _ in found.attempt(Runs()).parts)
        assert not lost & marked

    assert whole_slots(held, QUARTER) == marked
