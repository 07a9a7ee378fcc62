"""Files that were issued anew are read again, just those, and what differs becomes a revision."""

from pathlib import Path

import pytest

from crypto_pipeline.ingestion.reissuing import Reissued, reissued
from crypto_pipeline.market.windows import DAY
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.ingestion.archives import (
    ALL,
    FEBRUARY,
    MARCH,
    NOW,
    SINCE,
    asked_of_archive,
    files,
    with_archive,
    zips,
)
from crypto_pipeline_tests.ingestion.lines import Line, Lines, run, store_of

NIGHT = NOW + DAY
CHANGED = "select series_id, open_time from warehouse.ohlc_revisions"


@pytest.fixture
def line(make_line: Lines, sandbox: Sandbox, tmp_path: Path) -> Line:
    """Two months of quarters of an hour, read from the archive."""
    line = with_archive(make_line(SINCE, interval="15m"), sandbox, tmp_path)
    run(line, ALL, NOW)
    sandbox.clear_requests()
    return line


def reissue_february() -> Fault:
    """The archive publishes the month again, with one candle corrected."""
    return Fault(kind="reissue", path="/binance_vision", start=FEBRUARY, end=MARCH)


def test_changed_file_becomes_revisions(line: Line, sandbox: Sandbox) -> None:
    """Only that file is asked for, and only the candle that differs is replaced."""
    sandbox.order(reissue_february())
    done = reissued(line, NIGHT)

    assert Reissued(1, Stored(updated=1)) == done
    assert ["BTCUSDT-15m-2024-02.zip"] == zips(sandbox)
    assert 1 == len(store_of(line).select(CHANGED))
    assert [(SINCE, NOW), (FEBRUARY, NOW), (FEBRUARY, NIGHT)] == sorted(files(line, "read_at"))


def test_second_look_reads_nothing(line: Line, sandbox: Sandbox) -> None:
    """An issue that was read is known by its ETag."""
    sandbox.order(reissue_february())
    reissued(line, NIGHT)
    sandbox.clear_requests()

    assert Reissued() == reissued(line, NIGHT + DAY)
    assert [] == zips(sandbox)


def test_unchanged_files_are_only_listed(line: Line, sandbox: Sandbox) -> None:
    """A listing a series, and no file."""
    assert Reissued() == reissued(line, NIGHT)
    assert 1 == len(asked_of_archive(sandbox))


def test_only_so_many_are_read_at_once_the_newest_first(line: Line, sandbox: Sandbox) -> None:
    """The others are the next night's."""
    sandbox.order(Fault(kind="reissue", path="/binance_vision"))
    first, second, third = (reissued(line, NIGHT + DAY * night, most=1) for night in range(3))

    assert (1, 1, 0) == (first.files, second.files, third.files)
    assert ["BTCUSDT-15m-2024-01.zip", "BTCUSDT-15m-2024-02.zip"] == sorted(zips(sandbox))


def test_damaged_new_issue_changes_nothing(line: Line, sandbox: Sandbox) -> None:
    """What the former issue gave stays, the failure is told, and it is left alone for a day."""
    sandbox.order(reissue_february(), Fault(kind="corrupt_zip", path="/binance_vision"))
    done = reissued(line, NIGHT)
    sandbox.clear_requests()
    again = reissued(line, NIGHT + DAY / 2)

    assert Stored() == done.stored
    assert "no sound zip" in done.failures[line.series[0].name]
    assert [] == store_of(line).select(CHANGED)
    assert (Reissued(), []) == (again, zips(sandbox))


def test_archive_that_cannot_be_asked_is_told(line: Line, sandbox: Sandbox) -> None:
    """The next night will do."""
    sandbox.order(Fault(kind="503", path="/binance_vision"))
    done = reissued(line, NIGHT)

    assert (0, Stored()) == (done.files, done.stored)
    assert "binance_vision: " in done.failures[line.series[0].name]


def test_nothing_read_is_nothing_to_look_at(make_line: Lines, sandbox: Sandbox) -> None:
    """A line that never read a file asks nobody."""
    line = with_archive(make_line(SINCE, interval="15m"), sandbox)

    assert Reissued() == reissued(line, NIGHT)
    assert [] == sandbox.requests()
