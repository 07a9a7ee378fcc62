"""The holes and explanations that people see, cut to the window they ask about."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import CONFIRM_AFTER, FIRST_PAUSE, FIRST_RECHECK
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.gaps import Explanation, Gap, expects_anything, explanations, gaps
from crypto_pipeline_tests.warehouse.storing import (
    EVIDENCE,
    HOUR,
    MINUTE,
    NOW,
    SINCE,
    UNANSWERED,
    Warehouse,
    hourly,
    hours,
    over_postgres,
)

DAYS = Window(SINCE, SINCE + 3 * DAY)
minutes = st.integers(0, 3 * 24 * 60).map(lambda number: SINCE + number * MINUTE)
windows = st.tuples(minutes, minutes).filter(lambda ends: ends[0] < ends[1])
Seen = list[tuple[datetime, datetime, int]]


def slots_of(warehouse: Warehouse, window: Window) -> Seen:
    """The one run of hours that open in a window, with their number; or nothing."""
    opens = list(warehouse.series[0].interval.opens(window))
    return [(opens[0], opens[-1] + HOUR, len(opens))] if opens else []


@over_postgres
@given(windows)
def test_window_cuts_holes_to_the_slots_that_open_in_it(
    database: Database, ends: tuple[datetime, datetime]
) -> None:
    """However its ends lie to the grid: each slot belongs to the window in which it opens."""
    warehouse, window = hourly(database), Window(*ends)

    assert slots_of(warehouse, window) == [
        (gap.gap_start, gap.gap_end, gap.slots) for gap in gaps(database, window, OHLC)
    ]


@over_postgres
@given(windows)
def test_window_cuts_explanations_alike(
    database: Database, ends: tuple[datetime, datetime]
) -> None:
    """What is explained is cut to the slots of the window just as what is missing."""
    warehouse, window = hourly(database), Window(*ends)
    warehouse.prove_absent(Window(SINCE, SINCE + 2 * DAY + 12 * HOUR))
    explained = window.intersection(Window(SINCE, SINCE + 2 * DAY + 12 * HOUR))

    assert (slots_of(warehouse, explained) if explained else []) == [
        (one.explained_from, one.explained_to, one.slots)
        for one in explanations(database, window, OHLC)
    ]


def test_holes_say_how_often_they_were_asked_for_and_when_again(database: Database) -> None:
    """Newest first, of every dataset, each with its state, its attempts and the kind of failure."""
    warehouse, name = hourly(database), "binance/BTC-USDT/1h"
    warehouse.ask_in_vain(hours(0, 5), NOW, UNANSWERED)

    assert [
        Gap("ohlc", name, SINCE + 5 * HOUR, DAYS.end, 67, "missing", None, 0, None, None),
        Gap(
            *("ohlc", name, SINCE, SINCE + 5 * HOUR, 5, "retrying", UNANSWERED.error),
            *(1, NOW + FIRST_PAUSE, "Unanswered"),
        ),
    ] == gaps(database, DAYS)


def test_explanations_have_their_evidence(database: Database) -> None:
    """Who answered, the rows around, how often and when it was seen, and when it is asked again."""
    warehouse = hourly(database)
    proven = warehouse.prove_absent(hours(0, 2))

    assert [
        Explanation(
            *("ohlc", "binance/BTC-USDT/1h", SINCE, SINCE + 2 * HOUR, 2, "venue_outage"),
            *(EVIDENCE, None, 2, NOW, NOW + CONFIRM_AFTER, proven + FIRST_RECHECK),
        )
    ] == explanations(database, DAYS)


def test_listing_explains_what_it_never_asks_for(database: Database) -> None:
    """Slots before the first candle are explained without a recheck, and expected no more."""
    warehouse = hourly(database)
    warehouse.listed(SINCE + DAY)
    (one,) = explanations(database, DAYS, OHLC)

    assert ("not_listed_yet", SINCE, SINCE + DAY, 24, None) == (
        *(one.reason, one.explained_from, one.explained_to, one.slots, one.recheck_at),
    )
    assert [48] == [gap.slots for gap in gaps(database, DAYS)]


def test_empty_ledger_expects_nothing(database: Database) -> None:
    """No holes because nothing is expected is another thing than none because all is there."""
    before = expects_anything(database), gaps(database, DAYS), explanations(database, DAYS)
    hourly(database)

    assert (False, [], []) == before
    assert expects_anything(database, OHLC)
