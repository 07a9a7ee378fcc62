"""How long a scheduled tick takes when there is little to fetch, and what the house costs at rest.

Starts ``crypto-pipeline up --sandbox`` in a directory of its own, with a tick every minute, and
stops it again; under seven minutes in all. The last ticks come while readers ask heavy questions,
which must not delay them. Run alone with ``python -m benchmarks.tick``.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event

import dagster as dg
import psycopg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from benchmarks.footprint import Footprint, footprint
from benchmarks.table import judge, show
from crypto_pipeline.cli.dagster_home import dagster_environment
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.reader import Reader
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline_tests.cli.running import House, wait_for

TICKS = 2
READERS = 8
SLOWER = 1.5
"""Times as long as without readers that a tick may take: they run last, but the caches are shared."""
HEAVY = """
    select sum(ohlc.close * number), max(ohlc.volume)
    from market.ohlc_between(now() - interval '2 days', now()) as ohlc
    cross join generate_series(1, 1000) as number
"""
TICK_LIMIT = 5.0
CPU_LIMIT = 5.0
MEMORY_LIMIT = 700.0
REST_SECONDS = 30.0
PATIENCE = 240.0
SCHEDULE = "every_5_minutes"
PHASES = {
    dg.DagsterEventType.RUN_ENQUEUED: "made",
    dg.DagsterEventType.RUN_DEQUEUED: "in the queue",
    dg.DagsterEventType.RUN_STARTING: "given to the launcher",
    dg.DagsterEventType.RUN_START: "process start",
    dg.DagsterEventType.STEP_START: "between steps",
    dg.DagsterEventType.STEP_SUCCESS: "step",
    dg.DagsterEventType.RUN_SUCCESS: "closing",
}


@dataclass(frozen=True, slots=True)
class Tick:
    """A scheduled run's three instants, and the seconds that went into each phase of it."""

    created: float
    started: float
    ended: float
    phases: dict[str, float]


def main() -> None:
    """Start the house, watch it, stop it, and show what was seen."""
    with TemporaryDirectory() as directory, house(Path(directory)) as (one, until_page):
        with instance(one) as storage:
            settled = wait_for(lambda: settled_in(storage), PATIENCE, "the repair of yesterday")
            ticks = coming(storage)
            with readers(one) as asked:
                beside = coming(storage)
        time.sleep(3)
        at_rest = footprint(one, REST_SECONDS)
    show_start(until_page, settled)
    show_ticks(ticks)
    show_beside(ticks, beside, asked)
    show_rest(at_rest)


def coming(storage: dg.DagsterInstance) -> list[Tick]:
    """The next ticks."""
    began = datetime.now(UTC)
    wait_for(lambda: len(scheduled(storage, began)) >= TICKS, PATIENCE, f"{TICKS} ticks")
    return [tick(storage, record) for record in scheduled(storage, began)[:TICKS]]


@contextmanager
def readers(one: House) -> Iterator[list[float]]:
    """So many at once, each asking again and again as a reader; the seconds of every answer."""
    database = Database(EmbeddedServer(one.data_dir).url())
    reader = Reader(database)
    reader.grant("60s", "read")
    over, asked = Event(), list[float]()

    def ask() -> None:
        with psycopg.connect(reader.address("read"), autocommit=True) as connection:
            while not over.is_set():
                began = time.perf_counter()
                connection.execute(HEAVY)
                asked.append(time.perf_counter() - began)

    with ThreadPoolExecutor(READERS) as threads:
        done = [threads.submit(ask) for _ in range(READERS)]
        try:
            yield asked
        finally:
            over.set()
    for one_done in done:
        one_done.result()


def show_beside(alone: list[Tick], beside: list[Tick], asked: list[float]) -> None:
    """What readers cost a tick, and a tick the readers."""
    slowest = [max(one.ended - one.created for one in ticks) for ticks in (alone, beside)]
    show(
        f"tick: beside {READERS} readers",
        ("", ""),
        [
            ("slowest tick alone, s", slowest[0]),
            ("slowest tick beside readers, s", slowest[1]),
            ("questions answered meanwhile", len(asked)),
            ("median seconds of an answer", median(asked)),
        ],
    )
    judge("a tick beside readers, times as long", slowest[1] / slowest[0], SLOWER, "times")


