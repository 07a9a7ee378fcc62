"""What a row was before, who may replace it, and what was known of it at any instant."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.warehouse.statements import statements
from crypto_pipeline.warehouse.writer import SeriesRows, Stored
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import (
    BTC,
    EMPTY,
    MINUTE,
    SINCE,
    Warehouse,
    as_rows,
    minutes_after,
    over_postgres,
)

REVISIONS = """
    select open_time, close::text, load_id, replaced_by
    from warehouse.ohlc_revisions
    order by revision_id
"""


def candles(*minutes: int, close: str = "16568.60") -> list[Candle]:
    """Candles that open so many minutes after SINCE."""
    return [candle(moment, close=close) for moment in minutes_after(SINCE, *minutes)]


# --- revisions ------------------------------------------------------------------------------


def test_changed_row_is_replaced_and_the_former_kept(warehouse: Warehouse) -> None:
    """A differing answer replaces the row; what was there, and which load brought it, is a revision."""
    warehouse.store(*candles(0, 1))
    replaced = warehouse.store(*candles(0), *candles(1, close="16570.00"))

    assert Stored(updated=1) == replaced
    assert as_rows([*candles(0), *candles(1, close="16570.00")]) == warehouse.rows()
    assert [(SINCE + MINUTE, "16568.60", 1, 2)] == warehouse.select(REVISIONS)


def test_more_digits_are_no_change(warehouse: Warehouse) -> None:
    """The same number printed with another zero is the same number."""
    warehouse.store(*candles(0, close="16568.6"))

    assert Stored() == warehouse.store(*candles(0, close="16568.60"))
    assert [] == warehouse.select(REVISIONS)


def test_value_that_becomes_known_is_a_change(warehouse: Warehouse) -> None:
    """A null that becomes a number is replaced like any other value."""
    warehouse.store(candle(SINCE, trades=None))

    assert Stored(updated=1) == warehouse.store(candle(SINCE, trades=7))
    assert [(None,)] == warehouse.select("select trade_count from warehouse.ohlc_revisions")


def test_row_that_the_ledger_does_not_know_of_is_kept_as_a_revision(warehouse: Warehouse) -> None:
    """A row put in by hand is found by its key; the fast way into an empty window harms nothing."""
    warehouse.store(*candles(0, close="16570.00"))
    warehouse.execute("update warehouse.coverage set present = '{}'")

    assert Stored(inserted=1, updated=1) == warehouse.store(*candles(0, 1, close="16571.00"))
    assert [(SINCE, "16570.00", 1, 2)] == warehouse.select(REVISIONS)


def test_people_see_when_and_by_whom_a_row_was_replaced(warehouse: Warehouse) -> None:
    """A revision tells who had said it and when, and whose answer in which run took its place."""
    warehouse.store(*candles(0), source="binance")
    with warehouse.writer("run-2") as writer:
        writer.store([SeriesRows(BTC, candles(0, close="16570.00"))], "mirror")
    ((first, second),) = warehouse.select(
        "select min(fetched_at), max(fetched_at) from warehouse.loads"
    )

    assert first < second
    assert [
        (
            "binance",
            "BTC-USDT",
            "1m",
            SINCE,
            "16568.60",
            "binance",
            first,
            second,
            "mirror",
            "run-2",
        )
    ] == warehouse.select(
        """
        select venue, instrument, interval, open_time, close::text, source, fetched_at, replaced_at,
            replaced_by, replaced_in_run
        from market.ohlc_revisions
        """
    )


# --- trust ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "is_replaced"),
    [(0, 0, True), (0, 1, False), (1, 0, True), (1, 1, True), (2, 1, True), (1, 2, False)],
)
def test_row_is_replaced_by_whom_is_trusted_as_much(
    warehouse: Warehouse, before: int, after: int, *, is_replaced: bool
) -> None:
    """Less trusted sources fill holes; what a better one said they never overwrite, nor revise."""
    warehouse.store(*candles(0), source="first", trust=before)
    stored = warehouse.store(*candles(0, 1, close="16570.00"), source="second", trust=after)
    closes = ["16570.00" if is_replaced else "16568.60", "16570.00"]

    assert Stored(inserted=1, updated=int(is_replaced)) == stored
    assert closes == [row[4] for row in warehouse.rows()]
    assert int(is_replaced) == len(warehouse.select(REVISIONS))
    assert ["second" if is_replaced else "first", "second"] == [
        source
        for (source,) in warehouse.select("select source from market.ohlc order by open_time")
    ]


def test_row_that_came_by_no_load_is_replaced_by_anybody(warehouse: Warehouse) -> None:
    """What a hand put into the table is trusted least of all, and kept as a revision all the same."""
    warehouse.store(*candles(0))
    warehouse.execute("update warehouse.ohlc set load_id = 999")

    assert Stored(updated=1) == warehouse.store(*candles(0, close="16570.00"), trust=9)
    assert [("16568.60", None, None, "binance")] == warehouse.select(
        "select close::text, source, fetched_at, replaced_by from market.ohlc_revisions"
    )


# --- as it was known ------------------------------------------------------------------------

Batch = tuple[dict[int, int], int]
batches = st.tuples(
    st.dictionaries(st.integers(0, 5), st.integers(1, 3), min_size=1), st.integers(0, 1)
)


@dataclass
class Known:
    """The closes by minute, and how trusted each is, as a history of batches makes them."""

    closes: dict[int, int] = field(default_factory=dict)
    trust: dict[int, int] = field(default_factory=dict)

    def take(self, batch: Batch) -> dict[int, int]:
        """The closes after one more batch."""
        for minute, close in batch[0].items():
            held = self.closes.get(minute)
            if held is None or (held != close and self.trust[minute] >= batch[1]):
                self.closes[minute], self.trust[minute] = close, batch[1]
        return dict(self.closes)


def known_at(warehouse: Warehouse, instant: datetime) -> list[tuple[int, int]]:
    """The closes by minute as they were known."""
    rows = warehouse.select(
        "select open_time, close from market.ohlc_as_of(%s) order by open_time", instant
    )
    return [((opened - SINCE) // MINUTE, int(close)) for opened, close in rows]


@over_postgres
@given(st.lists(batches, min_size=1, max_size=5))
def test_rows_are_known_as_they_were(warehouse: Warehouse, history: Sequence[Batch]) -> None:
    """At any instant: what had been stored by then, each slot once, with the value it had then."""
    warehouse.execute(EMPTY)
    warehouse.execute("delete from warehouse.loads")
    with warehouse.writer() as writer:
        for closes, trust in history:
            rows = [
                candle(SINCE + minute * MINUTE, close=str(close), open="1", low="1", high="9")
                for minute, close in closes.items()
            ]
            writer.store([SeriesRows(BTC, rows)], "any", trust)
    loaded = warehouse.select("select fetched_at from warehouse.loads order by load_id")
    model, tick = Known(), timedelta(microseconds=1)
    expected: dict[int, int] = {}

    for (instant,), batch in zip(loaded, history, strict=True):
        assert sorted(expected.items()) == known_at(warehouse, instant - tick)
        expected = model.take(batch)
        assert sorted(expected.items()) == known_at(warehouse, instant)
    assert sorted(expected.items()) == known_at(warehouse, instant + timedelta(days=9_999))


def test_load_is_dated_when_its_turn_has_come(warehouse: Warehouse) -> None:
    """Who waited for another writer comes after it in time too, so that no instant knows a slot twice."""
    ids = {"series_ids": [warehouse.register()[BTC.name]]}
    lock = statements("series")["lock_series"]
    waiting = "select 1 from pg_locks where locktype = 'advisory' and not granted"
    with ThreadPoolExecutor(1) as threads, warehouse.database.connect() as connection:
        with connection.transaction():
            connection.execute(lock, ids)
            stored = threads.submit(warehouse.store, *candles(0))
            while not warehouse.select(waiting):
                assert not stored.done()
            ((released,),) = warehouse.select("select clock_timestamp()")
        stored.result()

    assert [(True,)] == warehouse.select("select fetched_at > %s from warehouse.loads", released)


def test_what_is_known_of_one_series_is_found_by_its_key(warehouse: Warehouse) -> None:
    """Asked about a few slots, the past is not read as a whole: conditions reach the tables."""
    warehouse.store(*candles(0))
    plan = warehouse.select(
        """
        explain select * from market.ohlc_as_of(now())
        where venue = 'binance' and open_time = '2024-02-28'
        """
    )
    told = "\n".join(line for (line,) in plan)

    assert "Function Scan on ohlc_as_of" not in told
    assert 2 <= told.count("open_time = ")
