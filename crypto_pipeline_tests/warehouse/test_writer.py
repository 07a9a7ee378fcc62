"""The writer: rows, revisions and coverage are one, and doing it again changes nothing."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.candles import Candle, Rejected
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.writer import SeriesRows, Stored, ensure_month_partitions
from crypto_pipeline_tests.frames.examples import candle, candles_at
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import (
    ALL,
    BTC,
    EMPTY,
    ETH,
    MINUTE,
    NOW,
    SINCE,
    Warehouse,
    as_rows,
    minutes_after,
    over_postgres,
)

REJECTED = "select slot, source, reason from warehouse.rejected_rows order by slot"


def candles(*minutes: int, **changed: Any) -> list[Candle]:
    """Candles that open so many minutes after SINCE."""
    return [candle(moment, **changed) for moment in minutes_after(SINCE, *minutes)]


def broken(minute: int) -> Rejected:
    """A row that breaks a promise."""
    return Rejected(candle(SINCE + minute * MINUTE, low="0"), "a price is not positive")


def test_rows_and_their_slots_are_stored(warehouse: Warehouse) -> None:
    """What was given is there, and the ledger says so."""
    rows = candles(0, 1, 2, 10)

    assert Stored(inserted=4) == warehouse.store(*rows)
    assert as_rows(rows) == warehouse.rows()
    assert Runs.of([ALL]) - warehouse.missing() == Runs.of(
        [Window(SINCE, SINCE + 3 * MINUTE), Window(SINCE + 10 * MINUTE, SINCE + 11 * MINUTE)]
    ) + Runs.of([Window(datetime(2024, 3, 1, 12, tzinfo=UTC), NOW)])


@over_postgres
@given(st.data())
def test_numbers_read_back_as_they_were_printed(warehouse: Warehouse, data: st.DataObject) -> None:
    """Every digit survives, trailing zeros and all."""
    warehouse.execute(EMPTY)
    rows = [data.draw(candles_at(moment)) for moment in minutes_after(SINCE, 1, 2, 3)]
    warehouse.store(*rows)

    assert as_rows(rows) == warehouse.rows()


@pytest.mark.parametrize(
    "text", ["43448487.21898430", "0.00000000", "1", "0.1", "100", "12345678901234567890.123456789"]
)
def test_number_keeps_its_text(warehouse: Warehouse, text: str) -> None:
    """The driver's decimal and the database's text are both the venue's."""
    warehouse.store(candle(SINCE, quote_volume=text))

    assert [(text, Decimal(text))] == warehouse.select(
        "select quote_volume::text, quote_volume from market.ohlc"
    )
    assert text == format(warehouse.select("select quote_volume from market.ohlc")[0][0], "f")


def test_unknown_values_stay_null(warehouse: Warehouse) -> None:
    """What the venue did not say is not a zero."""
    warehouse.store(candle(SINCE, quote_volume=None, trades=None))

    assert [(None, None)] == warehouse.select("select quote_volume, trade_count from market.ohlc")


def test_storing_again_changes_nothing(warehouse: Warehouse) -> None:
    """The same batch a second time writes no row, no revision and no line of the ledger."""
    warehouse.store(*candles(0, 1, 2))
    before = (
        warehouse.rows(),
        warehouse.coverage(),
        warehouse.select("select xmin from warehouse.ohlc"),
    )

    assert Stored() == warehouse.store(*candles(0, 1, 2))
    assert before == (
        warehouse.rows(),
        warehouse.coverage(),
        warehouse.select("select xmin from warehouse.ohlc"),
    )
    assert [] == warehouse.select("select * from warehouse.ohlc_revisions")


@over_postgres
@given(st.permutations(range(5)), st.sets(st.integers(0, 60), min_size=5, max_size=30))
def test_order_of_batches_does_not_matter(
    warehouse: Warehouse, order: Sequence[int], minutes: set[int]
) -> None:
    """Batches may come in any order, overlap and repeat; rows and ledger end the same."""
    batches = [candles(*sorted(minutes)[part::4]) for part in range(4)] + [candles(*minutes)[:5]]
    outcomes = []
    for turn in (range(5), order):
        warehouse.execute(EMPTY)
        with warehouse.writer() as writer:
            for number in turn:
                writer.store([SeriesRows(BTC, batches[number])], "binance")
        outcomes.append((warehouse.rows(), warehouse.coverage()))

    assert outcomes[0] == outcomes[1]
    assert len(minutes) == len(outcomes[0][0])


