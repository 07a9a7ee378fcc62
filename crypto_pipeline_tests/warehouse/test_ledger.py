"""The ledger: what it says is what plain sets of time say, whatever was stored in whatever order."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.candles import Rejected
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import FIRST_PAUSE, FIRST_RECHECK, Vain
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.ledger import (
    DayCoverage,
    Newest,
    Stuck,
    Totals,
    Waiting,
    Wanted,
)
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import (
    ALL,
    BTC,
    DUE,
    EMPTY,
    ETH,
    FEB_28,
    FEB_29,
    HOUR,
    MARCH_1,
    MINUTE,
    NOW,
    SINCE,
    UNANSWERED,
    Warehouse,
    hourly,
    hours,
    minutes_after,
    over_postgres,
    runs,
)

slots = st.sets(st.integers(0, 3_600), max_size=60)
offsets = st.sampled_from([timedelta(), timedelta(seconds=14, milliseconds=789), MINUTE / 2])
windows = st.tuples(st.integers(-100, 3_700), st.integers(1, 2_000)).map(
    lambda pair: Window(SINCE + pair[0] * MINUTE, SINCE + sum(pair) * MINUTE)
)


# --- what is missing ------------------------------------------------------------------------


@over_postgres
@given(slots, offsets, windows, st.integers(0, 3_700))
def test_missing_is_expected_without_present(
    warehouse: Warehouse, present: set[int], late: timedelta, window: Window, now: int
) -> None:
    """The ledger and the algebra in plain Python agree on any set of rows, any window, any time."""
    warehouse.execute(EMPTY)
    warehouse.store(*(candle(moment + late) for moment in minutes_after(SINCE, *present)))
    at = SINCE + now * MINUTE + OHLC.grace
    due = runs((SINCE - 1000 * DAY, SINCE + now * MINUTE))
    there = Runs.of(Window(moment, moment + MINUTE) for moment in minutes_after(SINCE, *present))
    expected = runs((SINCE, SINCE + 100 * DAY)) & Runs((window,)) & due
    everything = warehouse.ledger.wanted(OHLC, window, at, "everything")

    assert expected - there == warehouse.missing(window, at)
    assert expected == (everything[BTC.name].slots if BTC.name in everything else Runs())


@over_postgres
@given(slots)
def test_summary_counts_what_runs_count(warehouse: Warehouse, present: set[int]) -> None:
    """Expected, present and missing of each day are the numbers of the slots, as far as they are due."""
    warehouse.execute(EMPTY)
    warehouse.store(*map(candle, minutes_after(SINCE, *present)))
    rows = [row for row in warehouse.ledger.summary(OHLC, ALL, NOW) if row.series == BTC.name]
    due = {MARCH_1: 720, FEB_29: 1440, FEB_28: 1440}
    there = Counter(moment.date() for moment in minutes_after(SINCE, *present) if moment < DUE.end)

    assert [
        DayCoverage(BTC.name, day, count, there[day], 0, count - there[day])
        for day, count in due.items()
    ] == rows


def test_explained_slots_are_not_missing(warehouse: Warehouse) -> None:
    """What is proven never to have been counts as explained, and nobody asks for it."""
    warehouse.prove_absent(Window(SINCE, SINCE + HOUR))

    assert SINCE + HOUR == warehouse.missing().windows[0].start
    assert 60 == warehouse.ledger.summary(OHLC, Window.of_day(FEB_28), NOW)[0].explained


def test_slot_is_due_once_it_closed_and_had_its_grace(warehouse: Warehouse) -> None:
    """The minute that has just closed is not missing before the grace is over."""
    closed = SINCE + MINUTE

    assert not warehouse.missing(now=closed + OHLC.grace - timedelta(microseconds=1))
    assert runs((SINCE, closed)) == warehouse.missing(now=closed + OHLC.grace)


# --- what is asked for ----------------------------------------------------------------------


def wanted(warehouse: Warehouse, now: datetime = NOW, window: Window = DUE) -> Runs:
    """What a patient asker wants of the first series."""
    found = warehouse.ledger.wanted(OHLC, window, now, "patiently")
    return found[warehouse.series[0].name].slots if found else Runs()


def test_patient_asker_leaves_waiting_holes_out(database: Database) -> None:
    """What waits is left alone until its time has come; who is not patient asks for it all the same."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(2, 30))
    end = NOW + FIRST_PAUSE

    assert runs((SINCE, SINCE + 2 * HOUR), (SINCE + 30 * HOUR, DUE.end)) == wanted(warehouse)
    assert Runs((DUE,)) == wanted(warehouse, end)
    assert Runs((DUE,)) == warehouse.missing()


