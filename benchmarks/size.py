"""What a candle takes on disk: as a row, and packed.

The five instruments that are collected by default, a minute's candles, in the order in which history
comes: month by month, series by series. Run alone with ``python -m benchmarks.size``; ``--large``
goes on to 100 million rows, which takes 14 GB.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.filling import SERIES, SINCE, candles, copy_in, fill
from benchmarks.table import judge, show
from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.packing import pack
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline.warehouse.writer import ensure_month_partitions

MILLION = 1_000_000
ROWS = """
    select sum(pg_table_size(relid)), sum(pg_indexes_size(relid))
    from pg_partition_tree(%(table)s)
    where isleaf
"""
PACKED = """
    select
        pg_table_size('warehouse.ohlc_packed')::float8 / sum(candles),
        pg_indexes_size('warehouse.ohlc_packed')::float8 / sum(candles),
        sum(candles)
    from warehouse.ohlc_packed
"""
TICKING_DAYS = 14


def main() -> None:
    """Measure all, show all, and judge what has a limit."""
    steps = (1, 10, 100) if "--large" in sys.argv else (1, 10)
    rows: list[tuple[str, float, float]] = []
    with TemporaryDirectory() as directory:
        server = EmbeddedServer(Path(directory), 0)
        database = Database(server.start())
        upgrade(database)
        try:
            until, filled = SINCE, 0
            for step in steps:
                until = fill(database, step * MILLION - filled, until)
                filled = step * MILLION
                rows.append((f"{step} million rows", *each(sizes(database), filled)))
            hot = sum(rows[-1][1:])
            rows += [alone(database, series, year) for year, series in enumerate(SERIES, 2012)]
            rows.append(ticking(database))
            heap, keys, packed, rate = packing(database)
        finally:
            server.stop()
    rows.append((f"packed, {packed:,} candles", heap, keys))
    show(
        "size: bytes a candle",
        ("", "heap", "key", "total"),
        [(told, one, other, one + other) for told, one, other in rows],
    )
    print(f"  packed at {rate:,.0f} candles/s, each day compared with what it was")
    judge("a candle as a row", hot, 130, "bytes")
    judge("a packed candle", heap + keys, 35, "bytes")


def sizes(database: Database, month: str = "ohlc") -> tuple[int, int]:
    """Bytes of the rows of a month, or all, and of their keys."""
    with database.connect() as connection:
        table = {"table": f"warehouse.{month}"}
        ((heap, keys),) = connection.execute(ROWS, table).fetchall()
    return int(str(heap)), int(str(keys))


def each(sizes: Sequence[int], count: int) -> tuple[float, float]:
    """The same for each candle."""
    heap, keys = (size / count for size in sizes)
    return heap, keys


def alone(database: Database, series: CandleSeries, year: int) -> tuple[str, float, float]:
    """Of four weeks of one instrument, in a month of their own."""
    start, count = datetime(year, 2, 1, tzinfo=SINCE.tzinfo), 28 * 1440
    store(database, [[(series, moved(candles(series, SINCE, count), start))]], start)
    return str(series.instrument), *each(sizes(database, f"ohlc_{start:%Y_%m}"), count)


def ticking(database: Database) -> tuple[str, float, float]:
    """Of days in which every series in turn gets five candles at a time."""
    start, count = datetime(2011, 2, 1, tzinfo=SINCE.tzinfo), TICKING_DAYS * 1440
    made = [(series, moved(candles(series, SINCE, count), start)) for series in SERIES]
    ticks = [
        [(series, block.only(slice(first, first + 5))) for series, block in made]
        for first in range(0, count, 5)
    ]
    store(database, ticks, start)
    size = sizes(database, f"ohlc_{start:%Y_%m}")
    return "ticks of five minutes", *each(size, count * len(SERIES))


def store(
    database: Database, ticks: Sequence[Sequence[tuple[CandleSeries, CandleBlock]]], month: datetime
) -> None:
    """Store blocks of a month, each tick in a transaction."""
    ids = register(database, OHLC, SERIES, SINCE, SINCE)
    with database.connect() as connection:
        ensure_month_partitions(connection, [month.date()])
        for tick in ticks:
            with connection.transaction():
                for series, block in tick:
                    copy_in(connection, block, ids[series.name], 1)
        # So few rows that the room which a table grows by would show.
        connection.execute("vacuum warehouse.ohlc")


def moved(block: CandleBlock, start: datetime) -> CandleBlock:
    """The same candles at another time."""
    by = (start - SINCE) // timedelta(microseconds=1)
    return replace(block, open_times=block.open_times + by)


def packing(database: Database) -> tuple[float, float, int, float]:
    """Bytes of each packed candle and of its share of the key, their number, and how many a second."""
    began = time.perf_counter()
    done = pack(database, date(SINCE.year, 4, 1))
    seconds = time.perf_counter() - began
    with database.connect() as connection:
        ((heap, keys, candles_packed),) = connection.execute(PACKED).fetchall()
    return float(str(heap)), float(str(keys)), int(str(candles_packed)), done.candles / seconds


if __name__ == "__main__":
    main()
