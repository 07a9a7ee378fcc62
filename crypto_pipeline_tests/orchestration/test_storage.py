"""Dagster's storage over a pool: few connections, and none that stays dead or is left behind."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from sqlalchemy import text

from crypto_pipeline.cli.dagster_home import storage_url
from crypto_pipeline.orchestration.storage import KEPT, KEPT_BY_THE_PAGE
from crypto_pipeline.warehouse.database import Database

POOLED = {"module": "crypto_pipeline.orchestration.storage", "class": "PooledPostgresStorage"}


@pytest.fixture
def pooled(database: Database, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance whose storage keeps its connections."""
    config = {"postgres_url": storage_url(database.url)}
    settings = {
        "storage": {"custom": {**POOLED, "config": config}},
        "telemetry": {"enabled": False},
    }
    (tmp_path / "dagster.yaml").write_text(json.dumps(settings), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def _ask(instance: dg.DagsterInstance) -> None:
    """Ask each part of the storage something."""
    instance.get_runs_count()
    instance.get_asset_keys()
    instance.all_instigator_state()


def _backends(database: Database) -> set[int]:
    """The server's processes that serve connections to the database, but for this one's."""
    others = "select pid from pg_stat_activity where datname = current_database()"
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(f"{others} and pid <> pg_backend_pid()".encode())
        return {pid for (pid,) in rows}


def test_every_part_of_the_storage_uses_the_same_few_connections(
    pooled: dg.DagsterInstance, database: Database
) -> None:
    """However often it is asked."""
    _ask(pooled)
    before = _backends(database)
    for _ in range(5):
        _ask(pooled)

    assert 1 <= len(before) <= KEPT
    assert _backends(database) == before


def test_a_connection_that_died_is_replaced(pooled: dg.DagsterInstance, database: Database) -> None:
    """A server that was started again is noticed by nobody."""
    _ask(pooled)
    before = _backends(database)
    with psycopg.connect(database.url) as connection:
        for pid in before:
            connection.execute("select pg_terminate_backend(%s, 5000)", (pid,))

    _ask(pooled)

    assert not before & _backends(database)


def test_nothing_stays_open_after_the_instance(
    pooled: dg.DagsterInstance, database: Database
) -> None:
    """The code server opens an instance for every tick of the sensor."""
    _ask(pooled)

    pooled.dispose()

    _wait_until(lambda: not _backends(database))


def test_page_has_a_pool_of_its_own(pooled: dg.DagsterInstance, database: Database) -> None:
    """One opening of an asset's page asks a dozen things at once; none takes longer than is allowed."""
    pooled.optimize_for_webserver(statement_timeout=4321, pool_recycle=3600, max_overflow=20)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: _ask(pooled), range(24)))
    before = _backends(database)
    _ask(pooled)

    assert 1 <= len(before) <= KEPT_BY_THE_PAGE
    assert _backends(database) == before
    with pooled.event_log_storage.index_connection() as connection:
        assert [("4321ms",)] == connection.execute(text("show statement_timeout")).fetchall()
    pooled.dispose()
    _wait_until(lambda: not _backends(database))


def _wait_until(is_so: Callable[[], bool], seconds: float = 5) -> None:
    """A backend takes a moment to end."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