def test_patient_asker_puts_explanations_to_the_test(database: Database) -> None:
    """An explanation that is due to be tested is asked for with what is missing, by nobody else."""
    warehouse = hourly(database)
    warehouse.store(*(candle(SINCE + number * HOUR) for number in range(60) if number != 30))
    due_at = warehouse.prove_absent(hours(30, 31)) + FIRST_RECHECK
    before = due_at - timedelta(microseconds=1)

    assert Runs() == wanted(warehouse, before)
    assert Runs((hours(30, 31),)) == wanted(warehouse, due_at)
    assert Runs() == wanted(warehouse, due_at, hours(0, 30))
    assert Runs() == warehouse.missing(DUE, due_at)


def test_wanted_tells_what_lies_around(database: Database) -> None:
    """Beside the slots: those near them without a row, and those that were asked for before."""
    warehouse = hourly(database)
    warehouse.store(*(candle(SINCE + number * HOUR) for number in range(60) if number % 24 > 3))
    warehouse.ask_in_vain(hours(1, 2), vain=UNANSWERED)
    warehouse.prove_absent(hours(48, 49))
    day = warehouse.ledger.wanted(OHLC, Window.of_day(FEB_29), NOW)
    nights = Runs(tuple(hours(24 * number, 24 * number + 4) for number in range(3)))
    found = day[warehouse.series[0].name]

    assert Wanted(Runs((hours(24, 28),)), nights, Runs((hours(1, 2), hours(48, 49)))) == (
        Wanted(found.slots, found.absent & Runs((DUE,)), found.hollow)
    )


def test_attempts_are_those_of_the_hole_that_was_asked_for_most(database: Database) -> None:
    """Among some days; an explanation is no attempt."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(0, 2))
    warehouse.ask_in_vain(hours(1, 2))
    warehouse.prove_absent(hours(24, 25))
    attempts = warehouse.ledger.attempts

    assert (2, 0, 2) == (
        *(attempts(OHLC, FEB_28, FEB_28), attempts(OHLC, FEB_29, MARCH_1)),
        attempts(OHLC, FEB_28, MARCH_1),
    )


# --- which days -----------------------------------------------------------------------------


def repairs(warehouse: Warehouse, now: datetime = NOW, limit: int = 100) -> list[date]:
    """The days that may be asked for, of what was due at NOW."""
    return warehouse.ledger.days_to_repair(OHLC, now, NOW, limit)


def test_days_to_repair_come_newest_first(database: Database) -> None:
    """Every day with a due hole, newest first, no more than asked for."""
    warehouse = hourly(database)
    warehouse.store(*(candle(SINCE + DAY + number * HOUR) for number in range(24)))

    assert [MARCH_1, FEB_28] == repairs(warehouse)
    assert [MARCH_1] == repairs(warehouse, limit=1)


def test_hole_that_is_not_yet_late_is_nobodys_repair(database: Database) -> None:
    """Slots that were not due at ``due_at`` may still be on their way."""
    warehouse = hourly(database, since=midnight(MARCH_1) + 11 * HOUR)
    ledger = warehouse.ledger

    assert [] == ledger.days_to_repair(OHLC, NOW, NOW - HOUR, 10)
    assert [MARCH_1] == ledger.days_to_repair(OHLC, NOW, NOW, 10)


def test_waiting_days_are_left_out(database: Database) -> None:
    """A day whose holes all wait comes up when the first of them may be asked for again."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(Window.of_day(FEB_29))
    until = NOW + FIRST_PAUSE

    assert [MARCH_1, FEB_28] == repairs(warehouse)
    assert Waiting(1, until) == warehouse.ledger.waiting(OHLC, NOW)
    assert [MARCH_1, FEB_28] == repairs(warehouse, until - timedelta(microseconds=1))
    assert [MARCH_1, FEB_29, FEB_28] == repairs(warehouse, until)
    assert Waiting(0, None) == warehouse.ledger.waiting(OHLC, until)


