"""Explanations: what proves that slots never were, how that is seen, and how it ends."""

from datetime import datetime, timedelta

import pytest

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import (
    CONFIRM_AFTER,
    FIRST_PAUSE,
    FIRST_RECHECK,
    LONGEST_RECHECK,
    Reason,
    Vain,
)
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.holes import explain, reopen
from crypto_pipeline.warehouse.writer import SeriesRows
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import (
    DUE,
    EVIDENCE,
    HOUR,
    MINUTE,
    NOW,
    OUTAGE,
    SILENT,
    SINCE,
    UNANSWERED,
    Warehouse,
    hourly,
    hours,
    runs,
)

NIGHT = hours(22, 26)
"""Two hours each side of a midnight."""
LATER = NOW + CONFIRM_AFTER
EXPLANATIONS = """
    select explained_from, explained_to, slots, reason, evidence, note, confirmations,
        first_seen_at, last_seen_at, recheck_at
    from market.explanations
    order by explained_from
"""
CHANGES = """
    select changed_at, slots_from, slots_to, change, reason, evidence, note
    from market.explanation_changes
    order by changed_at, slots_from
"""


def explained(warehouse: Warehouse) -> Runs:
    """What the ledger counts as explained of the first series."""
    return Runs.of(run for held in warehouse.days().values() for run in held.explained)


def said(reason: Reason = "delisted", note: str = "the venue's own page says so") -> Vain:
    """A person's word."""
    return Vain("Told", note, reason=reason, note=note, is_certain=True)


@pytest.fixture
def proven(database: Database) -> Warehouse:
    """A warehouse of hours that knows of an outage over midnight."""
    warehouse = hourly(database)
    warehouse.prove_absent(NIGHT)
    return warehouse


# --- by answers -----------------------------------------------------------------------------


def test_one_answer_explains_nothing(database: Database) -> None:
    """A venue that left rows out once may have been in trouble; it is asked again soon, not believed."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(NIGHT, NOW, OUTAGE)

    assert Runs() == explained(warehouse)
    assert runs((DUE.start, DUE.end)) == warehouse.missing()
    assert [(NOW + CONFIRM_AFTER, "retrying")] == warehouse.select(
        "select distinct next_at, state from warehouse.holes"
    )


def test_later_answer_that_agrees_explains(proven: Warehouse) -> None:
    """Then nobody misses the slots, and the evidence is there for everybody to read."""
    assert Runs((NIGHT,)) == explained(proven)
    assert Runs((DUE,)) - Runs((NIGHT,)) == proven.missing()
    assert [
        (
            *(NIGHT.start, NIGHT.end, 4, "venue_outage", EVIDENCE, None, 2),
            *(NOW, LATER, LATER + FIRST_RECHECK),
        )
    ] == proven.select(EXPLANATIONS)
    assert [] == proven.select(
        "select * from market.gaps where tstzrange(gap_start, gap_end) && tstzrange(%s, %s)",
        *(NIGHT.start, NIGHT.end),
    )


@pytest.mark.parametrize("pause", [timedelta(), MINUTE, CONFIRM_AFTER - MINUTE / 60], ids=str)
def test_answer_that_agrees_too_soon_explains_nothing(database: Database, pause: timedelta) -> None:
    """Two looks at the same moment are one; the clock runs from the first of them."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(NIGHT, NOW, OUTAGE)
    warehouse.ask_in_vain(NIGHT, NOW + pause, OUTAGE)
    before = explained(warehouse)
    warehouse.ask_in_vain(NIGHT, LATER, OUTAGE)

    assert (Runs(), Runs((NIGHT,))) == (before, explained(warehouse))


