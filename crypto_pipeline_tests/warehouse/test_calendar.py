"""The calendar: what is expected, from when, until when; nothing that it does touches a row."""

from datetime import UTC, date, datetime, timedelta

import pytest

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.warehouse.calendar import AHEAD, listings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import (
    ALL,
    BTC,
    DUE,
    ETH,
    FEB_28,
    HOUR,
    MINUTE,
    NOW,
    SINCE,
    Warehouse,
    hourly,
    minutes_after,
    runs,
)

LAST_DAY = midnight((NOW + AHEAD).date()) + DAY


def expected_days(series: CandleSeries, since: datetime, until: date) -> dict[date, Runs]:
    """The calendar in plain Python: the slots that open in each day, none beyond its midnight."""
    step, days = series.interval.step, {}
    for day in Window(since, midnight(until) + DAY).days():
        whole = Window.of_day(day)
        opens = [moment for moment in series.interval.opens(whole) if moment >= since]
        slots = [Window(moment, min(moment + step, whole.end)) for moment in opens]
        if slots:
            days[day] = Runs.of(slots)
    return days


def calendar(warehouse: Warehouse) -> dict[date, Runs]:
    """The expectations of the first series as the database holds them."""
    return {day: held.expected for day, held in warehouse.days().items() if held.expected}


def expected(warehouse: Warehouse) -> Runs:
    """All of them."""
    return Runs.of(run for of_day in calendar(warehouse).values() for run in of_day)


# --- since when -----------------------------------------------------------------------------


@pytest.mark.parametrize("interval", ["1m", "15m", "4h", "12h", "1d", "3d", "1w"])
@pytest.mark.parametrize(
    "since",
    [
        SINCE,
        SINCE + 13 * HOUR + timedelta(minutes=7, seconds=30),
        datetime(2023, 12, 30, tzinfo=UTC),
    ],
    ids=str,
)
def test_calendar_expects_every_slot_since_the_start(
    database: Database, interval: str, since: datetime
) -> None:
    """Each day expects the slots that open in it; the database and Python count them alike."""
    series = series_of(interval=interval)
    warehouse = Warehouse(database, [series], since)
    warehouse.register()

    assert expected_days(series, since, (NOW + AHEAD).date()) == calendar(warehouse)


def test_registering_again_changes_nothing(warehouse: Warehouse) -> None:
    """It runs at every tick, so where nothing is new it neither writes nor gives new ids."""
    rows = "select xmin, ctid, * from warehouse.coverage order by series_id, day"
    known = "select xmin, ctid, * from warehouse.series order by series_id"
    before = warehouse.select(rows), warehouse.select(known)

    assert warehouse.register() == warehouse.register()
    assert before == (warehouse.select(rows), warehouse.select(known))


def test_days_are_made_ahead(warehouse: Warehouse) -> None:
    """A pipeline that stands still for a month still shows what it misses, for the days are there."""
    assert max(calendar(warehouse)) == (NOW + AHEAD).date()

    warehouse.register(NOW + 5 * DAY)
    assert max(calendar(warehouse)) == (NOW + 5 * DAY + AHEAD).date()


def test_earlier_start_makes_more_missing(warehouse: Warehouse) -> None:
    """History is a gap not yet filled: moving the start back is all it takes."""
    earlier = warehouse.since_then(SINCE - 10 * DAY)

    assert runs((SINCE - 10 * DAY, DUE.end)) == earlier.missing(Window(SINCE - 20 * DAY, NOW))


def test_later_start_expects_less_and_keeps_rows(warehouse: Warehouse) -> None:
    """What lies before a later start is no longer expected, and nothing is thrown away."""
    warehouse.store(*map(candle, minutes_after(SINCE, 0, 1)))
    later = warehouse.since_then(SINCE + DAY + 6 * HOUR)

    assert runs((SINCE + DAY + 6 * HOUR, DUE.end)) == later.missing()
    assert len(later.rows()) == 2
    assert 0 == sum(day.expected for day in later.ledger.summary(OHLC, Window.of_day(FEB_28), NOW))


def test_start_moved_there_and_back_is_as_before(warehouse: Warehouse) -> None:
    """A slip in the settings costs nothing once it is corrected."""
    warehouse.store(*map(candle, minutes_after(SINCE, 0, 1, 2000)))
    before = warehouse.coverage()
    for days in (1, -1):
        warehouse.since_then(SINCE + days * DAY)
    warehouse.register()
    held = {row[:2] for row in before}

    assert before == [row for row in warehouse.coverage() if row[:2] in held]


# --- which series ---------------------------------------------------------------------------


def test_series_that_is_dropped_expects_nothing_and_keeps_rows(warehouse: Warehouse) -> None:
    """An instrument taken out of the settings is no gap; put back in, it is where it was."""
    warehouse.store(candle(SINCE))
    warehouse.prove_absent(Window(SINCE + HOUR, SINCE + 2 * HOUR))
    ids, before = warehouse.register(), warehouse.days()
    without = Warehouse(warehouse.database, [ETH])

    assert {ETH.name: ids[ETH.name]} == without.register()
    assert {ETH.name} == set(without.ledger.missing(OHLC, ALL, NOW))
    assert len(warehouse.rows(BTC)) == 1
    assert ids == warehouse.register()
    assert before == warehouse.days()
    assert runs((SINCE + MINUTE, SINCE + HOUR), (SINCE + 2 * HOUR, DUE.end)) == warehouse.missing()