def test_fresh_slot_beside_a_waiting_hole_is_seen(database: Database) -> None:
    """Today is asked for as its hours close, whatever of it was asked for in vain."""
    warehouse = hourly(database, since=midnight(MARCH_1))
    now = NOW - HOUR
    warehouse.ask_in_vain(Window(midnight(MARCH_1), now), now)
    ledger = warehouse.ledger

    assert [] == ledger.days_to_repair(OHLC, now, now, 10)
    assert [MARCH_1] == ledger.days_to_repair(OHLC, now + MINUTE, NOW, 10)


def test_rejected_request_is_not_repeated_for_a_fresh_slot(database: Database) -> None:
    """Who rejects yesterday's slots rejects today's: the day waits, and comes up when its time has come."""
    warehouse = hourly(database, since=midnight(MARCH_1))
    now = NOW - HOUR
    warehouse.ask_in_vain(Window(midnight(MARCH_1), now), now, Vain("RequestRejected", "no"))

    assert [] == warehouse.ledger.days_to_repair(OHLC, now + MINUTE, NOW, 10)
    assert [MARCH_1] == repairs(warehouse, now + FIRST_PAUSE)


def test_due_test_of_an_explanation_is_seen(database: Database) -> None:
    """A day that is whole but for an explanation comes up when that is to be put to the test."""
    warehouse = hourly(database)
    warehouse.store(*(candle(SINCE + number * HOUR) for number in range(60) if number != 30))
    due_at = warehouse.prove_absent(hours(30, 31)) + FIRST_RECHECK

    assert [] == repairs(warehouse, due_at - timedelta(microseconds=1))
    assert [FEB_29] == warehouse.ledger.days_to_repair(OHLC, due_at, NOW, 10)


def test_day_with_several_things_to_ask_for_comes_once(database: Database) -> None:
    """Of two series one has a fresh hole and one an explanation to be tested: that is one day."""
    warehouse = hourly(database, "BTC-USDT", "ETH-USDT", since=midnight(MARCH_1))
    due_at = warehouse.prove_absent(DUE) + FIRST_RECHECK

    assert [MARCH_1] == warehouse.ledger.days_to_repair(OHLC, due_at, NOW, 10)


@pytest.mark.parametrize("is_explained", [False, True], ids=["waiting", "explained"])
def test_clock_that_ran_ahead_puts_nothing_off(database: Database, is_explained: bool) -> None:
    """A time beyond all pauses is no time to wait for: once the clock is right, it is asked at once."""
    warehouse = hourly(database)
    warehouse.store(*(candle(SINCE + number * HOUR) for number in range(60) if number != 30))
    if is_explained:
        warehouse.prove_absent(hours(30, 31), NOW + 1000 * DAY)
    else:
        warehouse.ask_in_vain(hours(30, 31), NOW + 1000 * DAY)

    assert [FEB_29] == repairs(warehouse)
    assert Runs((hours(30, 31),)) == wanted(warehouse)


@pytest.mark.parametrize("is_explained", [False, True], ids=["waiting", "explained"])
def test_what_is_no_longer_expected_is_not_asked_for(
    database: Database, is_explained: bool
) -> None:
    """A hole before a later start keeps its history, and no tick comes back to it for ever."""
    warehouse = hourly(database)
    later = SINCE + 5 * HOUR
    if is_explained:
        warehouse.prove_absent(hours(2, 5))
    else:
        warehouse.ask_in_vain(hours(2, 5), NOW - DAY)
    moved = warehouse.since_then(later)
    moved.ask_in_vain(Window(later, NOW), NOW + 100 * DAY, UNANSWERED)
    now = NOW + 100 * DAY + MINUTE

    assert Runs() == wanted(moved, now, Window(SINCE, NOW))
    assert [] == repairs(moved, now)


# --- how much -------------------------------------------------------------------------------


def test_totals_tell_untried_from_tried_in_vain(database: Database) -> None:
    """All that is missing, and how much of it was asked for."""
    warehouse = hourly(database, "BTC-USDT", "ETH-USDT")
    before = warehouse.ledger.totals(OHLC, NOW)
    warehouse.ask_in_vain(Window.of_day(FEB_29))

    assert Totals(days=6, slots=120, slots_tried=0) == before
    assert Totals(days=6, slots=120, slots_tried=24) == warehouse.ledger.totals(OHLC, NOW)


def test_totals_of_nothing_are_zero(database: Database) -> None:
    """A warehouse without series lacks nothing."""
    assert Totals(0, 0, 0) == Warehouse(database, []).ledger.totals(OHLC, NOW)