@pytest.mark.parametrize("vain", [SILENT, UNANSWERED], ids=["failure", "unanswered"])
def test_failure_confirms_nothing(database: Database, vain: Vain) -> None:
    """Whoever did not answer did not agree; what the first answer said is not forgotten over it."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(NIGHT, NOW, OUTAGE)
    warehouse.ask_in_vain(NIGHT, LATER, vain)
    before = explained(warehouse)
    warehouse.ask_in_vain(NIGHT, LATER + MINUTE, OUTAGE)

    assert (Runs(), Runs((NIGHT,))) == (before, explained(warehouse))


def test_only_what_both_answers_lack_is_explained(database: Database) -> None:
    """An answer speaks for the slots that it was asked for."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(2, 6), NOW, OUTAGE)
    warehouse.ask_in_vain(hours(4, 8), LATER, OUTAGE)

    assert Runs((hours(4, 6),)) == explained(warehouse)


def test_clock_that_was_set_back_delays_no_proof(database: Database) -> None:
    """An answer noted in the future counts from the first answer under the right clock."""
    warehouse = hourly(database)
    for now in (NOW + 1000 * HOUR, NOW, LATER):
        warehouse.ask_in_vain(NIGHT, now, OUTAGE)

    assert Runs((NIGHT,)) == explained(warehouse)


# --- put to the test ------------------------------------------------------------------------


def test_explanation_is_put_to_the_test_ever_more_seldom(proven: Warehouse) -> None:
    """Each answer that agrees doubles the time to the next test, up to the longest."""
    now, pauses = LATER, []
    for _ in range(9):
        ((recheck_at, confirmations),) = proven.select(
            "select recheck_at, confirmations from market.explanations"
        )
        pauses.append((confirmations, recheck_at - now))
        now = recheck_at
        proven.ask_in_vain(NIGHT, now, OUTAGE)

    assert [
        (2 + number, min(FIRST_RECHECK * 2**number, LONGEST_RECHECK)) for number in range(9)
    ] == pauses


def test_test_that_fails_changes_no_explanation(proven: Warehouse) -> None:
    """No answer is no news: the explanation stays, and is put to the test again soon."""
    now = LATER + FIRST_RECHECK
    proven.ask_in_vain(NIGHT, now, SILENT)
    ((confirmations, recheck_at),) = proven.select(
        "select confirmations, recheck_at from market.explanations"
    )

    assert Runs((NIGHT,)) == explained(proven)
    assert (2, now + FIRST_PAUSE * 4) == (confirmations, recheck_at)
    assert 2 == len(proven.select(CHANGES))


def test_data_that_come_after_all_replace_the_explanation(proven: Warehouse) -> None:
    """The row counts, the explanation of its slot ends, and both are on record."""
    now = LATER + HOUR
    with proven.writer(now=now) as writer:
        rows = [candle(SINCE + 23 * HOUR), candle(SINCE + 24 * HOUR)]
        writer.store([SeriesRows(proven.series[0], rows)], "binance")
    left = Runs((NIGHT,)) - Runs((hours(23, 25),))

    def change(at: datetime, window: Window, what: str) -> tuple[object, ...]:
        return (at, window.start, window.end, what, "venue_outage", EVIDENCE, None)

    assert left == explained(proven)
    assert 2 == len(proven.rows())
    assert Runs((DUE,)) - Runs((NIGHT,)) == proven.missing()
    assert [
        change(LATER, hours(22, 24), "explained"),
        change(LATER, hours(24, 26), "explained"),
        change(now, hours(23, 24), "replaced_by_data"),
        change(now, hours(24, 25), "replaced_by_data"),
    ] == proven.select(CHANGES)
    assert [(run.start, run.end) for run in left] == [
        row[:2] for row in proven.select(EXPLANATIONS)
    ]


# --- by a person ----------------------------------------------------------------------------


def test_person_explains_with_a_note(database: Database) -> None:
    """A word that is certain needs no second answer; the note is kept with it, and logged."""
    warehouse = hourly(database)
    name, note = warehouse.series[0].name, "the venue's own page says so"
    warehouse.store(candle(NIGHT.start))
    count = explain(database, OHLC, name, NIGHT, said(), NOW)
    span = (NIGHT.start + HOUR, NIGHT.end)

    assert 2 == count
    assert runs(span) == explained(warehouse)
    assert [(*span, 3, "delisted", None, note, 1, NOW, NOW, NOW + FIRST_RECHECK)] == (
        warehouse.select(EXPLANATIONS)
    )
    assert [("explained", "delisted", note)] * 2 == [
        (change, reason, told) for *_, change, reason, _, told in warehouse.select(CHANGES)
    ]


