"""The book of holes: what was asked for in vain, and when it may be asked for again."""

from datetime import datetime, timedelta

import psycopg
import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    SILENT_PAUSE,
    STUCK_AFTER,
    Attempt,
    Vain,
)
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.holes import account, reopen
from crypto_pipeline.warehouse.writer import SeriesRows
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import (
    FEB_28,
    FEB_29,
    HOUR,
    MARCH_1,
    NOW,
    OUTAGE,
    SILENT,
    SINCE,
    UNANSWERED,
    Row,
    hourly,
    hours,
    runs,
)

REJECTED = Vain("RequestRejected", "binance rejects it", LONGEST_PAUSE)
HOLES = """
    select lower(slots), upper(slots), attempts, error_class, state
    from warehouse.holes join warehouse.series using (series_id)
    order by name, slots
"""
GAPS = """
    select gap_start, gap_end, state, attempts, next_attempt_at, error_class, reason
    from market.gaps
    where gap_start < %s
    order by gap_start
"""


def hole(first: int, last: int, attempts: int = 1, vain: Vain = SILENT) -> Row:
    """A hole from one hour after SINCE to another, as the book has it."""
    span = hours(first, last)
    return (span.start, span.end, attempts, vain.error_class, "retrying")


@pytest.mark.parametrize(
    ("vain", "longest"),
    [(SILENT, SILENT_PAUSE), (UNANSWERED, LONGEST_PAUSE), (REJECTED, LONGEST_PAUSE)],
    ids=["silent", "unanswered", "rejected"],
)
def test_hole_rests_twice_as_long_each_time(
    database: Database, vain: Vain, longest: timedelta
) -> None:
    """The pause doubles up to the longest of its kind; no hole is given up for ever."""
    warehouse = hourly(database)
    now, pauses = NOW, []
    for _ in range(13):
        warehouse.ask_in_vain(hours(0, 24), now, vain)
        ((next_at,),) = warehouse.select("select next_at from warehouse.holes")
        pauses.append(next_at - now)
        now = next_at

    assert [min(FIRST_PAUSE * 2**attempt, longest) for attempt in range(13)] == pauses


def test_pause_follows_the_newest_failure(database: Database) -> None:
    """What waited long while a source answered waits no longer than a silent one once it is silent."""
    warehouse = hourly(database)
    for _ in range(9):
        warehouse.ask_in_vain(hours(0, 1), NOW, UNANSWERED)
    warehouse.ask_in_vain(hours(0, 1), NOW, SILENT)

    assert [(10, NOW + SILENT_PAUSE)] == warehouse.select(
        "select attempts, next_at from warehouse.holes"
    )


def test_hole_that_many_attempts_did_not_fill_is_stuck(database: Database) -> None:
    """Until the sixth attempt it is being retried; what people see says so, and why, and when."""
    warehouse = hourly(database)
    seen = []
    for _ in range(STUCK_AFTER):
        warehouse.ask_in_vain(hours(3, 5), NOW, UNANSWERED)
        seen += warehouse.select(GAPS, SINCE + 4 * HOUR)[1:]
    span = (SINCE + 3 * HOUR, SINCE + 5 * HOUR)
    told = ("Unanswered", "an answer without these slots")

    assert [
        (*span, state, attempts, NOW + FIRST_PAUSE * 2 ** (attempts - 1), *told)
        for attempts, state in enumerate([*["retrying"] * 5, "stuck"], 1)
    ] == seen


def test_rejected_request_is_stuck_at_once(database: Database) -> None:
    """Asking the same again cannot help; the neighbours, of which nobody asked, are just missing."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(3, 5), NOW, REJECTED)
    nobody = ("missing", 0, None, None, None)
    (before, tried, after) = warehouse.select(GAPS, SINCE + 6 * HOUR)

    assert (SINCE, SINCE + 3 * HOUR, *nobody) == before
    assert (
        *(SINCE + 3 * HOUR, SINCE + 5 * HOUR, "stuck", 1, NOW + FIRST_PAUSE),
        *("RequestRejected", "binance rejects it"),
    ) == tried
    assert (SINCE + 5 * HOUR, *nobody) == (after[0], *after[2:])


def test_hole_over_midnight_is_seen_as_one(database: Database) -> None:
    """The book keeps days apart; people see a run, as often tried as its most tried part."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(20, 28))
    warehouse.ask_in_vain(hours(24, 28), NOW + HOUR)
    (_, seen, _) = warehouse.select(GAPS, SINCE + 30 * HOUR)

    assert [hole(20, 24), hole(24, 28, 2)] == warehouse.select(HOLES)
    assert (SINCE + 20 * HOUR, SINCE + 28 * HOUR, "retrying", 2, NOW + FIRST_PAUSE) == seen[:5]


def test_only_what_is_still_absent_was_in_vain(database: Database) -> None:
    """What another run stored meanwhile, and what is not yet due, is no hole."""
    warehouse = hourly(database)
    warehouse.store(*(candle(SINCE + number * HOUR) for number in (2, 3)))
    warehouse.ask_in_vain(Window(SINCE, SINCE + 6 * HOUR))
    warehouse.ask_in_vain(Window(NOW - 2 * HOUR, NOW + 5 * HOUR))
    end = NOW.replace(second=0)

    assert [
        *(hole(0, 2), hole(4, 6)),
        (NOW - 2 * HOUR, end, 1, "TransientError", "retrying"),
    ] == warehouse.select(HOLES)