def test_off_grid_candle_covers_the_slot_it_lies_in(database: Database) -> None:
    """A candle that opens at 28:14.789 is stored so, and its hour is not missing."""
    warehouse = Warehouse(database, [series_of(interval="1h")])
    late = SINCE + timedelta(minutes=28, seconds=14, milliseconds=789)
    warehouse.store(candle(late))

    assert late == warehouse.rows()[0][0]
    assert SINCE + timedelta(hours=1) == warehouse.missing().windows[0].start


def test_rows_know_their_load(warehouse: Warehouse) -> None:
    """A row leads to the provider and the run that brought it, a replaced one to both loads."""
    with warehouse.writer("run-1") as writer:
        writer.store([SeriesRows(BTC, candles(0, 1))], "binance")
    with warehouse.writer("run-2") as writer:
        writer.store([SeriesRows(BTC, candles(1, close="16570.00"))], "mirror")

    assert [(SINCE, "binance", "run-1"), (SINCE + MINUTE, "mirror", "run-2")] == warehouse.select(
        """
        select open_time, source, run_id
        from warehouse.ohlc join warehouse.loads using (load_id)
        order by open_time
        """
    )


def test_empty_batch_leaves_no_trace(warehouse: Warehouse) -> None:
    """Nothing to store makes no load."""
    assert Stored() == warehouse.store()
    assert [] == warehouse.select("select * from warehouse.loads")


def test_batch_of_several_series_keeps_them_apart(warehouse: Warehouse) -> None:
    """Rows of one transaction go each to its series."""
    with warehouse.writer() as writer:
        writer.store([SeriesRows(BTC, candles(0)), SeriesRows(ETH, candles(1, 2))], "binance")

    assert as_rows(candles(0)) == warehouse.rows(BTC)
    assert as_rows(candles(1, 2)) == warehouse.rows(ETH)


@pytest.mark.parametrize(
    "opened", ["2023-12-31T23:59", "2024-01-01T00:00", "2024-02-29T23:59", "2017-08-17T04:00"]
)
def test_month_is_made_when_its_first_row_comes(warehouse: Warehouse, opened: str) -> None:
    """A row finds the partition of its month, at either edge of it."""
    moment = datetime.fromisoformat(opened).replace(tzinfo=UTC)
    warehouse.store(candle(moment))

    assert [(f"warehouse.ohlc_{moment:%Y_%m}",)] == warehouse.select(
        "select tableoid::regclass::text from warehouse.ohlc"
    )


def test_months_can_be_made_by_many_at_once(database: Database) -> None:
    """Two runs that meet a new month do not fail over it."""
    months = [date(2024, month, 1) for month in range(1, 13)]

    def make(_: int) -> None:
        with database.connect() as connection:
            ensure_month_partitions(connection, months)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(make, range(6)))

    with database.connect() as connection:
        row = connection.execute(
            "select count(*) from pg_inherits where inhparent = 'warehouse.ohlc'::regclass"
        ).fetchone()

    assert (12,) == row


def test_rejected_row_is_kept_aside(warehouse: Warehouse) -> None:
    """It is not among the candles, its slot is missing, and it can be looked at as it came."""
    assert Stored(inserted=1, rejected=1) == warehouse.store(*candles(1), rejected=[broken(0)])
    assert as_rows(candles(1)) == warehouse.rows()
    assert SINCE == warehouse.missing().windows[0].start
    assert [(SINCE, "binance", "a price is not positive")] == warehouse.select(REJECTED)

    (kept,) = warehouse.select("select source_row from warehouse.rejected_rows")
    assert "0" == json.loads(json.dumps(kept[0]))["low"]


