"""The ledger against its twin in plain Python: any history of rows, outages, listings and wishes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto_pipeline.market.coverage import Coverage, Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import runs_by_day
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.warehouse.calendar import AHEAD
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.spans import runs_of
from crypto_pipeline.warehouse.writer import SeriesRows
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import (
    BTC,
    DUE,
    EMPTY,
    MINUTE,
    NOW,
    SINCE,
    Warehouse,
    hourly,
    minutes_after,
    runs,
)

CALENDAR_END = midnight((NOW + AHEAD).date()) + DAY
few_examples = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

Step = tuple[str, object]
minutes = st.integers(0, DUE.span // MINUTE - 1)
presence = st.sets(minutes, min_size=1, max_size=20)
outages = st.lists(
    st.tuples(minutes, st.integers(1, 600)).map(
        lambda pair: Window(SINCE + pair[0] * MINUTE, SINCE + sum(pair) * MINUTE)
    ),
    min_size=1,
    max_size=3,
).map(lambda windows: Runs.of(windows).within(DUE))
moments = st.integers(-1_500, 3_700).map(lambda number: SINCE + number * MINUTE)
steps = st.one_of(
    st.tuples(st.just("rows"), presence),
    st.tuples(st.just("silence"), outages),
    st.tuples(st.just("outage"), outages),
    st.tuples(st.just("wish"), moments),
    st.tuples(st.just("listing"), st.tuples(st.none() | moments, st.none() | moments)),
)


def slots(numbers: set[int]) -> Runs:
    """The slots of some minutes."""
    return Runs.of(Window(at, at + MINUTE) for at in minutes_after(SINCE, *numbers))


@dataclass
class Twin:
    """What the ledger should say of one series of minutes, kept with sets of time alone."""

    since: datetime = SINCE
    listing: tuple[datetime | None, datetime | None] = (None, None)
    present: Runs = field(default_factory=Runs)
    explained: Runs = field(default_factory=Runs)

    @property
    def expected(self) -> Runs:
        """From the later of wish and listing to the delisting, or as far as days are made."""
        listed_at, delisted_at = self.listing
        start, end = max(self.since, listed_at or SINCE - 9 * DAY), delisted_at or CALENDAR_END
        return runs((start, end)) if start < end else Runs()

    def add_rows(self, found: Runs) -> None:
        """Rows are there, whatever was expected or explained."""
        self.present += found
        self.explained -= found

    def prove_absent(self, found: Runs) -> None:
        """Answers prove what is expected and not there."""
        self.explained += (self.expected - self.present) & found

    def days(self) -> dict[date, Coverage]:
        """Each day of which anything is to be said."""
        sets = [dict(runs_by_day(one)) for one in (self.expected, self.present, self.explained)]
        days = sorted({day for one in sets for day in one})
        return {day: Coverage(*(one.get(day, Runs()) for one in sets)) for day in days}


def take(warehouse: Warehouse, twin: Twin, step: Step, now: datetime) -> Warehouse:
    """Do a step to both; the warehouse as it is wished for now."""
    match step:
        case "rows", set(numbers):
            warehouse.store(*map(candle, minutes_after(SINCE, *numbers)))
            twin.add_rows(slots(numbers))
        case "silence", Runs() as asked:
            warehouse.ask_in_vain(asked, now)
        case "outage", Runs() as asked:
            warehouse.prove_absent(asked, now)
            twin.prove_absent(asked)
        case "wish", datetime() as since:
            twin.since = since
            return warehouse.since_then(since)
        case "listing", (listed_at, delisted_at):
            warehouse.listed(listed_at, delisted_at)
            twin.listing = (listed_at, delisted_at)
    return warehouse


def emptied(database: Database) -> Warehouse:
    """A warehouse of minutes as on its first day."""
    warehouse = Warehouse(database, [BTC])
    warehouse.execute(EMPTY)
    warehouse.register()
    return warehouse


def assert_in_step(warehouse: Warehouse) -> None:
    """The ledger is what rows and book of holes make of it, each slot once."""
    opened = [opened for (opened,) in warehouse.select("select open_time from warehouse.ohlc")]
    rows = Runs.of(Window(at, at + MINUTE) for at in opened)
    book = warehouse.select("select tstzmultirange(slots), reason from warehouse.holes")
    holes = {bool(reason): Runs() for reason in (None, "any")}
    for span, reason in book:
        assert Runs() == runs_of(span) & (rows + holes[True] + holes[False])
        holes[bool(reason)] += runs_of(span)
    ((present, explained, tried),) = warehouse.select(
        """
        select range_agg(present), range_agg(explained), range_agg(tried) from warehouse.coverage
        """
    )

    assert len(set(opened)) == len(opened)
    assert (rows, holes[True], holes[False]) == tuple(map(runs_of, (present, explained, tried)))


@few_examples
@given(st.lists(steps, min_size=2, max_size=7))
def test_ledger_says_what_its_twin_says(database: Database, history: Sequence[Step]) -> None:
    """Whatever happened in whatever order: each day expects, holds, explains and lacks the same."""
    warehouse, twin = emptied(database), Twin()
    for number, step in enumerate(history):
        warehouse = take(warehouse, twin, step, NOW + number * 10 * MINUTE)
    whole = Coverage(twin.expected, twin.present, twin.explained)

    assert twin.days() == warehouse.days()
    assert whole.missing.within(DUE) == warehouse.missing(DUE)
    assert_in_step(warehouse)


@few_examples
@given(
    st.lists(steps, min_size=2, max_size=5),
    st.sampled_from([timedelta(), MINUTE, 4 * MINUTE, 8 * MINUTE, DAY, DAY + 30 * MINUTE, 3 * DAY]),
)
def test_days_to_repair_are_those_of_which_something_is_wanted(
    database: Database, history: Sequence[Step], later: timedelta
) -> None:
    """No day comes up of which nothing would be asked, and none is left out of which something would."""
    warehouse, twin, now = emptied(database), Twin(), NOW
    for step in history:
        warehouse = take(warehouse, twin, step, now)
        now += 4 * MINUTE
    now += later
    window = Window(SINCE - 9 * DAY, now)
    asked = warehouse.ledger.wanted(OHLC, window, now, "patiently")
    days = {day for one in asked.values() for day, _ in runs_by_day(one.slots)}

    assert sorted(days, reverse=True) == warehouse.ledger.days_to_repair(OHLC, now, now, 1_000)


@few_examples
@given(
    st.lists(st.lists(presence, min_size=1, max_size=3), min_size=2, max_size=3),
    st.lists(outages, max_size=3),
)
def test_writers_and_askers_side_by_side_leave_one_truth(
    database: Database, batches: Sequence[Sequence[set[int]]], asked: Sequence[Runs]
) -> None:
    """Runs over the same slots at the same time: rows once each, and the ledger knows them all."""
    warehouse, twin = emptied(database), Twin()

    def write(mine: Sequence[set[int]]) -> None:
        with warehouse.writer() as writer:
            for numbers in mine:
                rows = [candle(at) for at in minutes_after(SINCE, *numbers)]
                writer.store([SeriesRows(BTC, rows)], "binance")

    with ThreadPoolExecutor(4) as threads:
        writing = [threads.submit(write, mine) for mine in batches]
        asking = [threads.submit(warehouse.prove_absent, one) for one in asked]
        for one in (*writing, *asking):
            one.result()
    for one in asked:
        twin.prove_absent(one)
    twin.add_rows(slots(set().union(*(numbers for mine in batches for numbers in mine))))

    assert twin.days() == warehouse.days()
    assert_in_step(warehouse)


@pytest.mark.parametrize("seed", range(2))
def test_everybody_at_once_never_stands_in_a_circle(database: Database, seed: int) -> None:
    """Registering, storing and accounting take turns, whatever order each has its series in."""
    names = [f"A{number}-USDT" for number in range(6)]
    warehouse = hourly(database, *names, since=SINCE - 60 * DAY)
    orders: Sequence[Sequence[CandleSeries]] = [warehouse.series, list(reversed(warehouse.series))]

    def work(number: int) -> None:
        mine = Warehouse(database, orders[(number + seed) % 2], SINCE - 60 * DAY)
        for turn in range(3):
            if number % 3 == 0:
                mine.since_then(SINCE - (60 + turn) * DAY)
                mine.listed(SINCE - (50 + turn) * DAY)
            elif number % 3 == 1:
                mine.ask_in_vain(Window(SINCE - 60 * DAY, NOW))
            else:
                with mine.writer() as writer:
                    rows = [candle(SINCE - day * DAY) for day in range(60)]
                    writer.store([SeriesRows(one, rows) for one in mine.series], "binance")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))

    assert [(6 * 60,)] == warehouse.select("select count(*) from warehouse.ohlc")
