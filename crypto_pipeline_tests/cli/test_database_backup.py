"""``database backup`` and ``restore``: one command each, also while the database is stopped."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_pipeline.cli.supervisor import only_one
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline_tests.cli.commands import run
from crypto_pipeline_tests.conftest import REPOSITORY
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import SINCE, hourly


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server below a directory with a space in its name, not started yet."""
    server = EmbeddedServer(tmp_path / "the data", 0)
    yield server
    server.stop()


def test_backup_and_restore_from_first_to_last(server: EmbeddedServer) -> None:
    """Backed up while stopped, refused while 'up' runs and without a yes, and restored as it was."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "CRYPTO_PIPELINE_DATA_DIR": str(server.data_dir),
    }
    nothing = run(environment, "database", "backup")
    warehouse = hourly(_started(server))
    warehouse.store(candle(SINCE))
    server.stop()
    backed_up = run(environment, "database", "backup")
    (file,) = (server.data_dir / "backups").iterdir()
    warehouse = hourly(_started(server))
    warehouse.execute("delete from warehouse.ohlc")
    refused = run(environment, "database", "restore", str(file))
    with only_one(server.data_dir / "up.lock"):
        in_use = run(environment, "database", "restore", str(file), "--yes")
    between = warehouse.rows()
    restored = run(environment, "database", "restore", str(file), "--yes")

    assert (3, 0) == (nothing.code, backed_up.code)
    assert backed_up.out.startswith(f"{file}: ")
    assert (2, True) == (refused.code, "add --yes to do so" in refused.err)
    assert (3, True) == (in_use.code, "stop that one first" in in_use.err)
    assert ([], 0, 1) == (between, restored.code, len(warehouse.rows()))
    assert f"{file} is restored, schema revision" in restored.out
    assert server.is_running()
    assert f"{SINCE.date()}\n" == (server.data_dir / "since").read_text()


def test_server_of_the_users_own_is_backed_up_and_not_replaced(
    settings_environment: dict[str, str], tmp_path: Path
) -> None:
    """Dumping changes nothing, so any server will do; what to restore it with is said."""
    file = tmp_path / "mine.dump"
    done = run(settings_environment, "database", "backup", str(file))
    refused = run(settings_environment, "database", "restore", str(file), "--yes")

    assert (0, True) == (done.code, file.stat().st_size > 0)
    assert (2, True) == (refused.code, "pg_restore --no-owner" in refused.err)


def _started(server: EmbeddedServer) -> Database:
    database = Database(server.start())
    upgrade(database)
    return database