def test_stuck_slots_are_told_with_their_reasons(database: Database) -> None:
    """What no provider can fill, by series and reason, most slots first; what is retried is not."""
    warehouse = hourly(database, "BTC-USDT", "ETH-USDT")
    for span, error in ((hours(0, 2), "one"), (hours(4, 30), "other"), (hours(40, 41), "one")):
        warehouse.ask_in_vain(span, vain=Vain("RequestRejected", error))
    warehouse.ask_in_vain(hours(50, 60))
    name = warehouse.series[0].name

    assert [Stuck(name, "other", 26), Stuck(name, "one", 3)] == warehouse.ledger.stuck(OHLC)


# --- rows -----------------------------------------------------------------------------------


def test_newest_stands_beside_newest_due(warehouse: Warehouse) -> None:
    """How far a series is behind can be read off, also where it has no row at all."""
    warehouse.store(candle(DUE.end - 5 * MINUTE))
    newest = warehouse.ledger.newest(OHLC, NOW)

    assert [
        Newest(BTC.name, DUE.end - 5 * MINUTE, DUE.end - MINUTE, MINUTE),
        Newest(ETH.name, None, DUE.end - MINUTE, MINUTE),
    ] == newest
    assert [4, None] == [one.slots_behind for one in newest]


@pytest.mark.parametrize(
    ("ahead", "behind"),
    [(timedelta(), 0), (MINUTE, 0), (-MINUTE, 1), (timedelta(seconds=14), 0), (-MINUTE / 2, 1)],
    ids=str,
)
def test_slots_behind_counts_whole_slots(ahead: timedelta, behind: int) -> None:
    """A row on the newest slot or after it is not behind; one in the slot before is one behind."""
    assert behind == Newest("any", NOW + ahead, NOW, MINUTE).slots_behind


def test_sources_are_counted_by_day(warehouse: Warehouse) -> None:
    """Which provider a day's rows came from, within the window and no further."""
    warehouse.store(candle(SINCE), candle(SINCE + MINUTE))
    warehouse.store(candle(SINCE + 2 * MINUTE), candle(SINCE + DAY), source="mirror")
    ledger = warehouse.ledger

    assert {FEB_28: {"binance": 2, "mirror": 1}, FEB_29: {"mirror": 1}} == ledger.sources(OHLC, ALL)
    assert {FEB_29: {"mirror": 1}} == ledger.sources(OHLC, Window.of_day(FEB_29))


def test_stored_row_that_breaks_a_promise_is_found(warehouse: Warehouse) -> None:
    """Whatever got into the table past the frame is named with its time, newest first, up to a limit."""
    warehouse.store(*map(candle, minutes_after(SINCE, 0, 1, 2)))
    warehouse.execute("update warehouse.ohlc set low = 0 where open_time > %s", SINCE)
    found = warehouse.ledger.broken_promises(OHLC, ALL, 10)

    assert [
        (BTC.name, moment, "stored row breaks a promise") for moment in minutes_after(SINCE, 2, 1)
    ] == found
    assert found[:1] == warehouse.ledger.broken_promises(OHLC, ALL, 1)


def test_quarantined_row_is_no_broken_promise(warehouse: Warehouse) -> None:
    """A rejected row is named until its slot is filled; one that others doubt is the cross-check's."""
    first, second = minutes_after(SINCE, 0, 1)
    warehouse.store(
        rejected=[Rejected(candle(one), "the high is below the low") for one in (first, second)]
    )
    warehouse.execute(
        "update warehouse.rejected_rows set reason = 'quarantined: too dear' where slot = %s", first
    )

    assert [(BTC.name, second, "the high is below the low")] == (
        warehouse.ledger.broken_promises(OHLC, ALL, 10)
    )


@pytest.mark.parametrize(
    "change",
    [
        *("low = 'NaN'", "high = 'NaN'", "high = 'Infinity'", "high = low - 1", "open = high + 1"),
        *("volume = -1", "volume = 'NaN'", "quote_volume = -1", "quote_volume = 'NaN'"),
        *("quote_volume = 'Infinity'", "trade_count = -1"),
    ],
)
def test_every_kind_of_broken_row_is_found(warehouse: Warehouse, change: str) -> None:
    """What the frame would set aside, the check finds in the table."""
    warehouse.store(candle(SINCE))
    warehouse.execute(f"update warehouse.ohlc set {change}")  # noqa: S608

    assert [SINCE] == [at for _, at, _ in warehouse.ledger.broken_promises(OHLC, ALL, 10)]