def test_rejected_row_is_settled_by_a_valid_one(warehouse: Warehouse) -> None:
    """Once its slot holds a valid row, nobody has to look at the broken one any more."""
    warehouse.store(rejected=[broken(0), broken(1)])
    warehouse.store(*candles(0))

    assert [SINCE + MINUTE] == [slot for slot, *_ in warehouse.select(REJECTED)]


def test_rejected_row_beside_its_valid_twin_is_settled(warehouse: Warehouse) -> None:
    """A page that holds a slot twice, once broken, leaves nothing to look at."""
    warehouse.store(*candles(0), rejected=[broken(0)])

    assert [] == warehouse.select(REJECTED)


def test_rejected_row_of_a_filled_slot_is_settled(warehouse: Warehouse) -> None:
    """The order in which a broken and a valid row come does not matter; the valid one stays."""
    warehouse.store(*candles(0))
    warehouse.store(rejected=[broken(0)])

    assert as_rows(candles(0)) == warehouse.rows()
    assert [] == warehouse.select(REJECTED)


def test_rejected_row_that_comes_again_is_one(warehouse: Warehouse) -> None:
    """A venue that keeps sending the same broken row does not fill the table."""
    for _ in range(3):
        warehouse.store(rejected=[broken(0)])

    assert [(SINCE, "binance", "a price is not positive")] == warehouse.select(REJECTED)


COUNTS = """
    select
        (select count(*) from warehouse.ohlc),
        (select count(*) from warehouse.ohlc_revisions),
        (select count(*) from warehouse.rejected_rows),
        (select count(*) from warehouse.loads)
"""
FAILING = """
    create function warehouse.fail() returns trigger language plpgsql as
    $$ begin raise exception 'no ledger today'; end $$;
    create trigger fail before insert or update on warehouse.{} execute function warehouse.fail();
"""


@pytest.mark.parametrize("table", ["coverage", "ohlc_revisions", "rejected_rows", "loads"])
def test_all_is_stored_or_nothing(warehouse: Warehouse, table: str) -> None:
    """When any part of a batch cannot be written, no other part of it stays."""
    warehouse.store(*candles(0))
    before = warehouse.rows(), warehouse.coverage(), warehouse.select(COUNTS)
    with warehouse.writer() as writer:
        warehouse.execute(FAILING.format(table))
        batch = SeriesRows(BTC, [*candles(0, close="16570.00"), *candles(1)], [broken(5)])

        with pytest.raises(psycopg.errors.RaiseException, match="no ledger today"):
            writer.store([batch], "binance")
        assert before == (warehouse.rows(), warehouse.coverage(), warehouse.select(COUNTS))

        warehouse.execute("drop function warehouse.fail() cascade")
        assert Stored(1, 1, 1) == writer.store([batch], "binance")


def test_writer_survives_a_number_the_database_cannot_hold(warehouse: Warehouse) -> None:
    """A batch that fails leaves the connection fit for the next one."""
    with warehouse.writer() as writer:
        with pytest.raises(psycopg.DataError):
            writer.store([SeriesRows(BTC, [candle(SINCE, trades=2**40)])], "binance")

        assert Stored(inserted=1) == writer.store([SeriesRows(BTC, candles(0))], "binance")


def test_writers_side_by_side_end_in_the_same_rows(warehouse: Warehouse) -> None:
    """Several runs over the same series lose nothing, double nothing, and never stand in a circle."""
    minutes = list(range(200))

    def write(number: int) -> Stored:
        mine = minutes[:: 1 if number % 2 else -1]
        parts = [
            SeriesRows(one, candles(*mine)) for one in ((BTC, ETH) if number % 3 else (ETH, BTC))
        ]
        with warehouse.writer() as writer:
            return sum((writer.store(parts, "binance") for _ in range(3)), Stored())

    with ThreadPoolExecutor(4) as threads:
        stored = sum(threads.map(write, range(4)), Stored())

    assert Stored(inserted=400) == stored
    assert as_rows(candles(*minutes)) == warehouse.rows(BTC) == warehouse.rows(ETH)
    assert [] == warehouse.select("select * from warehouse.ohlc_revisions")
    assert SINCE + 200 * MINUTE == warehouse.missing().windows[0].start