def show_start(until_page: float, settled: float) -> None:
    """How long the start took."""
    rows = [("page named", until_page), ("two days complete", until_page + settled)]
    show("tick: first start of an installed house, seconds", ("", "s"), rows)


def show_ticks(ticks: list[Tick]) -> None:
    """The instants of each tick, and where its time went."""
    header = ("", *(f"tick {number}" for number in range(1, len(ticks) + 1)))
    names = list(dict.fromkeys(name for one in ticks for name in one.phases))
    show(
        "tick: seconds from the run's creation, and where they went",
        header,
        [
            ("created to started", *(one.started - one.created for one in ticks)),
            ("started to ended", *(one.ended - one.started for one in ticks)),
            *((f"  {name}", *(one.phases.get(name, 0.0) for one in ticks)) for name in names),
        ],
    )
    slowest = max(one.ended - one.created for one in ticks)
    judge("created to success, slowest", slowest, TICK_LIMIT, "s")


def show_rest(at_rest: Footprint) -> None:
    """What the processes cost while no run is on, the sensor's looks included."""
    rows = [*at_rest.processes, ("all", at_rest.cpu, at_rest.pss, at_rest.uss)]
    header = ("process", "CPU %", "PSS MB", "USS MB")
    show(f"tick: at rest for {REST_SECONDS:.0f} s", header, rows)
    judge("CPU of one core", at_rest.cpu, CPU_LIMIT, "%")
    judge("memory (PSS)", at_rest.pss, MEMORY_LIMIT, "MB")


@contextmanager
def house(directory: Path) -> Iterator[tuple[House, float]]:
    """A running house as a person has it, but for the cadence, and how long its page took."""
    one = House(directory)
    for name in ("REPAIR__EVERY_SECONDS", "REPAIR__LATE_AFTER_SECONDS", "OHLC__INSTRUMENTS"):
        one.environment.pop(f"CRYPTO_PIPELINE_{name}")
    one.environment["CRYPTO_PIPELINE_SCHEDULES__FULL"] = "0 0 1 1 *"
    try:
        yield one, one.start()
    finally:
        one.stop()


@contextmanager
def instance(one: House) -> Iterator[dg.DagsterInstance]:
    """The house's own Dagster instance."""
    directory = {"CRYPTO_PIPELINE_DATA_DIR": str(one.data_dir)}
    os.environ.update(dagster_environment(load_settings(one.environment | directory)))
    with dg.DagsterInstance.get() as storage:
        yield storage


def settled_in(storage: dg.DagsterInstance) -> bool:
    """Whether the first days have been repaired and nothing is under way."""
    filled = storage.get_materialized_partitions(dg.AssetKey("ohlc"))
    at_work = storage.get_runs(filters=dg.RunsFilter(statuses=NOT_FINISHED_STATUSES))
    return len(filled) >= 2 and not at_work


def scheduled(storage: dg.DagsterInstance, since: datetime) -> list[dg.RunRecord]:
    """The successful runs of the schedule, oldest first."""
    wanted = dg.RunsFilter(
        tags={"dagster/schedule_name": SCHEDULE},
        statuses=[dg.DagsterRunStatus.SUCCESS],
        created_after=since,
    )
    return list(storage.get_run_records(wanted, ascending=True))


def tick(storage: dg.DagsterInstance, record: dg.RunRecord) -> Tick:
    """One run's times from its record, and the phases from its events."""
    marks = [(record.create_timestamp.timestamp(), "")]
    for entry in storage.all_logs(record.dagster_run.run_id):
        if entry.dagster_event_type in PHASES:
            name = PHASES[entry.dagster_event_type]
            marks.append((entry.timestamp, f"{name} {entry.step_key}" if name == "step" else name))
    phases: dict[str, float] = {}
    for (before, _), (after, name) in pairwise(marks):
        phases[name] = phases.get(name, 0.0) + after - before
    return Tick(marks[0][0], record.start_time or 0.0, record.end_time or 0.0, phases)


if __name__ == "__main__":
    main()
