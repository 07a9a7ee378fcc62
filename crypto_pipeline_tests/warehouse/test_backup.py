"""Backup and restore: everything comes back, and until it has, everything is as it was."""

from datetime import date
from pathlib import Path

import psycopg
import pytest

from crypto_pipeline.errors import PipelineError, UnreachableError, UsageError
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.warehouse.audit import EVERYTHING, audit
from crypto_pipeline.warehouse.backup import backup, is_empty, restore
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import downgrade, upgrade
from crypto_pipeline.warehouse.packing import pack
from crypto_pipeline.warehouse.reader import Reader
from crypto_pipeline.warehouse.revisions import known_revisions
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import HOUR, NOW, SINCE, Row, Warehouse, hourly

NEWEST = known_revisions()[-1]


@pytest.fixture
def warehouse(database: Database) -> Warehouse:
    """Two days and a half of hours over two months, the first month packed, one hour proven absent."""
    warehouse = hourly(database)
    warehouse.store(*(candle(SINCE + number * HOUR) for number in range(60) if number != 7))
    pack(database, date(2024, 3, 1))
    return warehouse


def held(warehouse: Warehouse) -> list[list[Row]]:
    """What people see of it."""
    views = ("ohlc order by open_time", "coverage order by day", "gaps order by gap_start")
    return [warehouse.select(f"select * from market.{one}") for one in views]  # noqa: S608


def databases(warehouse: Warehouse) -> list[Row]:
    """The test's databases on the server."""
    name = warehouse.database.url.rpartition("/")[2]
    return warehouse.select("select datname from pg_database where starts_with(datname, %s)", name)


def test_everything_comes_back(warehouse: Warehouse, tmp_path: Path) -> None:
    """Rows, packed ones and the ledger are as they were, and whoever read before reads again."""
    reader, file, told = Reader(warehouse.database, "reader_of_backup"), tmp_path / "it.dump", []
    reader.grant("30s", "secret")
    before = held(warehouse)
    size = backup(warehouse.database, file, told.append)
    warehouse.execute("drop schema marts cascade; delete from warehouse.ohlc")
    revision = restore(warehouse.database, file, told.append)
    with psycopg.connect(reader.address("secret")) as connection:
        count = connection.execute("select count(*) from market.ohlc").fetchone()
    found = audit(warehouse.database, OHLC, EVERYTHING, repair=False, now=NOW)
    reader.revoke()

    assert (before, NEWEST, (59,), []) == (held(warehouse), revision, count, found.differences)
    assert [file] == list(tmp_path.iterdir())
    assert 0 < size <= max(told)
    assert 1 == len(databases(warehouse))


@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_broken_file_changes_nothing(warehouse: Warehouse, tmp_path: Path, kept: float) -> None:
    """A file that was cut is refused in one sentence, and what is there stays."""
    file, before = tmp_path / "it.dump", held(warehouse)
    size = backup(warehouse.database, file)
    with file.open("r+b") as opened:
        opened.truncate(int(size * kept))

    with pytest.raises(PipelineError, match=r"^\S+it\.dump.*\S$"):
        restore(warehouse.database, file)
    assert before == held(warehouse)
    assert 1 == len(databases(warehouse))


def test_backup_of_a_newer_release_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    """A revision that this release does not know is not touched."""
    file = tmp_path / "it.dump"
    warehouse.execute("update warehouse.alembic_version set version_num = '9999'")
    backup(warehouse.database, file)
    warehouse.execute("update warehouse.alembic_version set version_num = %s", NEWEST)

    with pytest.raises(UsageError, match=r"revision 9999.* upgrade crypto-pipeline"):
        restore(warehouse.database, file)


def test_backup_of_an_older_release_is_taken_along(warehouse: Warehouse, tmp_path: Path) -> None:
    """It is brought to this release's schema, rows and all."""
    file, before = tmp_path / "it.dump", warehouse.rows()
    downgrade(warehouse.database, known_revisions()[-2])
    backup(warehouse.database, file)
    upgrade(warehouse.database)

    assert NEWEST == restore(warehouse.database, file)
    assert before == warehouse.rows()


def test_what_is_no_backup_is_refused(database: Database, tmp_path: Path) -> None:
    """A file that is not there, one of somebody else's, and a new one that is there already."""
    file = tmp_path / "it.dump"
    with pytest.raises(UsageError, match="there is no file"):
        restore(database, file)
    file.write_text("hello")
    with pytest.raises(UsageError, match="is no backup of a warehouse"):
        restore(database, file)
    with pytest.raises(UsageError, match="is there already: name another file"):
        backup(database, file)
    assert is_empty(database)


def test_full_disk_is_told_and_leaves_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    """One sentence, and no half a file under any name."""
    (tmp_path / "it.dump.part").symlink_to("/dev/full")

    with pytest.raises(UnreachableError, match="the disk is full, and nothing was changed"):
        backup(warehouse.database, tmp_path / "it.dump")
    assert [] == list(tmp_path.iterdir())
