"""The writer against Postgres itself: a million candles, new and known, beside a raw binary COPY.

The peer is the server reading the same rows from a file of its own, in binary form, into the same
table with its primary key: as fast as this database can take them. Every way is tried in turn,
several times, so that a busy moment of the machine hits all. Run alone with
``python -m benchmarks.writer``.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.table import judge_ratio, show
from crypto_pipeline.frames.candle_block import CandleBlock, microseconds
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.copy_stream import HEADER, TRAILER, candle_stream
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline.warehouse.writer import SeriesRows, Writer, ensure_month_partitions

ROUNDS = 3
ROWS = 1_000_000
SERIES = CandleSeries("binance", Instrument.parse("BTC-USDT"), Interval.parse("1m"))
START = datetime(2023, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW = Window(START, START + ROWS * MINUTE)
NOW = WINDOW.end + timedelta(days=1)
COLUMNS = "series_id, load_id, open_time, open, high, low, close, volume, quote_volume, trade_count"


def main() -> None:
    """Measure all ways in turn, show the medians, and judge the ratios."""
    months = [block.only(slice(None)) for block in blocks()]
    ways: dict[str, list[float]] = {name: [] for name in ("raw", "new", "same", "some", "all")}
    with server() as (database, directory):
        files = raw_files(months, directory)
        for number in range(ROUNDS):
            ways["raw"].append(raw(database, files))
            ways["new"].append(stored(database, months))
            ways["same"].append(stored(database, months, is_empty=False))
            ways["some"].append(
                stored(database, [changed(one, 100) for one in months], is_empty=False)
            )
            print(f"  round {number + 1} of {ROUNDS} done", flush=True)
        ways["all"].append(stored(database, [changed(one, 1) for one in months], is_empty=False))
    rates = {name: ROWS / median(seconds) for name, seconds in ways.items()}
    told = {
        "raw": "raw binary COPY FROM a file, primary key",
        "new": "writer, new candles, ledger included",
        "same": "writer, the same candles again",
        "some": "writer, one in a hundred changed, revisions kept",
        "all": "writer, every one changed, revisions kept (once)",
    }
    show(
        f"writer: {ROWS:,} candles, medians of {ROUNDS}",
        ("", "rows/s", "of raw"),
        [(told[name], rate, rate / rates["raw"]) for name, rate in rates.items()],
    )
    judge_ratio("new candles", rates["new"] / rates["raw"], 0.8)
    judge_ratio("candles that are there", rates["same"] / rates["raw"], 0.5)
    judge_ratio("candles of which some changed", rates["some"] / rates["raw"], 0.5)


def blocks() -> Iterator[CandleBlock]:
    """A random walk of candles with eight decimals, a block a month."""
    random = np.random.default_rng(7)
    for month in months_of(WINDOW):
        count = month.span // MINUTE
        times = microseconds(month.start) + np.arange(count) * 60_000_000
        prices = np.cumsum(random.integers(-900, 900, (count, 4)), axis=0) + 6_500_000
        low, high = prices.min(axis=1), prices.max(axis=1)
        volume = random.integers(10_000, 90_000_000, count)
        values = [prices[:, 0], high, low, prices[:, 3], volume, volume * 647]
        decimals = [2, 2, 2, 2, 5, 5]
        digits = np.stack([grouped(one, of) for one, of in zip(values, decimals, strict=True)])
        scales = np.full((6, count), 8, np.uint8)
        counts = random.integers(1, 9000, count, np.int32)
        yield CandleBlock(times, digits, 4, scales, counts)


def grouped(
    numbers: "np.typing.NDArray[np.int64]", decimals: int
) -> "np.typing.NDArray[np.uint16]":
    """Integers of so many decimals as four groups before the point and two after it."""
    whole, rest = np.divmod(numbers, 10**decimals)
    rest *= 10 ** (8 - decimals)
    groups = [whole // 10**12, whole // 10**8, whole // 10**4, whole, rest // 10**4, rest]
    return (np.stack(groups) % 10_000).astype(np.uint16)


def changed(block: CandleBlock, every: int) -> CandleBlock:
    """The block with another volume in every so many candles."""
    digits = block.digits.copy()
    digits[4, 5, ::every] = (digits[4, 5, ::every] + 1) % 10_000
    return replace(block, digits=digits)


def months_of(window: Window) -> Iterator[Window]:
    """The window cut at the first of each month."""
    start = window.start
    while start < window.end:
        following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield Window(start, min(following, window.end))
        start = following


def raw_files(months: Sequence[CandleBlock], directory: Path) -> list[Path]:
    """The months as binary COPY files that the server can read."""
    files = []
    for number, block in enumerate(months):
        file = directory / f"{number:02}.copy"
        file.write_bytes(b"".join([HEADER, *candle_stream(block, 1, 1), TRAILER]))
        file.chmod(0o644)
        files.append(file)
    return files


def raw(database: Database, files: Sequence[Path], window: Window = WINDOW) -> float:
    """Seconds of the server's own COPY of all files, a transaction each, as the writer commits."""
    empty(database, window)
    with database.connect() as connection:
        began = time.perf_counter()
        for file in files:
            connection.execute(f"copy warehouse.ohlc ({COLUMNS}) from '{file}' (format binary)")
        return time.perf_counter() - began


def stored(database: Database, months: Sequence[CandleBlock], *, is_empty: bool = True) -> float:
    """Seconds of the writer for the same, ledger included."""
    if is_empty:
        empty(database)
    else:
        # What has been there for a while has been vacuumed.
        with database.connect() as connection:
            connection.execute("vacuum warehouse.ohlc")
    writer = Writer(database, register(database, OHLC, [SERIES], START, NOW), None, NOW)
    began = time.perf_counter()
    for block, window in zip(months, months_of(WINDOW), strict=True):
        writer.store_whole([SeriesRows(SERIES, block)], SERIES, Runs((window,)), "binance")
    seconds = time.perf_counter() - began
    writer.close()
    return seconds


def empty(database: Database, window: Window = WINDOW) -> None:
    """As after registering the series: nothing stored, everything missing, all partitions made."""
    with database.connect() as connection:
        connection.execute("truncate warehouse.ohlc, warehouse.ohlc_revisions, warehouse.loads")
        connection.execute("truncate warehouse.coverage")
    register(database, OHLC, [SERIES], START, NOW)
    with database.connect() as connection:
        ensure_month_partitions(connection, {one.start.date() for one in months_of(window)})
        connection.execute("checkpoint")


@contextmanager
def server() -> Iterator[tuple[Database, Path]]:
    """An embedded Postgres with an empty warehouse, and a directory it can read; both gone afterwards."""
    with TemporaryDirectory() as directory:
        place = Path(directory)
        place.chmod(0o755)
        one = EmbeddedServer(place / "server", 0)
        database = Database(one.start())
        try:
            upgrade(database)
            yield database, place
        finally:
            one.stop()


if __name__ == "__main__":
    main()
