"""Imports: what is missing is filled, what the venue said stays, and a refused file changes nothing."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as pa_feather
import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.frames.freqtrade import VALUES
from crypto_pipeline.ingestion.importing import SOURCE, Imported, found_files, import_files
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.windows import DAY
from crypto_pipeline.warehouse.writer import Stored
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.ingestion.lines import (
    DUE,
    MINUTE,
    NOW,
    SINCE,
    missing,
    run,
    store_of,
)

PRINTED = (16570.14, 16574.97, 16564.09, 16568.6, 2622.14355)
"""What ``candle`` says, as doubles."""


def write(path: Path, minutes: Sequence[int], *values: float | None, at: float = 0) -> Path:
    """A file of candles that open so many minutes after the beginning, written at NOW or later."""
    told = values or PRINTED
    opened = [SINCE + number * MINUTE for number in minutes]
    columns = [pa.array([value] * len(minutes), pa.float64()) for value in told]
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table([pa.array(opened, pa.timestamp("ms", "UTC")), *columns], ["date", *VALUES])
    pa_feather.write_feather(table, path)
    os.utime(path, (NOW.timestamp() + at,) * 2)
    return path


@pytest.fixture
def line(make_line: Callable[..., Line]) -> Line:
    """Minutes of one instrument, from a line that nobody has used yet."""
    return make_line(SINCE, "BTC-USDT")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where its file is to be."""
    return tmp_path / "binance" / "BTC_USDT-1m.feather"


def imported(line: Line, directory: Path, venue: str | None = None) -> list[Imported]:
    """Import what is in a folder."""
    found = found_files(line, directory, venue)
    return list(import_files(line, [(file, one) for file, one in found if one], NOW))


def sources(line: Line) -> list[tuple[object, ...]]:
    """Where the candles come from, and how many have no count of trades."""
    return store_of(line).select(
        "select source, count(*), count(*) filter (where trade_count is null) "
        "from market.ohlc group by 1 order by 1"
    )


def test_missing_candles_are_stored_with_their_source(
    line: Line, file: Path, tmp_path: Path
) -> None:
    """Over a month's end, as the shortest digits; the ledger has them, and a second time brings nothing."""
    write(file, [0, 1, 2 * 1440, 2 * 1440 + 1])
    (first,) = imported(line, tmp_path)
    (again,) = imported(line, tmp_path)
    row = store_of(line).rows()[0]

    assert (4, Stored(inserted=4), 0) == (first.read, first.stored, first.known)
    assert (4, Stored(), 4) == (again.read, again.stored, again.known)
    assert (SINCE, *map(str, PRINTED), None, None) == row
    assert [(SOURCE, 4, 4)] == sources(line)
    assert (DUE - SINCE) // MINUTE - 4 == missing(line)[line.series[0].name].slots(MINUTE)


def test_what_the_venue_said_stays(line: Line, file: Path, tmp_path: Path) -> None:
    """A candle that differs is counted and left out; one that is the same double is known."""
    store_of(line).store(candle(SINCE), candle(SINCE + MINUTE, volume="7"))
    write(file, [0, 1, 2])
    (told,) = imported(line, tmp_path)

    assert (1, 1, Stored(inserted=1)) == (told.known, told.contradicted, told.stored)
    assert [("binance", 2, 0), (SOURCE, 1, 1)] == sources(line)


def test_venue_replaces_what_was_imported(line: Line, file: Path, tmp_path: Path) -> None:
    """Its later answer is more trusted; an import replaces only an import."""
    write(file, range(3))
    imported(line, tmp_path)
    write(file, range(3), *PRINTED[:4], 5.0)
    (changed,) = imported(line, tmp_path)
    run(line, asking="everything")

    assert Stored(updated=3) == changed.stored
    assert [("binance", (DUE - SINCE) // MINUTE, 0)] == sources(line)
    assert [(6,)] == store_of(line).select("select count(*) from market.ohlc_revisions")


def test_broken_candles_are_set_aside(line: Line, file: Path, tmp_path: Path) -> None:
    """With the reason, and their slots stay missing; the others of the file are stored."""
    write(file, range(4), 10.0, 11.0, -1.0, 10.0, 1.0)
    (told,) = imported(line, tmp_path)
    write(file, range(4, 6), 10.0, None, 9.0, 10.0, 1.0)
    (lacking,) = imported(line, tmp_path)

    assert (Stored(rejected=4), {"a price is not positive": 4}) == (told.stored, told.reasons)
    assert {"a price or volume is not a finite number": 2} == lacking.reasons
    assert [] == sources(line)
    assert [(6,)] == store_of(line).select("select count(*) from warehouse.rejected_rows")


def test_candles_out_of_time_are_left_out(line: Line, file: Path, tmp_path: Path) -> None:
    """Older than what is kept, or not over when the file was written: FreqTrade keeps such a one."""
    write(file, [-40 * 1440, -1, 0, 59, 60], at=-((NOW - SINCE).total_seconds()) + 3630)
    (told,) = imported(line, tmp_path)
    kept = replace(line, retention={"ohlc": 1}, since=SINCE - 400 * DAY)
    (other,) = imported(kept, tmp_path)

    assert (5, 3, 2) == (told.read, told.outside, told.stored.inserted)
    assert (2, 1) == (other.outside, other.stored.inserted)


def test_refused_file_changes_nothing(line: Line, file: Path, tmp_path: Path) -> None:
    """Not even what is right in it; the files beside it are imported."""
    write(file, range(3))
    both = replace(line, series=(*line.series, replace(line.series[0], venue="binance_us")))
    other = tmp_path / "binanceus" / "BTC_USDT-1m.feather"
    write(other, [0, 0, 1])
    table = pa_feather.read_table(other)
    changed = table.set_column(5, "volume", pa.array([1.0, 2.0, 3.0]))
    pa_feather.write_feather(changed, other)
    good, bad = imported(both, tmp_path)

    assert (None, 3) == (good.refused, good.stored.inserted)
    assert ("it holds two candles of 2024-02-28T00:00:00Z that differ", Stored()) == (
        bad.refused,
        bad.stored,
    )
    assert [(SOURCE, 3, 3)] == sources(line)


def test_alien_files_are_passed_over(line: Line, tmp_path: Path) -> None:
    """Other pairs, intervals and kinds of candles are named, and belong to no series."""
    for name in ("ADA_USDT-1m", "BTC_USDT-5m", "BTC_USDT-1m-mark", "BTC_USDT-1m"):
        write(tmp_path / "binance" / f"{name}.feather", [0])
    found = found_files(line, tmp_path)

    assert {"BTC_USDT-1m.feather"} == {file.path.name for file, series in found if series}
    assert 4 == len(found) == len(found_files(line, tmp_path / "binance", "binance"))


def test_folder_without_candles_is_wrong_use(line: Line, tmp_path: Path) -> None:
    """It says where they were looked for, or which venues there are."""
    with pytest.raises(UsageError, match=r"expected files like binance/BTC_USDT-1m.feather"):
        found_files(line, tmp_path)
    with pytest.raises(UsageError, match=r"kraken is not collected: .* names binance"):
        found_files(line, tmp_path, "kraken")
