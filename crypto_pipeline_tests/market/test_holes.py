"""Holes: each slot's own account of what was asked in vain, whatever runs it is kept in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.holes import (
    CONFIRM_AFTER,
    FIRST_PAUSE,
    FIRST_RECHECK,
    LONGEST_PAUSE,
    LONGEST_RECHECK,
    MOST_ATTEMPTS,
    SILENT_PAUSE,
    Attempt,
    Hole,
    Vain,
    accounted,
    joined,
    runs_by_day,
    within,
    without,
)
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline_tests.market.strategies import MINUTE, minute, minutes, runs, span, spans

SLOT = span(0, 1)
NOW = minute(5000)
EMPTY = Vain("Unanswered", "nothing there")
SILENT = Vain("TransientError", "no answer", SILENT_PAUSE)
ABSENT = Vain("Absent", "nothing there", reason="venue_outage", evidence={"row_before": "22:00"})
IN_FILE = Vain("Absent", "nothing there", reason="venue_outage", evidence={"file": "2024-02.zip"})
CERTAIN = Vain("Told", "a person said so", reason="no_trades", note="quiet", is_certain=True)
outcomes = st.sampled_from([EMPTY, SILENT, ABSENT, IN_FILE, CERTAIN])
Accounts = Mapping[int, Hole]


def accounts(holes: Sequence[Hole]) -> Accounts:
    """What is noted of each minute: the model of what holes are."""
    found = {number: replace(hole, slots=SLOT) for hole in holes for number in minutes(hole.slots)}
    assert len(found) == sum(len(minutes(hole.slots)) for hole in holes)
    return found


@st.composite
def noted(draw: st.DrawFn, inside: Runs) -> list[Hole]:
    """Holes in the runs, no two of them over one slot, after any attempts."""
    free, cut = (Runs.of(draw(st.lists(spans(120), max_size=2))) for _ in range(2))
    parts = [*(inside - free & cut), *(inside - free - cut)]
    stories = st.lists(outcomes, max_size=2)
    return [asked(Hole(part), [(NOW, one) for one in draw(stories)]) for part in parts]


@st.composite
def tries(draw: st.DrawFn) -> Attempt:
    """A request for some slots, with something to tell of windows that may lie anywhere."""
    parts = draw(st.lists(st.tuples(spans(120), outcomes), max_size=3))
    return Attempt(draw(runs()), draw(outcomes), parts)


def asked(hole: Hole, story: Sequence[tuple[datetime, Vain]]) -> Hole:
    """The hole after it was asked for at these times."""
    for now, vain in story:
        hole = hole.asked(vain, now)
    return hole


holes_anywhere = runs().flatmap(noted)


@given(holes_anywhere, runs())
def test_filled_slots_are_taken_out_and_no_others(holes: list[Hole], gone: Runs) -> None:
    """What is left keeps what was noted of it, and what was not noted is not made up."""
    left = {number: hole for number, hole in accounts(holes).items() if number not in minutes(gone)}

    assert left == accounts(without(holes, gone))


@given(holes_anywhere, runs())
def test_parts_within_runs_are_the_other_side_of_the_cut(holes: list[Hole], some: Runs) -> None:
    """What lies within and what is left without make up the whole, slot for slot."""
    inside, outside = accounts(within(holes, some)), accounts(without(holes, some))

    assert inside.keys() == accounts(holes).keys() & minutes(some)
    assert {**inside, **outside} == accounts(holes)


@given(holes_anywhere, runs())
def test_joining_changes_no_slot(holes: list[Hole], cuts: Runs) -> None:
    """Neighbours that differ in nothing are one, oldest first, however they were cut before."""
    whole = joined([*within(holes, cuts), *without(holes, cuts)])

    assert accounts(holes) == accounts(whole)
    assert whole == joined(reversed(whole))
    assert all(
        one.slots.end < other.slots.start
        or (one.slots.end == other.slots.start and one != replace(other, slots=one.slots))
        for one, other in pairwise(whole)
    )


@given(st.data(), runs(), st.lists(tries(), max_size=3))
def test_accounting_tells_each_slot_what_came_of_it(
    data: st.DataObject, absent: Runs, attempts: list[Attempt]
) -> None:
    """Just the slots asked for that are still absent were in vain, once for each time they were asked for."""
    before = data.draw(noted(absent))
    told = dict(accounts(before))
    for attempt in attempts:
        for number in minutes(attempt.asked & absent):
            known = (vain for window, vain in attempt.parts if number in minutes(window))
            vain = next(known, attempt.otherwise)
            told[number] = told.get(number, Hole(SLOT)).asked(vain, NOW)

    assert told == accounts(accounted(before, absent, attempts, NOW))


@given(st.data(), runs(), tries())
def test_accounting_loses_and_invents_no_slot(
    data: st.DataObject, absent: Runs, attempt: Attempt
) -> None:
    """Afterwards the holes are those that were not asked for, and the absent ones that were."""
    before = data.draw(noted(absent))
    after = accounted(before, absent, [attempt], NOW)
    untouched = set(accounts(before)) - minutes(attempt.asked)

    assert untouched | minutes(attempt.asked & absent) == set(accounts(after))


@pytest.mark.parametrize(("vain", "longest"), [(EMPTY, LONGEST_PAUSE), (SILENT, SILENT_PAUSE)])
def test_each_pause_is_twice_the_one_before_up_to_the_longest(
    vain: Vain, longest: timedelta
) -> None:
    """Two minutes, four, eight: never asked for in a busy loop, and never given up."""
    hole, expected = Hole(SLOT), FIRST_PAUSE
    for attempt in range(1, 2 * MOST_ATTEMPTS):
        hole = hole.asked(vain, NOW)

        assert (min(attempt, MOST_ATTEMPTS), NOW + expected) == (hole.attempts, hole.next_at)
        expected = min(2 * expected, longest)


stories = st.lists(
    st.tuples(st.integers(-(10**6), 10**6).map(lambda number: NOW + number * MINUTE), outcomes),
    min_size=1,
    max_size=8,
)
slow_stories = st.lists(
    st.tuples(st.integers(0, 12), outcomes.filter(lambda one: one != CERTAIN)),
    min_size=1,
    max_size=12,
)


@given(stories)
def test_no_hole_waits_longer_than_its_cap_whatever_the_clock_does(
    story: list[tuple[datetime, Vain]],
) -> None:
    """However often the clock jumped, the next time is after the last asking and within the longest pause."""
    hole = asked(Hole(SLOT), story)
    now, vain = story[-1]
    cap = LONGEST_RECHECK if hole.reason and vain.reason else vain.longest_pause

    assert now < hole.next_at <= now + cap
    assert hole.absent_since is None or hole.absent_since <= max(at for at, _ in story)


@given(stories)
def test_explanation_has_two_witnesses_or_a_certain_one(
    story: list[tuple[datetime, Vain]],
) -> None:
    """Two answers without the slots, far enough apart, an answer and a file, or somebody's word."""
    hole = asked(Hole(SLOT), story)
    seen = [at for at, vain in story if vain.reason and not vain.is_certain]
    is_seen_twice = all(witness in [vain for _, vain in story] for witness in (ABSENT, IN_FILE))
    is_confirmed = any(
        later - earlier >= CONFIRM_AFTER
        for place, later in enumerate(seen)
        for earlier in seen[:place]
    )
    is_told = CERTAIN in [vain for _, vain in story]

    assert (is_confirmed or is_seen_twice or is_told) or hole.reason is None
    assert not is_seen_twice or hole.reason is not None
    assert not is_told or hole.reason == "no_trades"


