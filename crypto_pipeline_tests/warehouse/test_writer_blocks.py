"""The writer and blocks of candles: as rows are stored, file by file, or not at all."""

from collections.abc import Iterator

import pytest

from crypto_pipeline.errors import DamagedFile
from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Candle, Rejected
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Connection
from crypto_pipeline.warehouse.writer import MANY, SeriesRows, Stored
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import (
    BTC,
    MINUTE,
    SINCE,
    Warehouse,
    as_rows,
    minutes_after,
)

DAYS = Runs((Window(SINCE, SINCE + 2 * MANY * MINUTE),))


def minutes(first: int, last: int, **changed: str) -> list[Candle]:
    """Candles of the minutes from one up to another."""
    return [candle(one, **changed) for one in minutes_after(SINCE, *range(first, last))]


def part(candles: list[Candle], *rejected: Rejected) -> SeriesRows:
    """Candles as a block."""
    return SeriesRows(BTC, CandleBlock.of(candles), rejected)


def test_block_is_stored_as_its_rows_are(warehouse: Warehouse) -> None:
    """Over a month's end, holes included: the same rows and the same ledger."""
    candles = [*minutes(0, 100), *minutes(2800, 3000)]
    with warehouse.writer() as writer:
        stored = writer.store([part(candles)], "binance")
    coverage, rows = warehouse.coverage(), warehouse.rows()
    warehouse.execute("delete from warehouse.ohlc; update warehouse.coverage set present = '{}'")
    warehouse.store(*candles)

    assert Stored(inserted=300) == stored
    assert as_rows(candles) == rows == warehouse.rows()
    assert coverage == warehouse.coverage()


@pytest.mark.parametrize("count", [10, MANY + 10])
def test_storing_a_block_again_changes_nothing(warehouse: Warehouse, count: int) -> None:
    """Be it small or so large that unchanged rows are set aside at once."""
    candles = minutes(0, count)
    with warehouse.writer() as writer:
        writer.store([part(candles)], "binance")
        again = writer.store([part(candles)], "binance")

    assert Stored() == again
    assert as_rows(candles) == warehouse.rows()
    assert [] == warehouse.select("select 1 from warehouse.ohlc_revisions")


def test_changed_rows_of_a_large_block_are_revisions(warehouse: Warehouse) -> None:
    """Those that differ are replaced and kept, new ones added, and the others left alone."""
    before = minutes(0, MANY + 10)
    after = [*minutes(0, MANY), *minutes(MANY, MANY + 20, volume="1.5")]
    with warehouse.writer() as writer:
        writer.store([part(before)], "binance")
        stored = writer.store([part(after)], "binance")

    assert Stored(inserted=10, updated=10) == stored
    assert as_rows(after) == warehouse.rows()
    assert [(10,)] == warehouse.select("select count(*) from warehouse.ohlc_revisions")


def test_less_trusted_block_replaces_nothing(warehouse: Warehouse) -> None:
    """Large or not: what the venue itself said stays."""
    before = minutes(0, MANY + 10)
    with warehouse.writer() as writer:
        writer.store([part(before)], "binance")
        stored = writer.store([part(minutes(0, MANY + 10, volume="1.5"))], "another", trust=1)

    assert Stored() == stored
    assert as_rows(before) == warehouse.rows()


def test_file_is_stored_whole(warehouse: Warehouse) -> None:
    """All its parts, the rejected rows, and what the caller adds, in one transaction."""
    wrong = Rejected(candle(SINCE + 150 * MINUTE, low="0"), "a price is not positive")
    noted: list[Stored] = []

    def finish(connection: Connection, stored: Stored) -> None:
        noted.append(stored)
        connection.execute("create table warehouse.noted ()")

    with warehouse.writer() as writer:
        parts = [part(minutes(0, 100)), part(minutes(100, 150), wrong), part(minutes(151, 160))]
        stored = writer.store_whole(parts, BTC, DAYS, "binance", finish)

    assert [stored] == noted == [Stored(inserted=159, rejected=1)]
    assert as_rows([*minutes(0, 150), *minutes(151, 160)]) == warehouse.rows()
    assert [] == warehouse.select("select 1 from warehouse.noted")


@pytest.mark.parametrize("is_known", [False, True])
def test_file_that_is_damaged_further_on_stores_nothing(
    warehouse: Warehouse, *, is_known: bool
) -> None:
    """Neither rows nor ledger keep anything of it, and the writer goes on with the next file."""
    if is_known:
        warehouse.store(*minutes(0, 3, volume="9"))
    rows, coverage = warehouse.rows(), warehouse.coverage()

    def parts() -> Iterator[SeriesRows]:
        yield part(minutes(0, 100))
        msg = "the rest is missing"
        raise DamagedFile(msg)

    with warehouse.writer() as writer:
        with pytest.raises(DamagedFile):
            writer.store_whole(parts(), BTC, DAYS, "binance")
        assert (rows, coverage) == (warehouse.rows(), warehouse.coverage())
        stored = writer.store_whole([part(minutes(200, 300))], BTC, DAYS, "binance")

    assert Stored(inserted=100) == stored


def test_parts_of_a_file_may_overlap_what_is_there(warehouse: Warehouse) -> None:
    """The rows that are there are left alone, and the others are added."""
    warehouse.store(*minutes(50, 60))
    with warehouse.writer() as writer:
        parts = [part(minutes(0, 55)), part(minutes(55, 70)), part(minutes(70, 80))]
        stored = writer.store_whole(parts, BTC, DAYS, "binance")

    assert Stored(inserted=70) == stored
    assert as_rows(minutes(0, 80)) == warehouse.rows()


def test_rows_that_the_ledger_does_not_know_are_found(warehouse: Warehouse) -> None:
    """The key finds them, and the careful way is taken."""
    warehouse.store(*minutes(0, 10))
    warehouse.execute("update warehouse.coverage set present = '{}'")
    with warehouse.writer() as writer:
        stored = writer.store([part(minutes(5, 15))], "binance")

    assert Stored(inserted=5) == stored
    assert as_rows(minutes(0, 15)) == warehouse.rows()


def test_file_is_gone_through_again_where_the_ledger_is_wrong(warehouse: Warehouse) -> None:
    """Its parts are asked for a second time, and what came by the first time counts once."""
    warehouse.store(*minutes(120, 130))
    warehouse.execute("update warehouse.coverage set present = '{}'")
    wrong = Rejected(candle(SINCE + 150 * MINUTE, low="0"), "a price is not positive")
    parts = [part(minutes(0, 100), wrong), part(minutes(100, 150))]
    with warehouse.writer() as writer:
        stored = writer.store_whole(parts, BTC, DAYS, "binance")

    assert Stored(inserted=140, rejected=1) == stored
    assert as_rows(minutes(0, 150)) == warehouse.rows()
    assert [(1,)] == warehouse.select("select count(*) from warehouse.rejected_rows")
