"""The notes of bulk files: what was read in which issue, and what could not be."""

from dataclasses import replace
from datetime import datetime

import pytest

from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.archive_files import (
    FileIssue,
    IssueKey,
    ReadFile,
    failed_since,
    note_failed,
    note_read,
    read_files,
)
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.warehouse.storing import BTC, ETH, NOW, SINCE, Warehouse

FILE = FileIssue(
    BTC.name, "binance_vision", "/a.zip", "one", Window(SINCE, SINCE + DAY), SINCE + DAY, 1234
)
KEY = IssueKey(BTC.name, "/a.zip", "one")


@pytest.fixture
def warehouse(database: Database) -> Warehouse:
    """A warehouse with two series."""
    found = Warehouse(database, [BTC, ETH])
    found.register()
    return found


def read(warehouse: Warehouse, issue: FileIssue = FILE, now: datetime = NOW) -> None:
    """Have a file be read."""
    with warehouse.database.connect() as connection:
        note_read(connection, OHLC, issue, "f" * 64, 1440, now)


def fail(warehouse: Warehouse, issue: FileIssue = FILE, now: datetime = NOW) -> None:
    """Have a file fail."""
    note_failed(warehouse.database, OHLC, issue, "no sound zip", now)


def test_file_that_was_read_is_shown_with_all_that_is_known_of_it(warehouse: Warehouse) -> None:
    """Where it lies, what it is of, which issue, its checksum, its rows."""
    read(warehouse)

    assert [
        (
            *("binance_vision", BTC.name, "/a.zip", SINCE, SINCE + DAY, "one", SINCE + DAY),
            *(1234, "f" * 64, 1440, NOW, None, None),
        )
    ] == warehouse.select("select * from market.archive_files")
    assert [ReadFile(BTC.name, "/a.zip", FILE.window, "one")] == read_files(
        warehouse.database, OHLC
    )


def test_failure_says_why_and_is_no_reading(warehouse: Warehouse) -> None:
    """A file that could not be read is known for a while, by its issue."""
    fail(warehouse)

    assert {KEY} == failed_since(warehouse.database, OHLC, NOW - DAY)
    assert set() == failed_since(warehouse.database, OHLC, NOW)
    assert [] == read_files(warehouse.database, OHLC)
    assert [("no sound zip", None)] == warehouse.select(
        "select error, sha256 from market.archive_files"
    )


def test_reading_after_a_failure_forgives_it(warehouse: Warehouse) -> None:
    """The newest word holds; when it failed stays known."""
    fail(warehouse)
    read(warehouse, now=NOW + DAY)

    assert set() == failed_since(warehouse.database, OHLC, NOW - DAY)
    assert [(NOW + DAY, NOW, None)] == warehouse.select(
        "select read_at, failed_at, error from market.archive_files"
    )


def test_failure_after_a_reading_is_a_failure(warehouse: Warehouse) -> None:
    """And what was read stays read."""
    read(warehouse)
    fail(warehouse, now=NOW + DAY)

    assert {KEY} == failed_since(warehouse.database, OHLC, NOW)
    assert 1 == len(read_files(warehouse.database, OHLC))


def test_each_issue_has_a_note_of_its_own(warehouse: Warehouse) -> None:
    """That an issue was read says nothing of the next one."""
    read(warehouse)
    fail(warehouse, replace(FILE, etag="two"))
    read(warehouse, replace(FILE, etag="three"), NOW + DAY)

    assert {KEY._replace(etag="two")} == failed_since(warehouse.database, OHLC, NOW - DAY)
    assert {"one", "three"} == {one.etag for one in read_files(warehouse.database, OHLC)}


def test_files_of_a_series_that_is_no_longer_collected_are_nobodys(warehouse: Warehouse) -> None:
    """They stay noted, and are not looked at again."""
    read(warehouse)
    read(warehouse, replace(FILE, series=ETH.name, path="/b.zip"))
    replace(warehouse, series=[ETH]).register()

    assert [ETH.name] == [one.series for one in read_files(warehouse.database, OHLC)]
    assert [(2,)] == warehouse.select("select count(*) from market.archive_files")