@given(slow_stories)
def test_hole_is_explained_by_the_first_answer_that_confirms(
    story: list[tuple[int, Vain]],
) -> None:
    """While the clock goes on, failures and empty answers between the witnesses neither help nor harm."""
    hole, now = Hole(SLOT), NOW
    seen: list[tuple[datetime, str]] = []
    for passed, vain in story:
        now += passed * MINUTE
        hole = hole.asked(vain, now)
        seen += [(now, witness) for witness in vain.evidence or ()]
        is_later = bool(seen) and seen[-1][0] - seen[0][0] >= CONFIRM_AFTER
        is_confirmed = is_later or len({witness for _, witness in seen}) == 2

        assert ("venue_outage" if is_confirmed else None) == hole.reason
        assert (seen[0][0] if seen else None) == hole.absent_since


def test_suspicion_is_put_to_the_test_as_soon_as_it_can_be_confirmed() -> None:
    """Whatever pause the attempts would have, a suspected hole is asked for when it can be explained."""
    hole = asked(Hole(SLOT), [*[(NOW, EMPTY)] * 8, (NOW, ABSENT)])
    early = hole.asked(ABSENT, NOW + MINUTE)

    assert (1, NOW + CONFIRM_AFTER, None) == (hole.absences, hole.next_at, hole.reason)
    assert (1, NOW + CONFIRM_AFTER, None) == (early.absences, early.next_at, early.reason)
    assert "venue_outage" == early.asked(ABSENT, NOW + CONFIRM_AFTER).reason


