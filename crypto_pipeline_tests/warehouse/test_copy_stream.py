"""The binary stream of a COPY: Postgres reads from it exactly what the block holds."""

import pytest
from hypothesis import given

from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.warehouse.copy_stream import CHUNK_ROWS, HEADER, TRAILER, candle_stream
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.frames.blocks import MINUTE, START, candle_lists, texts
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import over_postgres


def copied(database: Database, block: CandleBlock) -> list[tuple[object, ...]]:
    """What a table holds that took the stream."""
    with database.connect() as connection:
        connection.execute(
            """
            create temporary table taken as
            select series_id, load_id, open_time, open, high, low, close, volume, quote_volume,
                trade_count
            from warehouse.ohlc
            """
        )
        into = b"copy taken from stdin (format binary)"
        with connection.cursor().copy(into) as copy:
            for chunk in (HEADER, *candle_stream(block, 7, 12), TRAILER):
                copy.write(chunk)
        return connection.execute("select * from taken order by open_time").fetchall()


@over_postgres
@given(candle_lists(most_digits=22, most_decimals=12))
def test_database_reads_every_digit(database: Database, candles: list[Candle]) -> None:
    """Trailing zeros, no decimals, numbers of any length, a zero in any place."""
    rows = copied(database, CandleBlock.of(candles))

    assert {(7, 12)} == {row[:2] for row in rows}
    assert texts(candles) == texts([Candle._make(row[2:]) for row in rows])


@pytest.mark.parametrize("count", [1, CHUNK_ROWS, CHUNK_ROWS + 1])
def test_chunks_join_without_a_seam(database: Database, count: int) -> None:
    """No row is lost where one chunk ends."""
    candles = [candle(START + number * MINUTE, trades=number) for number in range(count)]

    assert candles == [Candle._make(row[2:]) for row in copied(database, CandleBlock.of(candles))]


def test_block_without_rows_is_an_empty_stream(database: Database) -> None:
    """Header and trailer alone are a COPY of nothing."""
    assert [] == copied(database, CandleBlock.of([]))
