"""What goes wrong with files: it is named, nothing of the file is stored, the rest goes on."""

from datetime import timedelta
from pathlib import Path

import pytest

from crypto_pipeline.ingestion.ingest import Progress
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.ingestion.archives import (
    ALL,
    FEBRUARY,
    FEBRUARY_SLOTS,
    MARCH,
    NOW,
    QUARTER,
    SINCE,
    SLOTS,
    asked_of_venue,
    files,
    with_archive,
    zips,
)
from crypto_pipeline_tests.ingestion.lines import (
    MINUTE,
    Line,
    Lines,
    holes,
    missing,
    run,
    store_of,
    truth,
)

MONTH = Window(FEBRUARY, MARCH)


@pytest.fixture
def line(make_line: Lines, sandbox: Sandbox, tmp_path: Path) -> Line:
    """Quarters of an hour since New Year, over two whole months and some days."""
    return with_archive(make_line(SINCE, interval="15m"), sandbox, tmp_path)


def of_february(kind: str) -> Fault:
    """A fault of one file."""
    return Fault(kind=kind, path="/binance_vision", start=FEBRUARY, end=MARCH)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("corrupt_zip", "no sound zip"),
        ("wrong_checksum", "is not what its checksum says"),
        ("no_checksum", "has no checksum"),
        ("odd_columns", "columns"),
        ("odd_unit", "not of 2024-02-01"),
    ],
)
def test_damaged_file_is_named_and_the_rest_goes_on(
    line: Line, sandbox: Sandbox, kind: str, told: str
) -> None:
    """Nothing of it is stored, nobody else is asked this time, and its slots stay missing."""
    sandbox.order(of_february(kind))
    done = run(line, ALL, NOW)
    name = line.series[0].name
    ((_, read_at, failed_at, error),) = files(line, "read_at", "failed_at", "error")[1:]

    assert Stored(inserted=SLOTS - FEBRUARY_SLOTS) == done.stored
    assert told in done.failures[name]
    assert not done.failed_wholly
    assert {name: Runs((MONTH,))} == missing(line, NOW, ALL)
    assert all(asked.start >= MARCH - QUARTER for asked in asked_of_venue(sandbox))
    assert (None, NOW) == (read_at, failed_at)
    assert told in str(error)
    assert {("DamagedFile", 1)} == {
        (kind, tried) for *_, kind, tried in holes(line, "error_class", "attempts")
    }


def test_next_try_goes_without_the_damaged_file(line: Line, sandbox: Sandbox) -> None:
    """The venue fills what the file should have, and the file is not asked for again that day."""
    sandbox.order(of_february("corrupt_zip"))
    run(line, ALL, NOW)
    sandbox.clear_requests()
    done = run(line, ALL, NOW + 5 * MINUTE, asking="patiently")

    assert Stored(inserted=FEBRUARY_SLOTS) == done.stored
    assert {} == done.failures
    assert [] == zips(sandbox)
    assert truth(line, ALL) == store_of(line).rows()


def test_damaged_file_is_tried_again_a_day_later(line: Line, sandbox: Sandbox) -> None:
    """By then it may have been mended without anybody saying so."""
    sandbox.order(of_february("corrupt_zip"))
    run(line, ALL, NOW)
    sandbox.clear_faults()
    sandbox.clear_requests()
    done = run(line, ALL, NOW + DAY + MINUTE)

    assert FEBRUARY_SLOTS == done.stored.inserted
    assert ["BTCUSDT-15m-2024-02.zip"] == zips(sandbox)


def test_mended_file_is_read_at_once(line: Line, sandbox: Sandbox) -> None:
    """Another issue is another file."""
    sandbox.order(of_february("corrupt_zip"))
    run(line, ALL, NOW)
    sandbox.clear_faults()
    sandbox.order(of_february("reissue"))
    sandbox.clear_requests()
    run(line, ALL, NOW + MINUTE)

    assert ["BTCUSDT-15m-2024-02.zip"] == zips(sandbox)
    assert {} == missing(line, NOW, ALL)