def test_attempt_may_say_different_things_of_its_parts(database: Database) -> None:
    """One request, one answer: of some slots it says something, of the others it says nothing."""
    warehouse = hourly(database)
    attempt = Attempt(Runs((hours(0, 10),)), UNANSWERED, [(hours(2, 4), OUTAGE)])
    account(database, OHLC, {warehouse.series[0].name: [attempt]}, NOW)

    assert [
        hole(0, 2, vain=UNANSWERED),
        hole(2, 4, vain=OUTAGE),
        hole(4, 10, vain=UNANSWERED),
    ] == warehouse.select(HOLES)


def test_attempts_are_noted_each_where_it_asked(database: Database) -> None:
    """Many requests of a run are accounted for at once, whatever days they lie in, in any order."""
    warehouse = hourly(database)
    asked = [(hours(50, 52), UNANSWERED), (hours(1, 2), SILENT), (hours(22, 26), OUTAGE)]
    attempts = [Attempt(Runs((span,)), vain) for span, vain in asked]
    account(database, OHLC, {warehouse.series[0].name: attempts}, NOW)

    assert [
        hole(1, 2),
        hole(22, 24, vain=OUTAGE),
        hole(24, 26, vain=OUTAGE),
        hole(50, 52, vain=UNANSWERED),
    ] == warehouse.select(HOLES)


def test_each_hole_has_its_own_attempts(database: Database) -> None:
    """An attempt counts for the slots that were asked for, and neighbours alike are one hole again."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(2, 6))
    warehouse.ask_in_vain(hours(4, 8))
    apart = warehouse.select(HOLES)
    warehouse.ask_in_vain(Runs((hours(2, 4), hours(6, 8))))

    assert [hole(2, 4), hole(4, 6, 2), hole(6, 8)] == apart
    assert [hole(2, 8, 2)] == warehouse.select(HOLES)


def test_only_the_asked_days_of_the_asked_series_rest(database: Database) -> None:
    """An attempt says nothing about other days or other series."""
    warehouse = hourly(database, "BTC-USDT", "ETH-USDT")
    warehouse.ask_in_vain(Window.of_day(FEB_29))

    assert [("binance/BTC-USDT/1h", FEB_29, Window.of_day(FEB_29).start)] == warehouse.select(
        """
        select name, day, lower(tried) from warehouse.coverage
        join warehouse.series using (series_id)
        where tried <> '{}'
        """
    )


def test_row_splits_the_hole_that_it_fills(database: Database) -> None:
    """What is left keeps its attempts; a retry is not put off because a part was found."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(0, 6))
    warehouse.store(candle(SINCE + 2 * HOUR))
    left = runs((SINCE, SINCE + 2 * HOUR), (SINCE + 3 * HOUR, SINCE + 6 * HOUR))

    assert [hole(0, 2), hole(3, 6)] == warehouse.select(HOLES)
    assert [(NOW + FIRST_PAUSE,)] == warehouse.select(
        "select distinct next_at from warehouse.holes"
    )
    assert left.slots(HOUR) == warehouse.ledger.totals(OHLC, NOW).slots_tried


def test_filled_hole_is_forgotten(database: Database) -> None:
    """Once nothing is missing, attempts, pause and reason are gone; asking again brings nothing back."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(Window(SINCE, NOW))
    warehouse.store(*(candle(SINCE + number * HOUR) for number in range(24)))
    warehouse.ask_in_vain(Window(SINCE, NOW))
    held = warehouse.select(
        """
        select day, isempty(tried), retry_at is null, recheck_at is null
        from warehouse.coverage
        where day <= %s
        order by day
        """,
        MARCH_1,
    )

    assert [
        (FEB_28, True, True, True),
        (FEB_29, False, False, True),
        (MARCH_1, False, False, True),
    ] == held


def test_batch_that_fills_a_hole_in_vain_leaves_it(database: Database) -> None:
    """Holes are settled with the rows: when the batch fails, they are as they were."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(0, 3))
    with warehouse.writer() as writer:
        warehouse.execute(
            """
            create function warehouse.fail() returns trigger language plpgsql as
            $$ begin raise exception 'no row today'; end $$;
            create trigger fail before delete on warehouse.rejected_rows
            execute function warehouse.fail();
            """
        )
        with pytest.raises(psycopg.errors.RaiseException, match="no row today"):
            writer.store([SeriesRows(warehouse.series[0], [candle(SINCE)])], "binance")

    assert [hole(0, 3)] == warehouse.select(HOLES)
    assert [] == warehouse.rows()


def test_reopened_hole_was_never_asked_for(database: Database) -> None:
    """A person who knows that it can be had now does not wait for the next attempt."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(0, 30))
    name = warehouse.series[0].name

    assert 2 == reopen(database, OHLC, name, hours(22, 26), "they are back", NOW)
    assert [hole(0, 22), hole(26, 30)] == warehouse.select(HOLES)
    assert 0 == reopen(database, OHLC, name, hours(22, 26), "they are back", NOW)


@pytest.mark.parametrize("window", [hours(0, 1), Window(SINCE - 9 * DAY, SINCE)], ids=str)
def test_unknown_series_is_told(database: Database, window: Window) -> None:
    """A name that nobody collects is a slip, and says where the names are."""
    with pytest.raises(UsageError, match="no series 'binance/DOGE-USDT/1m' in ohlc: 'crypto-pip"):
        reopen(database, OHLC, "binance/DOGE-USDT/1m", window, "why", NOW)


@pytest.mark.parametrize("now", [SINCE - DAY, SINCE], ids=["before", "at the start"])
def test_nothing_due_is_nothing_in_vain(database: Database, now: datetime) -> None:
    """An attempt at what has not happened yet leaves no trace."""
    warehouse = hourly(database)
    warehouse.ask_in_vain(hours(0, 30), now)

    assert [] == warehouse.select(HOLES)
