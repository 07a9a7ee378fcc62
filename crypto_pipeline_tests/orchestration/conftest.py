"""A real Dagster instance whose storage lies beside the test's warehouse, and the scene over both."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from psycopg import sql

from crypto_pipeline.cli.dagster_home import EVENTS_AT_ONCE, storage_url
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.windows import midnight
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.conftest import REPOSITORY
from crypto_pipeline_tests.orchestration.scene import SINCE, Scene

TEMPLATE = "template_orchestration"

MakeScene = Callable[..., Scene]


@contextmanager
def opened(url: str, home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance that the repository's dagster.yaml describes, over one database."""
    shutil.copy(REPOSITORY / "dagster.yaml", home)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", str(home))
        environment.setenv("DAGSTER_ARTIFACTS_DIR", str(home / "artifacts"))
        environment.setenv("DAGSTER_POSTGRES_URL", storage_url(url))
        environment.setenv("DAGSTER_EVENT_BATCH_SIZE", EVENTS_AT_ONCE)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance


@pytest.fixture(scope="session")
def template(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The migrated warehouse with Dagster's tables beside it, made once and cloned for each test."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        statement = sql.SQL("create database {} template {}")
        admin.execute(statement.format(sql.Identifier(TEMPLATE), sql.Identifier(template)))
    url = server_url.rpartition("/")[0] + f"/{TEMPLATE}"
    with opened(url, tmp_path_factory.mktemp("template")) as instance:
        instance.get_runs(limit=1)
    return TEMPLATE


@pytest.fixture
def instance(database: Database, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance in the test's own database."""
    with opened(database.url, tmp_path) as one:
        yield one


@pytest.fixture
def make_scene(make_line: Callable[..., Line], instance: dg.DagsterInstance) -> MakeScene:
    """Makes a scene of hourly candles: ``make_scene("BTC-USDT", now=…)``."""

    def make(*instruments: str, since: date = SINCE, interval: str = "1h", **more: Any) -> Scene:
        return Scene(make_line(midnight(since), *instruments, interval=interval), instance, **more)

    return make


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """One hourly series since the first of March, on the fifth at seven past noon."""
    return make_scene()
