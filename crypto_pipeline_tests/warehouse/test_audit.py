"""The audit: whatever is done to rows or ledger by hand is found, told, and put right."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import Attempt, Vain, runs_by_day
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.warehouse.audit import EVERYTHING, Audit, audit
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.holes import account
from crypto_pipeline.warehouse.spans import multirange, runs_of
from crypto_pipeline.warehouse.writer import SeriesRows, ensure_month_partitions
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.market.strategies import START, runs
from crypto_pipeline_tests.warehouse.storing import (
    NOW,
    SINCE,
    Warehouse,
    minutes_after,
    over_postgres,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BTC, ETH = series_of(), series_of("ETH-USDT")
FIRST = SINCE.date()
LATE = SINCE + 7 * MINUTE + timedelta(seconds=14)
"""An off-grid row: it opens within the eighth minute."""
BEGUN = 2 * 3
"""Days that have begun, of two series."""
DELETE = "delete from warehouse.ohlc where open_time = '{}' and series_id = 1"
ADD = """
    insert into warehouse.ohlc (series_id, load_id, open_time, open, high, low, close, volume)
    select 1, 1, moment, 1, 1, 1, 1, 1
    from unnest(array[{}]) as moment
    on conflict do nothing
"""
SET = "update warehouse.coverage set {} where series_id = 1 and day = '2024-02-28'"
REPAIRS = """
    select series_id, day, only_in_rows, only_in_ledger
    from warehouse.ledger_repairs
    order by repair_id
