"""A year of one series from the archive, beside the database's own COPY of the same rows.

The sandbox serves files from a folder in a process of its own, as a CDN would: it costs little. The
peer is Postgres reading the same rows from files of its own in binary form, into the same table with
its primary key. Ours is everything: listing, downloading, checksums, unzipping, parsing, storing,
the ledger and the checks. Run alone with ``python -m benchmarks.archive_cold_start``.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx

from benchmarks.table import judge, judge_ratio, show
from benchmarks.writer import months_of, raw, raw_files, server
from crypto_pipeline.cli.up import LOOPBACK, free_port, listens
from crypto_pipeline.frames.kline_files import kline_parts
from crypto_pipeline.ingestion import verdicts
from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.settings_sections import ProviderSettings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade

ROUNDS = 5
SYMBOLS = ("BTC", "ETH", "BNB", "SOL", "XRP")
YEARS = 2
YEAR = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
WHOLE = Window(datetime(2024, 1, 1, tzinfo=UTC), YEAR.end)
NOW = datetime(2026, 1, 20, tzinfo=UTC)
MINUTES_A_YEAR = YEAR.span // timedelta(minutes=1)
MOST_MB = 400.0
SERVE = """
import sys
from pathlib import Path
from crypto_pipeline.sandbox.server import serve
from crypto_pipeline.sandbox.settings import SandboxSettings
folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
serve(SandboxSettings(weight_limit=None, archive_directory=folder), port=int(sys.argv[1]))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What one cold start took, and the most memory that its process ever had."""

    rows: int
    seconds: float
    mb: float


def main() -> None:
    """Make the files, measure ours and the peer in turn, show the medians, judge the ratios."""
    with TemporaryDirectory() as folder:
        archive = Path(folder)
        make_files(archive)
        with sandbox(archive) as url, server() as (database, directory):
            blocks = [
                part.block
                for month in months_of(YEAR)
                for part in kline_parts(file_of(archive, "BTC", month), month)
            ]
            files = raw_files(blocks, directory)
            pairs = []
            for number in range(ROUNDS):
                peer = raw(database, files, YEAR)
                pairs.append((peer, cold_start(database, url, 1)))
                print(f"  round {number + 1} of {ROUNDS} done", flush=True)
            short, long = pairs[-1][1], cold_start(database, url, len(SYMBOLS) * YEARS)
    tell(pairs, short, long)


def tell(pairs: Sequence[tuple[float, Run]], short: Run, long: Run) -> None:
    """Print the table and the verdicts."""
    peer, ours = median(one for one, _ in pairs), median(run.seconds for _, run in pairs)
    rate = MINUTES_A_YEAR / peer
    series_years = len(SYMBOLS) * YEARS
    show(
        "archive_cold_start: 1m candles from zipped files, checks included",
        ("", "rows", "s", "rows/s", "of raw"),
        [
            ("raw binary COPY of a series-year", MINUTES_A_YEAR, peer, rate, 1.0),
            ("one series-year", MINUTES_A_YEAR, ours, MINUTES_A_YEAR / ours, peer / ours),
            (
                f"{series_years} series-years",
                long.rows,
                long.seconds,
                long.rows / long.seconds,
                long.rows / long.seconds / rate,
            ),
        ],
    )
    judge_ratio("a series-year", median(one / run.seconds for one, run in pairs), 0.7)
    judge(f"memory with {series_years} series-years", long.mb, MOST_MB, "MB")
    judge("memory beside that of one", long.mb / short.mb, 1.25, "times")


def cold_start(beside: Database, url: str, series_years: int) -> Run:
    """Fill an empty warehouse on the peer's server, in a process of its own: its memory is its own."""
    with empty_database(beside) as database:
        done = subprocess.run(
            (sys.executable, "-m", __spec__.name, url, str(series_years)),
            env={**os.environ, "BENCHMARK_DATABASE": database.url},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    return Run(**json.loads(done.stdout))


@contextmanager
def empty_database(beside: Database) -> Iterator[Database]:
    """A warehouse that knows of nothing, on a server that has written before and is at rest."""
    with beside.connect() as connection:
        connection.execute("create database cold_start")
        one = Database(urlsplit(beside.url)._replace(path="/cold_start").geturl())
        upgrade(one)
        connection.execute("checkpoint")
        try:
            yield one
        finally:
            connection.execute("drop database cold_start with (force)")


def fill(url: str, series_years: int) -> Run:
    """What the process does: ingest and check, timed from the first request to the last verdict."""
    symbols = SYMBOLS[: max(series_years // YEARS, 1)]
    window = YEAR if series_years == 1 else WHOLE
    series = tuple(
        CandleSeries("binance", Instrument(one, "USDT"), Interval.parse("1m")) for one in symbols
    )
    moved = {
        name: ProviderSettings(base_url=f"{url}/{name}").applied(PROVIDERS[name], {})
        for name in ("binance", "binance_vision")
    }
    with TemporaryDirectory() as folder:
        line = Line(
            Database(os.environ["BENCHMARK_DATABASE"]),
            moved,
            series,
            window.start,
            archives={"binance": moved["binance_vision"]},
            archive_directory=Path(folder),
        )
        began = time.perf_counter()
        done = ingest(line, window, now=NOW)
        told = [
            verdicts.complete(line.ledger.summary(OHLC, window, NOW)),
            verdicts.rows_are_valid(line, OHLC, window),
        ]
        seconds = time.perf_counter() - began
    if not all(one.passed for one in told) or done.failures:
        msg = f"the warehouse is not whole: {[one.summary for one in told]}, {done.failures}"
        raise AssertionError(msg)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(done.stored.inserted, seconds, peak)


def make_files(archive: Path) -> None:
    """Have the sandbox make every file once; it would take longer than all that is measured."""
    print("archive_cold_start: making the files ...", flush=True)
    with sandbox() as url, httpx.Client(base_url=url, timeout=60) as http:
        for symbol in SYMBOLS:
            for month in months_of(WHOLE):
                file = file_of(archive, symbol, month)
                file.parent.mkdir(parents=True, exist_ok=True)
                path = f"/binance_vision/{file.relative_to(archive)}"
                file.write_bytes(http.get(path).raise_for_status().content)


def file_of(archive: Path, symbol: str, month: Window) -> Path:
    """Where a month of a symbol lies."""
    pair = f"{symbol}USDT"
    folder = archive / "data" / "spot" / "monthly" / "klines" / pair / "1m"
    return folder / f"{pair}-1m-{month.start:%Y-%m}.zip"


@contextmanager
def sandbox(archive: Path | None = None) -> Iterator[str]:
    """The sandbox as a process, serving files from a folder or making them."""
    port = free_port()
    folder = [str(archive)] if archive else []
    with subprocess.Popen((sys.executable, "-c", SERVE, str(port), *folder)) as process:
        try:
            while not listens(LOOPBACK, port):
                time.sleep(0.1)
            yield f"http://{LOOPBACK}:{port}"
        finally:
            process.terminate()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run = fill(sys.argv[1], int(sys.argv[2]))
        print(json.dumps({"rows": run.rows, "seconds": run.seconds, "mb": run.mb}))
    else:
        main()
