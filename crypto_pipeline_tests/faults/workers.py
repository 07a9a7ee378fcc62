"""Plays seeds in processes side by side; each has venues and a database of its own."""

import atexit
import faulthandler
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline_tests.faults.matrix import Outcome, play
from crypto_pipeline_tests.faults.world import Venues, venues

HANGS_AFTER = 300
"""Seconds after which a seed that does not end shows where it stands, and ends everything."""


class Worker:
    """What one process plays with."""

    venues: Venues
    database: Database


def played(seeds: Sequence[int], workers: int) -> Iterator[Outcome]:
    """The outcomes as they come, out of a server that is gone afterwards."""
    with TemporaryDirectory(prefix="faults-") as directory:
        server = EmbeddedServer(Path(directory), 0)
        url = server.start()
        try:
            # A pool that gives up when a worker cannot begin, and does not make another.
            with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (url,)) as pool:
                try:
                    for done in as_completed([pool.submit(_play, seed) for seed in seeds]):
                        yield done.result()
                finally:
                    pool.shutdown(cancel_futures=True)
        finally:
            server.stop()


def _begin(url: str) -> None:
    """Make what this process plays with; it lasts as long as the process."""
    stack = ExitStack()
    atexit.register(stack.close)
    Worker.venues = stack.enter_context(venues())
    name = f"faults_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    Worker.database = Database(f"{url.rpartition('/')[0]}/{name}")
    upgrade(Worker.database)


def _play(seed: int) -> Outcome:
    faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
    try:
        return play(seed, Worker.venues, Worker.database)
    finally:
        faulthandler.cancel_dump_traceback_later()
