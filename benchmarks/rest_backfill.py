"""A year of one 1m series over REST: beside fetching alone, a peer, and the limit's own time.

The sandbox runs in a process of its own. Without latency and limits what is measured is this
package and Postgres; with both, how well the allowance is used. Run alone with
``python -m benchmarks.rest_backfill``, or with the names of parts: ``year``, ``peer``, ``limited``.
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
from typing import Any

from anyio import create_memory_object_stream

from benchmarks.table import judge, judge_ratio, show
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
from crypto_pipeline.providers.binance_usdm import BINANCE_USDM
from crypto_pipeline.providers.candles import candle_endpoint
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.providers.hiding import host_of
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
UNLIMITED = replace(BINANCE, limits=replace(BINANCE.limits, weight_per_minute=100_000_000))
PEER_SHARE = 10
"""The peer reads this part of the year, and its rate is compared."""
TIMES_THE_PEER = 5.0
FUTURES = CandleSeries("binance_usdm", SERIES.instrument, SERIES.interval)
LIMITED = Window(YEAR.start, YEAR.start + timedelta(days=173))
"""Half a minute's allowance of the futures' 2,400 a minute."""
LATENCY_MS = 100
SLACK = 1.1
SERVE = """
import sys
from crypto_pipeline.sandbox.server import serve
from crypto_pipeline.sandbox.settings import SandboxSettings
port, limit, latency = map(int, sys.argv[1:])
serve(SandboxSettings(weight_limit=limit or None, latency_ms=latency), port=port)
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
    """Run each part, or those that are named, and judge it."""
    parts = {"year": year, "peer": peer, "limited": limited}
    for name in sys.argv[1:] or parts:
        parts[name]()


def year() -> None:
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


def peer() -> None:
    """A year of ours against a tenth of it by a loop over ccxt and pandas, from and to the same servers."""
    try:
        from benchmarks.ccxt_loop import rows_a_second  # noqa: PLC0415 - an extra
    except ImportError:
        print("\nrest_backfill: peer not installed: pip install .[bench]")
        return
    part = Window(YEAR.start, YEAR.start + (YEAR.end - YEAR.start) / PEER_SHARE)
    with sandbox() as url, fresh_line(url) as line:
        theirs = rows_a_second(url, line.database.url, "BTC/USDT", part)
        began = time.perf_counter()
        ours = ingest(line, YEAR, now=NOW).stored.inserted / (time.perf_counter() - began)
    rows = [("the ccxt and to_sql loop", theirs), ("whole ingest", ours)]
    show("rest_backfill: beside a peer, rows/s", ("", "rows/s"), rows)
    judge_ratio("times as many rows as the peer", ours / theirs, TIMES_THE_PEER)


def limited() -> None:
    """A run that the venue's limit bounds: how much longer than the limit's own time it takes."""
    allowed = BINANCE_USDM.limits.weight_per_minute
    endpoint = candle_endpoint(BINANCE_USDM, FUTURES)
    weight = endpoint.weight_of(endpoint.page_limit)
    with sandbox(allowed, LATENCY_MS) as url, fresh_line(url, BINANCE_USDM, FUTURES) as line:
        asyncio.run(spend_what_is_saved(line))
        began = time.perf_counter()
        done = ingest(line, LIMITED, now=NOW)
        took = time.perf_counter() - began
        refused = refusals(line)
    ideal = 60 * done.stored.inserted / (allowed / weight * endpoint.page_limit)
    show(
        f"rest_backfill: {done.stored.inserted:,} candles of {FUTURES} at {allowed:,} a minute",
        ("", ""),
        [
            ("the limit's own time, s", ideal),
            ("whole ingest, s", took),
            ("  of it waiting for the limit, s", done.waited_for_limit_s),
            ("refused for asking too fast", refused),
        ],
    )
    judge("as long as the limit's own time", took / ideal, SLACK, "times")
    judge("refused for asking too fast", refused, 1, "requests")


async def spend_what_is_saved(line: Line) -> None:
    """An allowance that was not used gives a start that lasts for seconds: it would flatter us."""
    provider = line.providers[FUTURES.venue]
    allowed = provider.limits.weight_per_minute
    async with SharedLimits(line.database) as limits:
        await limits.reserve(host_of(provider.base_url), allowed // 20, allowed)


def refusals(line: Line) -> int:
    """How often the venue said that it was asked too fast."""
    with line.database.connect() as connection:
        query = "select count(*) from warehouse.fetches where http_status in (418, 429)"
        row = connection.execute(query).fetchone()
    return int(str(row[0])) if row else 0


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

    def timed(self: Writer, *told: Any) -> Stored:
        began = time.perf_counter()
        try:
            return store(self, *told)
        finally:
            spent.append(time.perf_counter() - began)

    Writer.store = timed  # type: ignore[method-assign,assignment]
    try:
        yield spent
    finally:
        Writer.store = store  # type: ignore[method-assign]


@contextmanager
def fresh_line(
    url: str, provider: Provider = UNLIMITED, series: CandleSeries = SERIES
) -> Iterator[Line]:
    """A line over an embedded Postgres that nobody has used, gone afterwards."""
    with TemporaryDirectory() as directory:
        server = EmbeddedServer(Path(directory), 0)
        database = Database(server.start())
        try:
            upgrade(database)
            there = replace(provider, base_url=f"{url}/{provider.name}", mirrors=())
            yield Line(database, {provider.name: there}, (series,), YEAR.start)
        finally:
            server.stop()


@contextmanager
def sandbox(limit: int = 0, latency_ms: int = 0) -> Iterator[str]:
    """The sandbox as a process, so that it shares neither our interpreter nor its lock."""
    port = free_port()
    told = map(str, (port, limit, latency_ms))
    with subprocess.Popen((sys.executable, "-c", SERVE, *told)) as process:
        try:
            while not listens(LOOPBACK, port):
                time.sleep(0.1)
            yield f"http://{LOOPBACK}:{port}"
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