def test_start_that_moved_while_a_series_was_away_holds_when_it_is_back(
    warehouse: Warehouse,
) -> None:
    """A series comes back with the rows it had, and is expected since the time that is wished now."""
    warehouse.store(candle(SINCE))
    Warehouse(warehouse.database, [ETH], SINCE + DAY).register()
    back = warehouse.since_then(SINCE - DAY)

    assert runs((SINCE - DAY, SINCE), (SINCE + MINUTE, DUE.end)) == back.missing(
        Window(SINCE - DAY, NOW)
    )


# --- listed and delisted --------------------------------------------------------------------


@pytest.mark.parametrize("offset", [-DAY, timedelta(), 5 * HOUR, DAY, DAY + 30 * MINUTE], ids=str)
def test_series_begins_at_the_later_of_wish_and_listing(
    warehouse: Warehouse, offset: timedelta
) -> None:
    """Nothing is expected before the venue's first slot, nor before anyone wished for it."""
    warehouse.listed(SINCE + offset)

    assert runs((max(SINCE, SINCE + offset), LAST_DAY)) == expected(warehouse)


@pytest.mark.parametrize("offset", [MINUTE, 5 * HOUR, DAY, DAY + 30 * MINUTE], ids=str)
def test_series_ends_at_its_delisting(warehouse: Warehouse, offset: timedelta) -> None:
    """After the venue's last slot nothing is expected, and the days ahead are empty."""
    warehouse.listed(None, SINCE + offset)

    assert runs((SINCE, SINCE + offset)) == expected(warehouse)
    assert runs((SINCE, SINCE + offset)) == warehouse.missing()


def test_delisted_series_is_not_made_again_at_every_tick(warehouse: Warehouse) -> None:
    """That no day lies ahead of it is right, and costs no writing."""
    warehouse.listed(None, SINCE + DAY)
    before = warehouse.select("select xmin, * from warehouse.coverage order by series_id, day")
    Warehouse(warehouse.database, warehouse.series).register(NOW + 12 * HOUR)

    assert before == warehouse.select(
        "select xmin, * from warehouse.coverage order by series_id, day"
    )


def test_delisting_withdrawn_expects_again(warehouse: Warehouse) -> None:
    """An instrument that trades again is expected to have traded all along, until proven otherwise."""
    before = warehouse.days()
    warehouse.listed(None, SINCE + DAY)
    warehouse.listed(None, None)

    assert before == warehouse.days()


@pytest.mark.parametrize(
    ("listed_at", "delisted_at"),
    [(SINCE + 12 * HOUR, SINCE + 10 * HOUR), (SINCE + 12 * HOUR, SINCE + 12 * HOUR)],
    ids=["before", "at once"],
)
def test_day_of_which_nothing_is_left_expects_nothing(
    warehouse: Warehouse, listed_at: datetime, delisted_at: datetime
) -> None:
    """A series that ends before it begins has no slot, also where both lie in one day."""
    warehouse.listed(listed_at, delisted_at)

    assert {} == calendar(warehouse)


def test_other_series_are_left_as_they_are(warehouse: Warehouse) -> None:
    """A listing is one series' own."""
    warehouse.listed(SINCE + DAY, SINCE + 2 * DAY)

    assert runs((SINCE, DUE.end)) == warehouse.ledger.missing(OHLC, ALL, NOW)[ETH.name]


def test_listings_tell_what_is_known_and_held(warehouse: Warehouse) -> None:
    """When a series begins and ends, when that was asked, and its oldest and newest row."""
    warehouse.store(*map(candle, minutes_after(SINCE, 7, 9)))
    warehouse.listed(SINCE - DAY, SINCE + DAY)
    told = {
        one.series: (one.since, one.listed_at, one.delisted_at, one.read_at, one.oldest, one.newest)
        for one in listings(warehouse.database, OHLC)
    }

    assert {
        BTC.name: (SINCE, SINCE - DAY, SINCE + DAY, NOW, *minutes_after(SINCE, 7, 9)),
        ETH.name: (SINCE, None, None, None, None, None),
    } == told


def test_what_the_calendar_leaves_out_is_explained(database: Database) -> None:
    """Time before the listing and after the delisting has its reason among the explanations."""
    warehouse = hourly(database)
    warehouse.listed(SINCE + 5 * HOUR, SINCE + DAY)
    told = warehouse.select(
        """
        select explained_from, explained_to, slots, reason, evidence, last_seen_at
        from market.explanations
        order by explained_from
        """
    )
    (begun, ended) = told

    assert (
        *(SINCE, SINCE + 5 * HOUR, 5, "not_listed_yet"),
        *({"first_candle": "2024-02-28T05:00:00+00:00"}, NOW),
    ) == begun
    assert (SINCE + DAY, "delisted", {"last_candle_ended": "2024-02-29T00:00:00+00:00"}) == (
        *(ended[0], ended[3], ended[4]),
    )
    assert (ended[1] - ended[0]) // HOUR == ended[2]


def test_moved_listing_is_logged(warehouse: Warehouse) -> None:
    """A beginning is learnt once; that it moved, or that a series ended or goes on, is a change."""
    warehouse.listed(SINCE)
    warehouse.listed(SINCE - DAY, SINCE + DAY)
    warehouse.listed(SINCE - DAY)

    day = "2024-02-{}T00:00:00Z".format
    assert [
        ("binance", "BTC-USDT", "delisted_at", None, day(29)),
        ("binance", "BTC-USDT", "delisted_at", day(29), None),
        ("binance", "BTC-USDT", "listed_at", day(28), day(27)),
    ] == warehouse.select(
        """
        select venue, instrument, field, old_value, new_value
        from market.instrument_changes
        order by field, new_value
        """
    )
