"""What tests share: a real Postgres server, a fresh database each, the sandbox, the recorded replies."""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import midnight
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer

REPOSITORY = Path(__file__).parents[1]
CORPUS = REPOSITORY.parent / "shared" / "corpus"
TEMPLATE = "template_warehouse"

SLOWEST = ("faults/test_matrix", "faults/test_processes", "cli/test_up", "cli/test_page")
"""Files that are begun first, so that no worker is left alone with one of them at the end."""

# A loaded machine is slow, and slowness is no falsification.
hypothesis.settings.register_profile("suite", deadline=None, print_blob=True)
hypothesis.settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files first; each worker takes the next file when it is done with one."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in SLOWEST))


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server for the session of one test worker, on any free port."""
    server = EmbeddedServer(tmp_path_factory.mktemp("server"), 0)
    yield server.start()
    server.stop()


def _admin(server_url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server_url, autocommit=True)


def _named(server_url: str, name: str) -> Database:
    return Database(server_url.rpartition("/")[0] + f"/{name}")


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """A migrated database, made once and cloned for each test."""
    with _admin(server_url) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    upgrade(_named(server_url, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def empty_database(server_url: str) -> Iterator[Database]:
    """A database with nothing in it, gone after the test."""
    yield from _database(server_url, "template1")


@pytest.fixture
def database(server_url: str, template: str) -> Iterator[Database]:
    """A migrated, empty warehouse of the test's own, gone after it."""
    yield from _database(server_url, template)


def _database(server_url: str, template: str) -> Iterator[Database]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with _admin(server_url) as admin:
        admin.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        yield _named(server_url, name)
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The providers' protocols on loopback, without a weight limit."""
    with running(SandboxSettings(weight_limit=None)) as one:
        yield one


@pytest.fixture
def settings_environment(database: Database, sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The environment of a process that is to use the test's database and sandbox."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **inherited,
        "PYTHONPATH": str(REPOSITORY),
        "CRYPTO_PIPELINE_DATABASE_URL": database.url,
        "CRYPTO_PIPELINE_DATA_DIR": str(tmp_path / "data"),
        "CRYPTO_PIPELINE_SINCE": str((datetime.now(UTC) - timedelta(days=3)).date()),
        "CRYPTO_PIPELINE_OHLC__INSTRUMENTS": "BTC-USDT,ETH-USDT",
        **{
            f"CRYPTO_PIPELINE_PROVIDERS__{name.upper()}__{key}": value
            for name in PROVIDERS
            for key, value in (
                ("BASE_URL", sandbox.base_url(name)),
                ("LIMITS__WEIGHT_PER_MINUTE", "1000000"),
            )
        },
    }


@pytest.fixture
def make_line(database: Database, sandbox: Sandbox) -> Callable[..., Line]:
    """Makes a line over the test's database and sandbox: ``make_line(since, "BTC-USDT", interval="1h")``."""

    def make(since: datetime, *instruments: str, interval: str = "1m") -> Line:
        limits = replace(BINANCE.limits, weight_per_minute=10_000_000)
        provider = replace(BINANCE, base_url=sandbox.base_url(), mirrors=(), limits=limits)
        series = tuple(
            CandleSeries("binance", Instrument.parse(name), Interval.parse(interval))
            for name in instruments or ("BTC-USDT",)
        )
        return Line(database, {"binance": provider}, series, midnight(since.date()))

    return make


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of recorded replies; tests that need it are skipped in a clone without it."""
    if not CORPUS.is_dir():
        pytest.skip(f"no recorded replies beside the repository ({CORPUS.name})")
    return CORPUS
