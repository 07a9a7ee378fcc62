"""History from the archive: the same rows as the venue's, in fewer requests, and few when nothing is worth it."""

from pathlib import Path

import pytest

from crypto_pipeline.ingestion.ingest import Progress
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.ingestion.archives import (
    ALL,
    DUE,
    FEBRUARY,
    JANUARY_SLOTS,
    MARCH,
    NOW,
    QUARTER,
    SINCE,
    SLOTS,
    archive_at,
    asked_of_archive,
    asked_of_venue,
    files,
    sources,
    with_archive,
    zips,
)
from crypto_pipeline_tests.ingestion.lines import (
    HOUR,
    MINUTE,
    Line,
    Lines,
    explanations,
    holes,
    missing,
    run,
    store_of,
    truth,
)

LOST = Window(FEBRUARY + 10 * HOUR, FEBRUARY + 14 * HOUR)


@pytest.fixture
def line(make_line: Lines, sandbox: Sandbox, tmp_path: Path) -> Line:
    """Quarters of an hour since New Year, over two whole months and some days."""
    return with_archive(make_line(SINCE, interval="15m"), sandbox, tmp_path)


def outage(path: str = "/") -> Fault:
    """No rows for four hours, in both places or one."""
    return Fault(kind="outage", path=path, start=LOST.start, end=LOST.end)


def test_archive_gives_what_the_venue_would(line: Line) -> None:
    """Row for row, digit for digit; and nothing is missing."""
    done = run(line, ALL, NOW)

    assert Stored(inserted=SLOTS) == done.stored
    assert {} == done.failures
    assert truth(line, ALL) == store_of(line).rows()
    assert {} == missing(line, NOW, ALL)


