"""The ledger: what it says is what plain sets of time say, whatever was stored in whatever order."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.ledger import AHEAD, FIRST_PAUSE, LONGEST_PAUSE, DayCoverage, Newest
from crypto_pipeline.warehouse.writer import SeriesRows
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import (
    ALL,
    NOW,
    SINCE,
    Warehouse,
    minutes_after,
    over_postgres,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BTC, ETH = series_of(), series_of("ETH-USDT")
DUE = Window(SINCE, datetime(2024, 3, 1, 12, tzinfo=UTC))
"""All that is due at NOW of a series of minutes."""
FEB_28, FEB_29, MARCH_1 = date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)
EMPTY = "delete from warehouse.ohlc; delete from warehouse.coverage;"


@pytest.fixture
def warehouse(database: Database) -> Warehouse:
    """Two series of minutes over a leap day."""
    warehouse = Warehouse(database, [BTC, ETH])
    warehouse.register()
    return warehouse


def hourly(database: Database, *instruments: str, since: datetime = SINCE) -> Warehouse:
    """Series of hours, of which a day holds few."""
    series = [series_of(name, "1h") for name in instruments or ("BTC-USDT",)]
    warehouse = Warehouse(database, series, since)
    warehouse.register()
    return warehouse


def runs(*spans: tuple[datetime, datetime]) -> Runs:
    """Runs by their ends."""
    return Runs.of(Window(start, end) for start, end in spans)


# --- the calendar ---------------------------------------------------------------------------


def expected_days(series: Series, since: datetime, until: date) -> dict[date, Runs]:
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
    rows = warehouse.select(
        """
        select day, lower(run), upper(run)
        from warehouse.coverage
        join warehouse.series using (series_id)
        cross join lateral unnest(expected) as run
        where name = %s
        """,
        warehouse.series[0].name,
    )
    days: dict[date, Runs] = {}
    for day, start, end in rows:
        days[day] = days.get(day, Runs()) + runs((start, end))
    return days


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
    earlier = Warehouse(warehouse.database, warehouse.series, SINCE - 10 * DAY)
    earlier.register()

    assert runs((SINCE - 10 * DAY, DUE.end)) == earlier.missing(Window(SINCE - 20 * DAY, NOW))


def test_later_start_expects_less_and_keeps_rows(warehouse: Warehouse) -> None:
    """What lies before a later start is no longer expected, and nothing is thrown away."""
    warehouse.store(*map(candle, minutes_after(SINCE, 0, 1)))
    later = Warehouse(warehouse.database, warehouse.series, SINCE + DAY + 6 * HOUR)
    later.register()

    assert runs((SINCE + DAY + 6 * HOUR, DUE.end)) == later.missing()
    assert len(later.rows()) == 2
    assert 0 == sum(day.expected for day in later.ledger.summary(OHLC, Window.of_day(FEB_28), NOW))


def test_start_moved_there_and_back_is_as_before(warehouse: Warehouse) -> None:
    """A slip in the settings costs nothing once it is corrected."""
    warehouse.store(*map(candle, minutes_after(SINCE, 0, 1, 2000)))
    before = warehouse.coverage()
    for days in (1, -1):
        Warehouse(warehouse.database, warehouse.series, SINCE + days * DAY).register()
    warehouse.register()
    held = {row[:2] for row in before}

    assert before == [row for row in warehouse.coverage() if row[:2] in held]


def test_series_that_is_dropped_expects_nothing_and_keeps_rows(warehouse: Warehouse) -> None:
    """An instrument taken out of the settings is no gap; put back in, it is where it was."""
    warehouse.store(candle(SINCE))
    ids = warehouse.register()
    without = Warehouse(warehouse.database, [ETH])

    assert {ETH.name: ids[ETH.name]} == without.register()
    assert {ETH.name} == set(without.ledger.missing(OHLC, ALL, NOW))
    assert len(warehouse.rows(BTC)) == 1
    assert ids == warehouse.register()
    assert runs((SINCE + MINUTE, DUE.end)) == warehouse.missing()


# --- what is missing ------------------------------------------------------------------------

slots = st.sets(st.integers(0, 3_600), max_size=60)
offsets = st.sampled_from([timedelta(), timedelta(seconds=14, milliseconds=789), MINUTE / 2])
windows = st.tuples(st.integers(-100, 3_700), st.integers(1, 2_000)).map(
    lambda pair: Window(SINCE + pair[0] * MINUTE, SINCE + sum(pair) * MINUTE)
)


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
    wanted = runs((SINCE, SINCE + 100 * DAY)) & Runs((window,)) & due

    assert wanted - there == warehouse.missing(window, at)
    refetched = warehouse.ledger.missing(OHLC, window, at, refetch=True)
    assert wanted == refetched.get(BTC.name, Runs())


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
    warehouse.execute(
        "update warehouse.coverage set explained = tstzmultirange(tstzrange(%s, %s)) where day = %s",
        *(SINCE, SINCE + HOUR, FEB_28),
    )

    assert SINCE + HOUR == warehouse.missing().windows[0].start
    assert 60 == warehouse.ledger.summary(OHLC, Window.of_day(FEB_28), NOW)[0].explained


def test_slot_is_due_once_it_closed_and_had_its_grace(warehouse: Warehouse) -> None:
    """The minute that has just closed is not missing before the grace is over."""
    closed = SINCE + MINUTE

    assert not warehouse.missing(now=closed + OHLC.grace - timedelta(microseconds=1))
    assert runs((SINCE, closed)) == warehouse.missing(now=closed + OHLC.grace)


# --- asked for in vain ----------------------------------------------------------------------


def repairs(warehouse: Warehouse, now: datetime = NOW, limit: int = 100) -> list[date]:
    """The days that may be asked for."""
    return warehouse.ledger.days_to_repair(OHLC, now, now, limit)


def account(warehouse: Warehouse, window: Window = ALL, now: datetime = NOW) -> None:
    """Note that the first series was asked for in vain."""
    warehouse.ledger.account(OHLC, [(warehouse.series[0].name, "no answer")], window, now)


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


def test_day_asked_for_in_vain_rests_longer_each_time(database: Database) -> None:
    """The pause doubles from the first to the longest; no day is given up for ever."""
    warehouse = hourly(database)
    now, pauses = NOW, []
    for _ in range(14):
        account(warehouse, now=now)
        ((retry_at,),) = warehouse.select(
            "select retry_at from warehouse.coverage where day = %s", FEB_28
        )
        assert FEB_28 not in repairs(warehouse, retry_at - timedelta(microseconds=1))
        assert FEB_28 in repairs(warehouse, retry_at)
        pauses.append(retry_at - now)
        now = retry_at

    assert pauses == [min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE) for attempt in range(14)]


def test_filled_day_is_forgotten(database: Database) -> None:
    """Once nothing is missing, attempts, pause and reason are gone."""
    warehouse = hourly(database)
    account(warehouse)
    warehouse.store(*(candle(SINCE + number * HOUR) for number in range(24)))
    account(warehouse)

    assert [(0, None, None), (2, True, "no answer"), (2, True, "no answer")] == warehouse.select(
        """
        select attempts, retry_at is not null or null, last_error
        from warehouse.coverage
        where day <= %s
        order by day
        """,
        MARCH_1,
    )


def test_only_the_asked_days_of_the_asked_series_rest(database: Database) -> None:
    """An attempt says nothing about other days or other series."""
    warehouse = hourly(database, "BTC-USDT", "ETH-USDT")
    account(warehouse, Window.of_day(FEB_29))

    assert [("binance/BTC-USDT/1h", FEB_29)] == warehouse.select(
        """
        select name, day from warehouse.coverage join warehouse.series using (series_id)
        where attempts > 0
        """
    )
    assert [MARCH_1, FEB_29, FEB_28] == repairs(warehouse)


def test_totals_tell_untried_from_tried_in_vain(database: Database) -> None:
    """All that is missing, how much of it was asked for, and why it is not there."""
    warehouse = hourly(database, "BTC-USDT", "ETH-USDT")
    before = warehouse.ledger.totals(OHLC, NOW)
    account(warehouse, Window.of_day(FEB_29))
    after = warehouse.ledger.totals(OHLC, NOW)

    assert (6, 120, 0, None) == (before.days, before.slots, before.slots_tried, before.reason)
    assert (6, 120, 24, "no answer") == (after.days, after.slots, after.slots_tried, after.reason)


def test_totals_of_nothing_are_zero(database: Database) -> None:
    """A warehouse without series lacks nothing."""
    totals = Warehouse(database, []).ledger.totals(OHLC, NOW)

    assert (0, 0, 0, None) == (totals.days, totals.slots, totals.slots_tried, totals.reason)


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


# --- at the same time -----------------------------------------------------------------------


def test_everybody_at_once_never_stands_in_a_circle(database: Database) -> None:
    """Registering, storing and accounting take turns, whatever order each has its series in."""
    warehouse = hourly(
        database, *(f"A{number}-USDT" for number in range(6)), since=SINCE - 60 * DAY
    )
    names = [one.name for one in warehouse.series]
    orders: Sequence[Sequence[Series]] = [warehouse.series, list(reversed(warehouse.series))]

    def work(number: int) -> None:
        series = orders[number % 2]
        for turn in range(4):
            if number % 3 == 0:
                Warehouse(database, series, SINCE - (60 + turn) * DAY).register()
            elif number % 3 == 1:
                outcomes = [(name, "why") for name in (names if number % 2 else names[::-1])]
                warehouse.ledger.account(OHLC, outcomes, Window(SINCE - 60 * DAY, NOW), NOW)
            else:
                with warehouse.writer() as writer:
                    rows = [candle(SINCE - day * DAY) for day in range(60)]
                    writer.store([SeriesRows(one, rows) for one in series], "binance")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