"""


@pytest.fixture
def warehouse(database: Database) -> Warehouse:
    """Two series; of the first, seven minutes of one day and the first minutes of the next two."""
    warehouse = Warehouse(database, [BTC, ETH])
    moments = [*minutes_after(SINCE, *range(6)), LATE, SINCE + DAY, SINCE + 2 * DAY]
    warehouse.store(*map(candle, moments))
    return warehouse


def audited(warehouse: Warehouse, window: Window = EVERYTHING, *, repair: bool = False) -> Audit:
    """An audit of a window."""
    return audit(warehouse.database, OHLC, window, repair=repair, now=NOW)


def add(*moments: datetime) -> str:
    """A statement that adds rows of the first series."""
    return ADD.format(", ".join(f"timestamptz '{moment}'" for moment in moments))


def minute(number: int) -> Runs:
    """One minute of the first day."""
    return Runs((Window(SINCE + number * MINUTE, SINCE + (number + 1) * MINUTE),))


def test_what_the_writer_stored_agrees(warehouse: Warehouse) -> None:
    """Off-grid rows and holes included; days to come are compared, and not counted."""
    vain = Vain("TransientError", "HTTP 503")
    account(warehouse.database, OHLC, {BTC.name: [Attempt(minute(9), vain)]}, NOW)

    assert Audit(BEGUN) == audited(warehouse)
    assert Audit(BEGUN) == audited(warehouse, repair=True)
    assert [] == warehouse.select(REPAIRS)


@pytest.mark.parametrize(
    ("statement", "day", "in_rows", "in_ledger", "wrong"),
    [
        (DELETE.format(SINCE), FIRST, Runs(), minute(0), "present"),
        (DELETE.format(LATE), FIRST, Runs(), minute(7), "present"),
        (DELETE.format(SINCE + DAY), FIRST + DAY, Runs(), minute(1440), "present"),
        (add(SINCE + 9 * MINUTE), FIRST, minute(9), Runs(), "present"),
        (add(LATE + MINUTE), FIRST, minute(8), Runs(), "present"),
        (add(SINCE - MINUTE), FIRST - DAY, minute(-1), Runs(), "present"),
        (add(NOW + 3 * DAY), date(2024, 3, 4), minute(5 * 1440 + 720), Runs(), "present"),
        (
            f"with gone as ({DELETE.format(SINCE)}) {add(SINCE + 9 * MINUTE)}",
            FIRST,
            minute(9),
            minute(0),
            "present",
        ),
        (
            SET.format("present = '{}'"),
            FIRST,
            Runs.of([Window(SINCE, SINCE + 6 * MINUTE), *minute(7)]),
            Runs(),
            "present",
        ),
        (
            "delete from warehouse.coverage where series_id = 1 and day = '2024-02-29'",
            FIRST + DAY,
            minute(1440),
            Runs(),
            "present",
        ),
        (
            SET.format("present = tstzmultirange(tstzrange(null, null))"),
            FIRST,
            Runs(),
            Runs((Window.of_day(FIRST),)) - minute(7) - Runs((Window(SINCE, SINCE + 6 * MINUTE),)),
            "present",
        ),
        (
            SET.format("present = present + '{[2024-02-28 10:00:00Z,2024-02-28 10:00:00Z]}'"),
            FIRST,
            Runs(),
            Runs(),
            "present",
        ),
        (SET.format("explained = expected"), FIRST, Runs(), Runs(), "explained"),
        (SET.format("tried = expected"), FIRST, Runs(), Runs(), "tried"),
        (SET.format("retry_at = now()"), FIRST, Runs(), Runs(), "retry_at"),
        (SET.format("recheck_at = now()"), FIRST, Runs(), Runs(), "recheck_at"),
    ],
    ids=[
        "row deleted",
        "off-grid row deleted",
        "only row of a day deleted",
        "row added",
        "off-grid row added",
        "row added on a day without ledger row",
        "row added on a day to come",
        "one row deleted and one added",
        "present cleared",
        "ledger row deleted",
        "present without end",
        "present for no time",
        "explained",
        "tried",
        "retry_at",
        "recheck_at",
    ],
)
def test_what_is_changed_by_hand_is_found_and_repaired(
    warehouse: Warehouse, statement: str, day: date, in_rows: Runs, in_ledger: Runs, wrong: str
) -> None:
    """One change is one difference, told alike with and without repair; then all agrees, and it is logged."""
    warehouse.execute(statement)
    (difference,) = audited(warehouse).differences

    assert (BTC.name, day, in_rows, in_ledger, (wrong,)) == (
        difference.series,
        difference.day,
        difference.only_in_rows,
        difference.only_in_ledger,
        difference.wrong,
    )
    assert (in_rows.slots(MINUTE), in_ledger.slots(MINUTE)) == (
        difference.slots_only_in_rows,
        difference.slots_only_in_ledger,
    )
    assert [difference] == audited(warehouse, repair=True).differences
    assert [] == audited(warehouse).differences
    assert [(1, day, in_rows, in_ledger)] == [
        (one, logged, runs_of(rows), runs_of(ledger))
        for one, logged, rows, ledger in warehouse.select(REPAIRS)
    ]


@pytest.mark.parametrize("slot", [SINCE, LATE], ids=["on the grid", "off the grid"])
def test_second_row_of_a_slot_is_no_difference(warehouse: Warehouse, slot: datetime) -> None:
    """A slot is there once, however many rows lie in it, and goes with the last of them."""
    second = slot + timedelta(seconds=30)
    warehouse.execute(add(second))
    assert [] == audited(warehouse).differences

    warehouse.execute(DELETE.format(slot))
    assert [] == audited(warehouse).differences

    warehouse.execute(DELETE.format(second))
    assert [1] == [one.slots_only_in_ledger for one in audited(warehouse).differences]


def test_deleted_row_is_missing_after_the_repair(warehouse: Warehouse) -> None:
    """Its slot is a hole that nobody has asked for yet."""
    warehouse.execute(DELETE.format(SINCE + MINUTE))
    assert SINCE + MINUTE not in warehouse.missing()

    audited(warehouse, repair=True)

    assert minute(1) == Runs((warehouse.missing().windows[0],))


def test_added_row_closes_the_hole_it_fills(warehouse: Warehouse) -> None:
    """What was asked for in vain is forgotten, an explanation ends and is logged, and the rest stays."""
    gone = Vain("Absent", "not in the answer", reason="no_trades", is_certain=True)
    asked = Runs((Window(SINCE + 10 * MINUTE, SINCE + 13 * MINUTE),))
    account(
        warehouse.database,
        OHLC,
        {BTC.name: [Attempt(asked, gone, [(asked.windows[0], gone)])]},
        NOW,
    )
    warehouse.execute(add(SINCE + 11 * MINUTE))
    (difference,) = audited(warehouse, repair=True).differences

    assert ("present", "holes") == difference.wrong
    assert [(minute(10) + minute(12),)] == [
        (runs_of(explained),)
        for (explained,) in warehouse.select(
            "select explained from warehouse.coverage where not isempty(explained)"
        )
    ]
    assert [("explained",), ("replaced_by_data",)] == warehouse.select(
        "select change from warehouse.explanation_changes order by change_id"
    )
    assert [] == audited(warehouse).differences


def test_dry_run_changes_nothing(warehouse: Warehouse) -> None:
    """Not a version of a row is another one afterwards, and the repair that follows finds all of it."""
    warehouse.execute(DELETE.format(SINCE))
    warehouse.execute(SET.format("tried = expected"))
    tables = ("ohlc", "coverage", "holes", "explanation_changes", "ledger_repairs")
    queries = [f"select xmin, ctid, * from warehouse.{table} order by ctid" for table in tables]  # noqa: S608
    before = [warehouse.select(query) for query in queries]
    looked = audited(warehouse)

    assert before == [warehouse.select(query) for query in queries]
    assert [("present", "tried")] == [one.wrong for one in looked.differences]
    assert looked == audited(warehouse, repair=True)


def test_series_that_is_no_longer_collected_is_audited(warehouse: Warehouse) -> None:
    """Its rows stay, so the ledger must stay true to them."""
    Warehouse(warehouse.database, [ETH]).register()
    warehouse.execute(DELETE.format(SINCE))

    assert [BTC.name] == [one.series for one in audited(warehouse, repair=True).differences]


def test_window_bounds_the_days(warehouse: Warehouse) -> None:
    """Days that the window touches are audited whole, and no others."""
    warehouse.execute(DELETE.format(SINCE))
    evening = Window(SINCE + 23 * HOUR, SINCE + DAY)

    assert (2, 1) == (
        audited(warehouse, evening).days,
        len(audited(warehouse, evening).differences),
    )
    assert Audit(2) == audited(warehouse, Window.of_day(FIRST + DAY))
    assert Audit(0) == audited(warehouse, Window.of_day(date(2001, 1, 1)))


@pytest.mark.parametrize("interval", ["3d", "1w"])
def test_row_in_another_month_than_its_slot_is_found(database: Database, interval: str) -> None:
    """A long slot opens in one month, and its off-grid row in the next."""
    series = series_of(interval=interval)
    slot = series.interval.floor(datetime(2024, 2, 29, 23, tzinfo=UTC))
    warehouse = Warehouse(database, [series], since=slot)
    warehouse.store(candle(slot + series.interval.step - HOUR))
    only_this = Window.of_day(slot.date())

    assert Audit(1) == audited(warehouse, only_this)
    warehouse.execute("delete from warehouse.ohlc")
    assert [(slot.date(), 1)] == [
        (one.day, one.slots_only_in_ledger) for one in audited(warehouse).differences
    ]


def test_audit_beside_a_writer_finds_nothing(warehouse: Warehouse) -> None:
    """Rows and ledger are seen at one instant, whatever is committed while the audit reads."""
    found: list[Audit] = []

    def store() -> None:
        with warehouse.writer() as writer:
            for start in range(0, 3_000, 20):
                rows = map(candle, minutes_after(SINCE + DAY, *range(start, start + 20)))
                writer.store([SeriesRows(BTC, list(rows)), SeriesRows(ETH, [])], "binance")

    with ThreadPoolExecutor(1) as threads:
        storing = threads.submit(store)
        while not storing.done():
            found.append(audited(warehouse, repair=len(found) % 2 == 0))
        storing.result()

    assert len(found) > 1
    assert [] == [difference for one in found for difference in one.differences]
    assert [] == warehouse.select(REPAIRS)


def test_audits_at_the_same_time_repair_once(warehouse: Warehouse) -> None:
    """Who comes second looks again, and finds nothing left to do."""
    warehouse.execute(DELETE.format(SINCE))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: audited(warehouse, repair=True), range(4)))

    assert 1 == len(warehouse.select(REPAIRS))


def test_progress_goes_from_nothing_to_all(warehouse: Warehouse) -> None:
    """In days of the known span, month by month and series by series, days to come included."""
    told: list[tuple[int, int]] = []
    audit(
        warehouse.database,
        OHLC,
        EVERYTHING,
        repair=False,
        on_progress=lambda done, planned: told.append((done, planned)),
    )

    assert [0, 2, 33, 34, 36, 67, 68] == [done for done, _ in told]
    assert {68} == {planned for _, planned in told}


def test_difference_reads_as_a_sentence(warehouse: Warehouse) -> None:
    """It names series, day and slots."""
    warehouse.execute(DELETE.format(SINCE))
    (difference,) = audited(warehouse).differences

    assert str(difference) == (
        "binance/BTC-USDT/1m 2024-02-28: 0 slots unknown to the ledger, 1 without a row "
        "(present was wrong)"
    )


def present_of(interval: Interval, moments: Iterable[datetime]) -> dict[date, Runs]:
    """The presence of some rows, in plain Python."""
    found: dict[date, Runs] = {}
    for slot in map(interval.floor, moments):
        end = min(slot + interval.step, midnight(slot.date()) + DAY)
        found[slot.date()] = found.get(slot.date(), Runs()) + Runs((Window(slot, end),))
    return found


@pytest.mark.parametrize("interval", ["1m", "1h", "3d", "1w"])
@over_postgres
@given(
    moments=st.lists(
        st.integers(0, 100 * 60).map(lambda number: START + number * timedelta(seconds=30)),
        max_size=20,
    ),
    ledger=runs(3000),
    tried=runs(3000),
    explained=runs(3000),
)
def test_ledger_follows_any_rows(
    database: Database,
    interval: str,
    moments: list[datetime],
    ledger: Runs,
    tried: Runs,
    explained: Runs,
) -> None:
    """Any rows, any ledger and any holes: after the repair each day says what its rows and holes say."""
    warehouse = Warehouse(database, [series_of(interval=interval)])
    _make(warehouse, moments, ledger, tried - explained, explained)
    stored = present_of(warehouse.series[0].interval, moments)
    all_stored = Runs.of(run for runs in stored.values() for run in runs)
    wanted = (all_stored, tried - explained - all_stored, explained - all_stored)

    found = audited(warehouse, repair=True)

    coverage = warehouse.select("select day, present, explained, tried from warehouse.coverage")
    days: dict[date, tuple[Runs, ...]] = {
        day: (runs_of(present), runs_of(tried), runs_of(explained))
        for day, present, explained, tried in coverage
    }
    expected = [dict(runs_by_day(part)) for part in wanted]
    assert {day: tuple(part.get(day, Runs()) for part in expected) for day in days} == days
    assert stored.keys() <= days.keys()
    assert [] == audited(warehouse).differences
    claimed = dict(runs_by_day(ledger))
    assert {
        day for day in stored | claimed if stored.get(day, Runs()) != claimed.get(day, Runs())
    } == {one.day for one in found.differences if "present" in one.wrong}


def _make(
    warehouse: Warehouse, moments: list[datetime], ledger: Runs, tried: Runs, explained: Runs
) -> None:
    """Have rows, ledger and book of holes say these things, whether they agree or not."""
    ids = warehouse.register()
    (one,) = ids.values()
    for table in ("ohlc", "coverage", "holes", "ledger_repairs", "explanation_changes"):
        warehouse.execute(f"delete from warehouse.{table}")  # noqa: S608
    with warehouse.database.connect() as connection:
        ensure_month_partitions(connection, [date(2024, 2, 1), date(2024, 3, 1)])
    if moments:
        warehouse.execute(add(*moments))
    for day, part in runs_by_day(ledger):
        warehouse.execute(
            "insert into warehouse.coverage (series_id, day, expected, present) values (%s, %s, '{}', %s)",
            *(one, day, multirange(part)),
        )
    for reason, holes in ((None, tried), ("no_trades", explained)):
        for day, part in runs_by_day(holes):
            warehouse.execute(
                "insert into warehouse.holes (series_id, day, slots, attempts, next_at, absences, reason) "
                "select %s, %s, run, 1, %s, 0, %s from unnest(%s) as run",
                *(one, day, NOW, reason, multirange(part)),
            )