def test_persons_word_stands_above_answers(proven: Warehouse) -> None:
    """Whoever knows better gives the reason; what venues go on saying does not change it back."""
    name = proven.series[0].name
    explain(proven.database, OHLC, name, NIGHT, said("no_trades", "a quiet night"), LATER + MINUTE)
    proven.ask_in_vain(NIGHT, LATER + HOUR, OUTAGE)

    assert [("no_trades", "a quiet night")] == proven.select(
        "select reason, note from market.explanations"
    )
    assert ["venue_outage", "venue_outage", "no_trades", "no_trades"] == [
        reason for *_, change, reason, _, _ in proven.select(CHANGES) if change == "explained"
    ]


@pytest.mark.parametrize("what", ["explain", "reopen"])
def test_half_a_slot_is_none(proven: Warehouse, what: str) -> None:
    """A window that a person gives speaks of the slots that open in it, whole ones only."""
    name, window = proven.series[0].name, Window(SINCE + 22.5 * HOUR, SINCE + 23.5 * HOUR)
    touched = Runs((hours(23, 24),))
    if what == "reopen":
        reopen(proven.database, OHLC, name, window, "why", LATER)
        left = Runs((NIGHT,)) - touched
    else:
        reopen(proven.database, OHLC, name, NIGHT, "why", LATER)
        explain(proven.database, OHLC, name, window, said(), LATER)
        left = touched

    assert left == explained(proven)


def test_window_in_which_no_slot_opens_explains_nothing(proven: Warehouse) -> None:
    """Ten minutes of a series of hours are nobody's slot."""
    window = Window(SINCE + 5.2 * HOUR, SINCE + 5.4 * HOUR)

    assert 0 == explain(proven.database, OHLC, proven.series[0].name, window, said(), LATER)
    assert 0 == reopen(proven.database, OHLC, proven.series[0].name, window, "why", LATER)


def test_slot_longer_than_a_day_is_explained_whole(database: Database) -> None:
    """A week is explained by the window in which it opens, and by no other."""
    series = series_of(interval="1w")
    warehouse = Warehouse(database, [series], SINCE)
    warehouse.register()
    monday = series.interval.ceil(SINCE)
    now = monday + 30 * 24 * HOUR

    assert 0 == explain(
        database, OHLC, series.name, Window(monday + HOUR, monday + 48 * HOUR), said(), now
    )
    assert 1 == explain(
        database, OHLC, series.name, Window(monday - HOUR, monday + HOUR), said(), now
    )
    assert (
        monday + series.interval.step == warehouse.missing(Window(SINCE, now), now).windows[0].start
    )


def test_explanation_that_is_withdrawn_is_missing_at_once(proven: Warehouse) -> None:
    """A person reopens a hole with a note: it is asked for as if for the first time, and logged."""
    name = proven.series[0].name
    concerned = reopen(proven.database, OHLC, name, hours(0, 24), "they restored it", NOW + HOUR)

    assert 1 == concerned
    assert Runs((hours(24, 26),)) == explained(proven)
    assert Runs((hours(22, 24),)) == proven.missing(hours(22, 26))
    assert [
        (
            *(NOW + HOUR, SINCE + 22 * HOUR, SINCE + 24 * HOUR, "reopened"),
            *("venue_outage", EVIDENCE, "they restored it"),
        )
    ] == proven.select(CHANGES)[2:]


def test_explained_neighbouring_days_read_as_one(proven: Warehouse) -> None:
    """Neighbouring days with the same reason read as one line, whatever was seen when."""
    proven.ask_in_vain(hours(24, 26), LATER + HOUR, OUTAGE)

    assert [(NIGHT.start, NIGHT.end, 2, NOW, LATER + HOUR)] == [
        (*row[:2], *row[6:9]) for row in proven.select(EXPLANATIONS)
    ]
