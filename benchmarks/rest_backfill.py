"""A year of one 1m series over REST: what storing costs beside fetching.

The sandbox runs in a process of its own, without latency and without limits, so what is measured
is this package and Postgres. Run alone with ``python -m benchmarks.rest_backfill``.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import create_memory_object_stream

from benchmarks.table import judge, show
from crypto_pipeline.cli.up import LOOPBACK, free_port, listens
from crypto_pipeline.ingestion.fetching import Fetching, Page
from crypto_pipeline.ingestion.ingest import PAGES_AHEAD, ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.plan import Request, plan
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.ledger import Wanted
from crypto_pipeline.warehouse.limits import SharedLimits
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline.warehouse.writer import SeriesRows, Stored, Writer

ROUNDS = 2
PART = 132
"""Requests whose rows are held in memory at a time."""
PAGES_A_BATCH = 20
"""As many as an ingest puts into one transaction."""
SERIES = CandleSeries("binance", Instrument.parse("BTC-USDT"), Interval.parse("1m"))
YEAR = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
NOW = YEAR.end + timedelta(hours=1)
UNLIMITED = 100_000_000
SERVE = """
import sys
from crypto_pipeline.sandbox.server import serve
from crypto_pipeline.sandbox.settings import SandboxSettings
serve(SandboxSettings(weight_limit=None), port=int(sys.argv[1]))
"""


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of one round: the two halves one after the other, and the whole with both at once."""

    rows: int
    fetching: float
    storing: float
    whole: float
    inside_store: float


def main() -> None:
    """Measure each round anew, show all, and judge the best."""
    with sandbox() as url:
        rounds = [measured(url) for _ in range(ROUNDS)]
    show(
        f"rest_backfill: {rounds[0].rows:,} candles of {SERIES}, {len(requests())} pages",
        ("", *(f"round {number}" for number in range(1, ROUNDS + 1))),
        [
            ("fetch and parse alone, rows/s", *(one.rows / one.fetching for one in rounds)),
            ("store alone, rows/s", *(one.rows / one.storing for one in rounds)),
            ("whole ingest, rows/s", *(one.rows / one.whole for one in rounds)),
            ("whole to fetch alone, times as long", *(one.whole / one.fetching for one in rounds)),
            ("fetch and parse alone, s", *(one.fetching for one in rounds)),
            ("store alone, s", *(one.storing for one in rounds)),
            ("whole ingest, s", *(one.whole for one in rounds)),
            ("  of it inside Writer.store, s", *(one.inside_store for one in rounds)),
        ],
    )
    best = min(rounds, key=lambda one: one.storing / one.fetching)
    judge("storing must cost less than fetching", best.storing, best.fetching, "s")


def measured(url: str) -> Round:
    """One round, each way into a fresh database."""
    with fresh_line(url) as line:
        rows, fetching, storing = apart(line)
    with fresh_line(url) as line, timed_store() as spent:
        began = time.perf_counter()
        done = ingest(line, YEAR, now=NOW)
        whole = time.perf_counter() - began
    if done.stored.inserted != rows:
        msg = f"{rows} candles were fetched and {done.stored.inserted} stored"
        raise AssertionError(msg)
    return Round(rows, fetching, storing, whole, sum(spent))


def apart(line: Line) -> tuple[int, float, float]:
    """Fetch a part of the year, then store it, and so on: rows, and seconds of either half."""
    writer = Writer(line.database, line.register(NOW), None)
    count, fetching, storing = 0, 0.0, 0.0
    asked = requests()
    for first in range(0, len(asked), PART):
        began = time.perf_counter()
        pages = asyncio.run(fetched(line, asked[first : first + PART]))
        fetching += time.perf_counter() - began
        began = time.perf_counter()
        for page in range(0, len(pages), PAGES_A_BATCH):
            count += writer.store(pages[page : page + PAGES_A_BATCH], SERIES.venue).inserted
        storing += time.perf_counter() - began
    writer.close()
    return count, fetching, storing


async def fetched(line: Line, asked: Sequence[Request]) -> list[SeriesRows]:
    """The pages, fetched and parsed exactly as an ingest does."""
    send, receive = create_memory_object_stream[Page](max_buffer_size=PAGES_AHEAD)
    fetching = Fetching(line, asked)
    async with SharedLimits(line.database) as limits, asyncio.TaskGroup() as tasks:
        tasks.create_task(fetching.run(limits, NOW, send))
        async with receive:
            return [rows async for _, rows in receive]


def requests() -> list[Request]:
    """The pages of the year."""
    endpoint = BINANCE.candles
    assert endpoint is not None
    missing = Runs.of([YEAR])
    return plan({SERIES: Wanted(missing, absent=missing)}, {SERIES.venue: endpoint})


@contextmanager
def timed_store() -> Iterator[list[float]]:
    """Note the seconds of every call of Writer.store."""
    spent: list[float] = []
    store = Writer.store

    def timed(self: Writer, batch: list[SeriesRows], source: str) -> Stored:
        began = time.perf_counter()
        try:
            return store(self, batch, source)
        finally:
            spent.append(time.perf_counter() - began)

    Writer.store = timed  # type: ignore[method-assign,assignment]
    try:
        yield spent
    finally:
        Writer.store = store  # type: ignore[method-assign]


@contextmanager
def fresh_line(url: str) -> Iterator[Line]:
    """A line over an embedded Postgres that nobody has used, gone afterwards."""
    with TemporaryDirectory() as directory:
        server = EmbeddedServer(Path(directory), 0)
        database = Database(server.start())
        try:
            upgrade(database)
            limits = replace(BINANCE.limits, weight_per_minute=UNLIMITED)
            provider = replace(BINANCE, base_url=f"{url}/binance", mirrors=(), limits=limits)
            yield Line(database, {provider.name: provider}, (SERIES,), YEAR.start)
        finally:
            server.stop()


@contextmanager
def sandbox() -> Iterator[str]:
    """The sandbox as a process, so that it shares neither our interpreter nor its lock."""
    port = free_port()
    with subprocess.Popen((sys.executable, "-c", SERVE, str(port))) as process:
        try:
            while not listens(LOOPBACK, port):
                time.sleep(0.1)
            yield f"http://{LOOPBACK}:{port}"
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
