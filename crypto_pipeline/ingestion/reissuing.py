"""Re-reads files that their archive has issued anew since they were read; what differs is a revision."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crypto_pipeline.ingestion.archive_plan import Chosen, slots_of
from crypto_pipeline.ingestion.archive_searches import LEAVE_ALONE
from crypto_pipeline.ingestion.archiving import Archiving, Search
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.archive import Listing
from crypto_pipeline.warehouse.archive_files import IssueKey, ReadFile, failed_since, read_files
from crypto_pipeline.warehouse.limits import SharedLimits
from crypto_pipeline.warehouse.writer import Stored, Writer

MOST = 50
"""Files that are re-read at once, the newest; what is more waits for the next night."""


@dataclass(frozen=True, slots=True)
class Reissued:
    """How many files were read again, what that changed, and what failed by series name."""

    files: int = 0
    stored: Stored = field(default_factory=Stored)
    failures: Mapping[str, str] = field(default_factory=dict)


def reissued(line: Line, now: datetime, run_id: str | None = None, most: int = MOST) -> Reissued:
    """Look which of the files that were read are others now, and read those again; safe to repeat."""
    read = _read_by_series(line)
    if not read:
        return Reissued()
    writer = Writer(line.database, line.register(now, OHLC), run_id, now, OHLC)
    archiving = Archiving(line, writer, SharedLimits(line.database), now, most=most)
    try:
        asyncio.run(archiving.run(_searches(line, read, now)))
    finally:
        writer.close()
    done = archiving.done
    return Reissued(done.planned, done.stored, {**done.unreached, **done.failures})


def _read_by_series(line: Line) -> dict[CandleSeries, list[ReadFile]]:
    served = {one.name: one for one in line.series if one.venue in line.archives}
    found: defaultdict[CandleSeries, list[ReadFile]] = defaultdict(list)
    for file in read_files(line.database, OHLC) if served else ():
        if file.series in served:
            found[served[file.series]].append(file)
    return found


def _searches(
    line: Line, read: Mapping[CandleSeries, Sequence[ReadFile]], now: datetime
) -> dict[CandleSeries, Search]:
    hulls = {series: _hull(files) for series, files in read.items()}
    whole = Window(min(one.start for one in hulls.values()), max(one.end for one in hulls.values()))
    expected = line.ledger.wanted(OHLC, whole, now, "everything")
    known = failed_since(line.database, OHLC, now - LEAVE_ALONE)
    known |= {IssueKey(one.series, one.path, one.etag) for files in read.values() for one in files}
    return {
        series: Search(hull, _picking(series, expected[series.name].slots, known))
        for series, hull in hulls.items()
        if series.name in expected
    }


def _hull(files: Sequence[ReadFile]) -> Window:
    return Window(min(one.window.start for one in files), max(one.window.end for one in files))


def _picking(
    series: CandleSeries, expected: Runs, known: Collection[IssueKey]
) -> Callable[[Listing], list[Chosen]]:
    paths = {one.path for one in known if one.series == series.name}

    def pick(listing: Listing) -> list[Chosen]:
        return [
            Chosen(file, slots)
            for file in (*listing.months, *listing.days)
            if file.path in paths and IssueKey(series.name, file.path, file.etag) not in known
            if (slots := slots_of(file.window, expected, series.interval))
        ]

    return pick