def test_whole_months_are_files_and_the_edge_is_asked_of_the_venue(
    line: Line, sandbox: Sandbox
) -> None:
    """Two files, and a page for the days of which a file is not worth it."""
    done = run(line, ALL, NOW)
    (asked,) = asked_of_venue(sandbox)

    assert ["BTCUSDT-15m-2024-01.zip", "BTCUSDT-15m-2024-02.zip"] == sorted(zips(sandbox))
    assert [
        ("binance_vision", SINCE, MARCH - QUARTER, (MARCH - SINCE) // QUARTER),
        ("binance", MARCH, DUE - QUARTER, 4 * DAY // QUARTER),
    ] == sources(line)
    assert MARCH - QUARTER == asked.start
    assert 3 == done.requests


def test_fortnight_of_minutes_comes_from_its_month(
    make_line: Lines, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Of a file that reaches further only what is wanted is stored."""
    line = with_archive(make_line(SINCE), sandbox, tmp_path)
    window = Window(SINCE + 3 * DAY, SINCE + 17 * DAY)
    done = run(line, window, NOW)

    assert Stored(inserted=14 * DAY // MINUTE) == done.stored
    assert [] == list(asked_of_venue(sandbox))
    assert [(SINCE, 14 * DAY // MINUTE)] == files(line, "row_count")
    assert truth(line, window) == store_of(line).rows()


def test_only_missing_rows_are_taken_of_a_file(line: Line) -> None:
    """What is there keeps its load; the file fills what is around it."""
    there = Window(SINCE + 9 * DAY, SINCE + 10 * DAY)
    run(line, there, NOW)
    before = store_of(line).select("select * from warehouse.ohlc order by open_time")
    run(line, ALL, NOW)
    after = store_of(line).select(
        "select * from warehouse.ohlc where open_time >= %s and open_time < %s order by open_time",
        there.start,
        there.end,
    )

    assert before == after
    assert truth(line, ALL) == store_of(line).rows()
    assert [
        (SINCE, JANUARY_SLOTS - DAY // QUARTER),
        (FEBRUARY, (MARCH - FEBRUARY) // QUARTER),
    ] == files(line, "row_count")


def test_second_run_asks_nothing(line: Line, sandbox: Sandbox) -> None:
    """Not even what is listed."""
    run(line, ALL, NOW)
    sandbox.clear_requests()
    run(line, ALL, NOW)

    assert [] == sandbox.requests()


def test_tick_makes_no_archive_request(make_line: Lines, sandbox: Sandbox) -> None:
    """Neither the newest minutes nor a day of them is worth a listing."""
    line = with_archive(make_line(DUE - DAY), sandbox)
    run(line, Window(DUE - HOUR, DUE), NOW)
    run(line, Window(DUE - DAY, DUE), NOW)

    assert [] == asked_of_archive(sandbox)
    assert {} == missing(line, NOW, Window(DUE - DAY, DUE))


def test_without_an_archive_all_comes_from_the_venue(make_line: Lines, sandbox: Sandbox) -> None:
    """Where it is disabled, as everywhere without one."""
    line = make_line(SINCE, interval="15m")
    run(line, ALL, NOW)

    assert [] == asked_of_archive(sandbox)
    assert truth(line, ALL) == store_of(line).rows()


def test_series_share_the_way_newest_first(
    make_line: Lines, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The newest months of all series come before the older ones of any."""
    line = with_archive(make_line(SINCE, "BTC-USDT", "ETH-USDT", interval="15m"), sandbox, tmp_path)
    run(line, ALL, NOW)
    loads = store_of(line).select(
        """
        select extract(month from open_time)::int from warehouse.ohlc
        group by series_id, 1 order by min(load_id)
        """
    )

    assert [2, 2, 1, 1] == [month for (month,) in loads[:4]]
    assert 4 == len(files(line))
    assert {} == missing(line, NOW, ALL)


def test_refetch_of_what_is_there_changes_nothing(line: Line, sandbox: Sandbox) -> None:
    """Everything that is expected is read again, and is the same."""
    run(line, ALL, NOW)
    sandbox.clear_requests()
    done = run(line, ALL, NOW, asking="everything")

    assert Stored() == done.stored
    assert 2 == len(zips(sandbox))
    assert [] == store_of(line).select("select * from warehouse.ohlc_revisions")


def test_nothing_is_left_on_the_disk(line: Line, tmp_path: Path) -> None:
    """A file is gone when its rows are stored."""
    run(line, ALL, NOW)

    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_temporary_directory_is_used_where_none_is_named(
    make_line: Lines, sandbox: Sandbox
) -> None:
    """A line without a data directory of its own reads files all the same."""
    line = with_archive(make_line(SINCE, interval="15m"), sandbox)

    assert Stored(inserted=SLOTS) == run(line, ALL, NOW).stored


def test_progress_counts_files_and_bytes(line: Line) -> None:
    """It only grows, and at the end all of it is there."""
    told: list[Progress] = []
    run(line, ALL, NOW, on_progress=told.append)
    first, last = told[0], told[-1]

    assert (3, 3, SLOTS) == (last.done, last.planned, last.rows)
    assert (0, 3) == (first.done, first.planned)
    assert 0 < first.bytes_done <= last.bytes_done == last.bytes_planned
    assert sorted(one.done for one in told) == [one.done for one in told]
    assert sorted(one.bytes_done for one in told) == [one.bytes_done for one in told]


def test_what_both_lack_is_explained_at_once(line: Line, sandbox: Sandbox) -> None:
    """A published file and an answer with rows on both sides are two witnesses."""
    sandbox.order(outage())
    run(line, ALL, NOW)
    ((*_, evidence),) = holes(line, "evidence")

    assert [(LOST.start, LOST.end, "venue_outage")] == explanations(line)
    assert {} == missing(line, NOW, ALL)
    assert "row_before" in str(evidence)


def test_what_the_venue_lacked_before_is_explained_by_the_file(
    line: Line, sandbox: Sandbox
) -> None:
    """The other way round as well, a minute later."""
    sandbox.order(outage())
    run(line, Window(LOST.start - HOUR, LOST.end + HOUR), NOW)
    suspected = explanations(line)
    run(line, ALL, NOW + MINUTE)
    ((*_, witnesses),) = holes(line, "absences")

    assert [] == suspected
    assert [(LOST.start, LOST.end, "venue_outage")] == explanations(line)
    assert 2 <= int(witnesses)


def test_what_only_the_archive_lacks_comes_from_the_venue(line: Line, sandbox: Sandbox) -> None:
    """A gap in a file is the file's."""
    sandbox.order(outage("/binance_vision"))
    run(line, ALL, NOW)

    assert [] == explanations(line)
    assert {} == missing(line, NOW, ALL)
    assert [] == holes(line)


def test_what_only_the_venue_lacks_comes_from_the_archive(line: Line, sandbox: Sandbox) -> None:
    """And nobody asks the venue for it."""
    sandbox.order(outage("/binance/"))
    run(line, ALL, NOW)

    assert {} == missing(line, NOW, ALL)
    assert SLOTS == len(store_of(line).rows())


def test_file_alone_is_no_proof(line: Line, sandbox: Sandbox) -> None:
    """Where the venue gives no answer, what the file lacks stays missing."""
    sandbox.order(outage(), Fault(kind="503", path="/binance/"))
    run(line, ALL, NOW)

    assert [] == explanations(line)
    assert LOST in missing(line, NOW, ALL)[line.series[0].name].windows


def test_files_are_noted_with_what_they_are(line: Line, sandbox: Sandbox) -> None:
    """Which issue was read, when, how it hashes, and how many rows came of it."""
    run(line, ALL, NOW)
    noted = files(line, "provider", "series", "row_count", "read_at", "length(sha256)", "error")
    name = line.series[0].name

    assert [
        (SINCE, "binance_vision", name, JANUARY_SLOTS, NOW, 64, None),
        (FEBRUARY, "binance_vision", name, (MARCH - FEBRUARY) // QUARTER, NOW, 64, None),
    ] == noted
    assert archive_at(sandbox).name == noted[0][1]
