"""What is looked for in an archive, and what is left for the venue when files have told what they have."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.ingestion.archive_plan import Chosen
from crypto_pipeline.ingestion.archive_searches import beside, left, searches
from crypto_pipeline.ingestion.archiving import Archived
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.archive import ArchiveFile, Listing
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.archive_files import FileIssue, note_failed
from crypto_pipeline.warehouse.ledger import Wanted
from crypto_pipeline_tests.ingestion.archives import FEBRUARY, MARCH, NOW, SINCE, with_archive
from crypto_pipeline_tests.ingestion.lines import Lines
from crypto_pipeline_tests.market.strategies import minutes, runs

MONTHS = Runs((Window(SINCE, MARCH),))
JANUARY = ArchiveFile("/january.zip", Window(SINCE, FEBRUARY), 1, "etag", FEBRUARY)
LISTING = Listing((JANUARY, replace(JANUARY, path="/february.zip", window=Window(FEBRUARY, MARCH))))


@pytest.fixture
def line(make_line: Lines, sandbox: Sandbox) -> Line:
    """Quarters of an hour of one instrument."""
    line = with_archive(make_line(SINCE, interval="15m"), sandbox)
    line.register(NOW)
    return line


def picked(line: Line, wanted: Wanted) -> list[Chosen]:
    """What a search would read of both months."""
    (search,) = searches(line, {line.series[0]: wanted}, NOW).values()
    return search.pick(LISTING)


def test_window_that_is_listed_is_that_of_what_is_wanted(line: Line) -> None:
    """From the first slot to the last."""
    wanted = Runs((Window(SINCE + DAY, FEBRUARY), Window(FEBRUARY + DAY, MARCH - DAY)))
    (search,) = searches(line, {line.series[0]: Wanted(wanted, wanted)}, NOW).values()

    assert Window(SINCE + DAY, MARCH - DAY) == search.window


def test_what_was_answered_without_is_worth_no_file(line: Line) -> None:
    """Two months of nothing are a page of the venue's, and no file tells more."""
    assert {} == searches(line, {line.series[0]: Wanted(MONTHS, MONTHS, MONTHS)}, NOW)


def test_file_that_is_read_anyway_is_a_witness_of_it_too(line: Line) -> None:
    """What the venue answered without is wanted of a file that other slots are worth."""
    hollow = Runs((Window(SINCE + DAY, SINCE + 2 * DAY),))
    first, _ = picked(line, Wanted(MONTHS, MONTHS, hollow))

    assert Runs((JANUARY.window,)) == first.slots


def test_issue_that_failed_is_left_alone_for_a_day(line: Line) -> None:
    """Another issue of the file is not, and neither is the same one later."""
    name = line.series[0].name
    issue = FileIssue(name, "binance_vision", JANUARY.path, "etag", JANUARY.window, FEBRUARY, 1)
    wanted = Wanted(MONTHS, MONTHS)
    note_failed(line.database, OHLC, replace(issue, etag="former"), "no sound zip", NOW)
    before = picked(line, wanted)
    note_failed(line.database, OHLC, issue, "no sound zip", NOW - DAY)
    later = picked(line, wanted)
    note_failed(line.database, OHLC, issue, "no sound zip", NOW - timedelta(hours=23))
    after = picked(line, wanted)

    assert (2, 2) == (len(before), len(later))
    assert ["/february.zip"] == [one.file.path for one in after]


@pytest.mark.parametrize("interval", ["15m", "1m"])
def test_venue_without_an_archive_has_no_search(make_line: Lines, interval: str) -> None:
    """However much is wanted."""
    line = make_line(SINCE, interval=interval)

    assert {} == searches(line, {line.series[0]: Wanted(MONTHS, MONTHS)}, NOW)


def test_interval_that_has_no_files_has_no_search(line: Line) -> None:
    """An archive that lacks it is asked nothing."""
    archive = line.archives["binance"]
    assert archive.archive is not None
    bare = replace(archive, archive=replace(archive.archive, intervals={"1h": "1h"}))

    wanted = {line.series[0]: Wanted(MONTHS, MONTHS)}
    assert {} == searches(replace(line, archives={"binance": bare}), wanted, NOW)


@given(runs(), runs(), runs(), st.data())
def test_what_is_left_is_what_no_file_had(
    slots: Runs, had: Runs, barred: Runs, data: st.DataObject
) -> None:
    """Rows that came are absent no more; a damaged file's slots wait; what a file lacks is hollow."""
    lacked, hollow = data.draw(runs()), data.draw(runs())
    done = Archived()
    done.had["one"], done.barred["one"], done.lacked["one"] = had, barred, lacked
    rest = left(Wanted(slots, slots, hollow), "one", done)

    assert minutes(slots) - minutes(had) - minutes(barred) == minutes(rest.slots)
    assert minutes(slots) - minutes(had) == minutes(rest.absent)
    assert minutes(hollow) | minutes(lacked) == minutes(rest.hollow)


def test_what_no_file_was_picked_for_is_the_venues() -> None:
    """Of a series without files, all."""
    one, done = Wanted(MONTHS, MONTHS), Archived()
    done.chosen["one"] = Runs((JANUARY.window,))

    assert Runs((Window(FEBRUARY, MARCH),)) == beside(one, "one", done).slots
    assert one == beside(one, "other", done)