def test_full_disk_ends_the_reading_of_files(
    make_line: Lines, sandbox: Sandbox, tmp_path: Path
) -> None:
    """All of them are named as failed, no file is asked for, and the edge comes from the venue."""
    (tmp_path / "file").touch()
    line = with_archive(make_line(SINCE, interval="15m"), sandbox, tmp_path / "file")
    done = run(line, ALL, NOW)
    later = run(line, ALL, NOW + 5 * MINUTE)

    assert Stored(inserted=SLOTS - (MARCH - SINCE) // QUARTER) == done.stored
    assert "cannot take" in done.failures[line.series[0].name]
    assert [] == zips(sandbox)
    assert {} == later.failures
    assert truth(line, ALL) == store_of(line).rows()


@pytest.mark.parametrize("kind", ["503", "451", "garbage", "html", "reset"])
def test_venue_takes_over_where_the_archive_cannot_be_asked(
    line: Line, sandbox: Sandbox, kind: str
) -> None:
    """In the same run, and without a word of failure."""
    sandbox.order(Fault(kind=kind, path="/binance_vision"))
    done = run(line, ALL, NOW)

    assert {} == done.failures
    assert Stored(inserted=SLOTS) == done.stored
    assert truth(line, ALL) == store_of(line).rows()


@pytest.mark.parametrize("kind", ["503", "451", "cut_body"])
def test_venue_takes_over_where_files_do_not_come(line: Line, sandbox: Sandbox, kind: str) -> None:
    """The listing came, the files do not."""
    sandbox.order(Fault(kind=kind, path="/binance_vision/data"))
    done = run(line, ALL, NOW)

    assert {} == done.failures
    assert truth(line, ALL) == store_of(line).rows()


def test_listed_file_that_is_gone_is_made_up_for_by_the_venue(line: Line, sandbox: Sandbox) -> None:
    """One file of two; the other one is read."""
    sandbox.order(of_february("listed_but_gone"))
    done = run(line, ALL, NOW)

    assert {} == done.failures
    assert truth(line, ALL) == store_of(line).rows()
    assert [SINCE] == [start for (start,) in files(line)]


def test_file_that_is_not_listed_is_not_asked_for(line: Line, sandbox: Sandbox) -> None:
    """A month that the archive lacks comes from the venue."""
    sandbox.order(of_february("missing_file"))
    run(line, ALL, NOW)

    assert ["BTCUSDT-15m-2024-01.zip"] == zips(sandbox)
    assert truth(line, ALL) == store_of(line).rows()


def test_where_both_fail_both_are_told(line: Line, sandbox: Sandbox) -> None:
    """Who reads of the venue's failure learns why the archive could not help."""
    sandbox.order("503")
    done = run(line, ALL, NOW)
    (why,) = done.failures.values()

    assert done.failed_wholly
    assert "binance: " in why
    assert "binance_vision: " in why


def test_run_that_is_stopped_loses_nothing_that_was_stored(line: Line, sandbox: Sandbox) -> None:
    """The next run asks for no file again that was stored, or that came, and ends with the same rows."""

    def stop(progress: Progress) -> None:
        if progress.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(line, ALL, NOW, on_progress=stop)
    stored = len(store_of(line).rows())
    sandbox.clear_requests()
    done = run(line, ALL, NOW + timedelta(minutes=5))

    assert FEBRUARY_SLOTS == stored
    assert {"BTCUSDT-15m-2024-01.zip"} >= set(zips(sandbox))
    assert SLOTS - FEBRUARY_SLOTS == done.stored.inserted
    assert truth(line, ALL) == store_of(line).rows()


def test_run_that_is_stopped_while_bytes_come_stores_nothing_of_that_file(line: Line) -> None:
    """A part of a file is no part of the warehouse."""

    def stop(progress: Progress) -> None:
        if progress.bytes_done:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run(line, ALL, NOW, on_progress=stop)

    assert [] == store_of(line).rows()
    assert [] == files(line)