@pytest.mark.parametrize(("first", "second"), [(ABSENT, IN_FILE), (IN_FILE, ABSENT)])
def test_answer_and_file_explain_at_once(first: Vain, second: Vain) -> None:
    """What an answer and a published file both lack needs no five minutes, whichever came first."""
    suspected = asked(Hole(SLOT), [(NOW, first)])
    hole = suspected.asked(second, NOW)

    assert suspected.reason is None
    assert ("venue_outage", 2, NOW + FIRST_RECHECK) == (hole.reason, hole.absences, hole.next_at)


@pytest.mark.parametrize("vain", [ABSENT, IN_FILE])
def test_same_witness_twice_is_still_one(vain: Vain) -> None:
    """A file that is read again says what it said, as a replica that lags does."""
    hole = asked(Hole(SLOT), [(NOW, vain), (NOW, vain)])

    assert (None, 1) == (hole.reason, hole.absences)


def test_clock_that_went_back_begins_the_suspicion_anew() -> None:
    """An answer dated later than now proves nothing about the time between."""
    hole = asked(Hole(SLOT), [(NOW + DAY, ABSENT), (NOW, ABSENT)])

    assert (None, NOW, NOW + CONFIRM_AFTER) == (hole.reason, hole.absent_since, hole.next_at)


def test_explained_hole_is_rechecked_ever_later() -> None:
    """After a day, then two, four, up to the longest: a hole that was filled late is found."""
    now, gap, hole = NOW, FIRST_RECHECK, asked(Hole(SLOT), [(NOW - CONFIRM_AFTER, ABSENT)])
    for confirmations in range(2, 12):
        hole = hole.asked(ABSENT, now)

        assert (confirmations, now + gap) == (hole.absences, hole.next_at)
        now, gap = hole.next_at, min(2 * gap, LONGEST_RECHECK)
    assert gap == LONGEST_RECHECK


@pytest.mark.parametrize("vain", [EMPTY, SILENT])
def test_failed_recheck_takes_back_nothing(vain: Vain) -> None:
    """What was proven stays explained, and is soon put to the test again."""
    proven = asked(Hole(SLOT), [(NOW, ABSENT), (NOW + CONFIRM_AFTER, ABSENT)])
    after = proven.asked(vain, NOW + DAY)

    assert ("venue_outage", ABSENT.evidence, 2) == (after.reason, after.evidence, after.absences)
    assert NOW + DAY + 2 * FIRST_PAUSE < after.next_at <= NOW + DAY + vain.longest_pause


def test_certain_word_explains_at_once_and_outweighs() -> None:
    """A person's reason holds against what answers suggest, and a later answer only confirms it."""
    suspected = asked(Hole(SLOT), [(NOW, ABSENT)])
    told = suspected.asked(CERTAIN, NOW)
    confirmed = told.asked(ABSENT, NOW + DAY)
    proven = asked(Hole(SLOT), [(NOW, ABSENT), (NOW + CONFIRM_AFTER, ABSENT)])

    assert "no_trades" == Hole(SLOT).asked(CERTAIN, NOW).reason
    assert ("no_trades", "quiet") == (told.reason, told.note)
    assert "no_trades" == proven.asked(CERTAIN, NOW + DAY).reason
    assert ("no_trades", "quiet", ABSENT.evidence) == (
        *(confirmed.reason, confirmed.note),
        confirmed.evidence,
    )


@given(runs(3000))
def test_days_share_out_the_runs(some: Runs) -> None:
    """Each day has just its own part, oldest first, and together they are the whole."""
    parts = list(runs_by_day(some))

    assert some == Runs.of(run for _, of_day in parts for run in of_day)
    assert [day for day, _ in parts] == sorted({day for day, _ in parts})
    assert all(some.within(Window.of_day(day)) == of_day for day, of_day in parts)
