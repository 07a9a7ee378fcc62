"""Real processes, really ended: a run killed at any point, Postgres killed while rows are stored, a full disk.

That everything killed at once starts again is proven in ``cli/test_up.py``.
"""

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg
import pytest

from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.audit import EVERYTHING, audit
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline_tests.conftest import REPOSITORY

SINCE = datetime(2024, 2, 26, tzinfo=UTC)
NOW = datetime(2024, 3, 2, 0, 0, 30, tzinfo=UTC)
DAYS = Window(SINCE, NOW)
SLOTS = (NOW - SINCE) // timedelta(minutes=1)
NAMES = ("BTC-USDT", "ETH-USDT")
KILLS = 24
CRASHES = 4
RUN = """
import sys
from crypto_pipeline_tests.faults.test_processes import DAYS, NOW, line_at
from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.warehouse.database import Database
ingest(line_at(Database(sys.argv[1]), sys.argv[2]), DAYS, now=NOW, asking=sys.argv[3])
"""


def line_at(database: Database, url: str) -> Line:
    """Two series of minutes; small pages, so that there is much to interrupt."""
    assert BINANCE.candles is not None
    provider = replace(
        BINANCE,
        base_url=url,
        mirrors=(),
        limits=replace(BINANCE.limits, weight_per_minute=10_000_000, concurrency=2),
        candles=replace(BINANCE.candles, page_limit=120),
    )
    series = tuple(
        CandleSeries("binance", Instrument.parse(name), Interval.parse("1m")) for name in NAMES
    )
    return Line(database, {"binance": provider}, series, SINCE)


@dataclass(frozen=True)
class Runs:
    """Starts runs of the line as processes of their own."""

    line: Line
    url: str

    def start(self, asking: str = "missing") -> "subprocess.Popen[str]":
        """A run over all days."""
        return subprocess.Popen(
            [sys.executable, "-c", RUN, self.line.database.url, self.url, asking],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def count(self) -> int:
        """Rows that are stored."""
        with psycopg.connect(self.line.database.url) as connection:
            row = connection.execute("select count(*) from warehouse.ohlc").fetchone()
        return int(row[0]) if row else 0

    def wait_for_rows(self, run: "subprocess.Popen[str]", before: int) -> None:
        """Wait until a run has stored something, or has ended."""
        while run.poll() is None and self.count() <= before:
            time.sleep(0.01)

    def forget(self) -> None:
        """Take everything out again, rows and ledger alike."""
        with psycopg.connect(self.line.database.url) as connection:
            connection.execute("delete from warehouse.ohlc")
            connection.execute("update warehouse.coverage set present = '{}'")

    def require_sound(self) -> None:
        """The ledger equals the rows, and no slot has two of them."""
        twice = "select from warehouse.ohlc group by series_id, open_time having count(*) > 1"
        with psycopg.connect(self.line.database.url) as connection:
            assert [] == connection.execute(twice).fetchall()
        assert [] == audit(self.line.database, OHLC, EVERYTHING, repair=False).differences

    def require_healed(self) -> None:
        """One more run fills what is left: every row of the venue, once, and nothing else."""
        ingest(self.line, DAYS, now=NOW)
        self.require_sound()
        assert SLOTS * len(NAMES) == self.count()
        assert {} == self.line.ledger.missing(OHLC, DAYS, NOW)


def end(run: "subprocess.Popen[str]") -> str:
    """Wait for a run to end; what it said."""
    _, said = run.communicate(timeout=60)
    return said


@pytest.fixture
def runs(database: Database, sandbox: Sandbox) -> Runs:
    """Runs into the test's own database."""
    upgrade(database)
    line = line_at(database, sandbox.base_url())
    line.register(NOW)
    return Runs(line, sandbox.base_url())


@contextmanager
def server_in(directory: Path) -> Iterator[tuple[EmbeddedServer, Database]]:
    """A migrated server of the test's own."""
    server = EmbeddedServer(directory, 0)
    database = Database(server.start())
    try:
        upgrade(database)
        yield server, database
    finally:
        server.stop()


def test_a_run_killed_anywhere_loses_nothing_that_was_stored(runs: Runs) -> None:
    """Killed again and again at any point, it goes on where it was; two at once do not disturb each other."""
    rng = random.Random(20)
    killed_at_work = 0
    for turn in range(KILLS):
        before = runs.count()
        both = [runs.start() for _ in range(1 + turn % 2)]
        runs.wait_for_rows(both[0], before)
        time.sleep(rng.uniform(0, 0.15))
        for one in both:
            killed_at_work += one.poll() is None
            one.kill()
            end(one)
        runs.require_sound()
        assert before <= runs.count()
        if runs.count() == SLOTS * len(NAMES):
            runs.forget()

    assert killed_at_work >= KILLS / 2
    runs.require_healed()


def test_postgres_killed_while_rows_are_stored_loses_no_committed_row(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The server dies with all its processes in mid-transaction; it recovers, and the next run goes on."""
    rng = random.Random(4)
    failed = 0
    with server_in(tmp_path) as (server, database):
        runs = Runs(line_at(database, sandbox.base_url()), sandbox.base_url())
        runs.line.register(NOW)
        for _ in range(CRASHES):
            before = runs.count()
            run = runs.start()
            runs.wait_for_rows(run, before)
            time.sleep(rng.uniform(0, 0.1))
            kill_postgres(tmp_path)
            end(run)
            failed += run.returncode != 0
            server.start()
            runs.require_sound()
            assert before <= runs.count()
            if runs.count() == SLOTS * len(NAMES):
                runs.forget()
        runs.require_healed()

    assert failed >= CRASHES / 2


def kill_postgres(data_dir: Path) -> None:
    """What a power cut does to a server: every process of it ends at once."""
    pid = int((data_dir / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    postmaster = psutil.Process(pid)
    for process in (postmaster, *postmaster.children()):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    postmaster.wait(10)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own for a data directory, large enough for a server and little more."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    options = ("-t", "tmpfs", "-o", "size=160m,mode=0755", "tmpfs", str(place))
    if (
        mount is None
        or subprocess.run((mount, *options), capture_output=True, check=False).returncode
    ):
        pytest.skip("a file system cannot be mounted here: that takes root")
    yield place
    subprocess.run((str(shutil.which("umount")), str(place)), check=True)


def test_a_full_disk_fails_the_run_in_a_sentence_and_heals_when_there_is_room(
    small_disk: Path, sandbox: Sandbox
) -> None:
    """What was stored stays, rows and ledger agree, and with room again the next run fills the rest."""
    with server_in(small_disk) as (server, database):
        runs = Runs(line_at(database, sandbox.base_url()), sandbox.base_url())
        runs.line.register(NOW)
        ballast = small_disk / "ballast"
        free = shutil.disk_usage(small_disk).free
        ballast.write_bytes(b"\0" * (free - 300_000))

        run = runs.start()
        said = end(run)
        ballast.unlink()
        server.start()

        assert 0 != run.returncode
        assert "No space left on device" in said or "terminat" in said or "no database" in said
        runs.require_sound()
        runs.require_healed()
