"""What to look for in the archives, and what is left to be asked of the venues after that."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.ingestion.archive_plan import (
    Chosen,
    Prices,
    choose,
    is_worth_listing,
    slots_of,
)
from crypto_pipeline.ingestion.archiving import Archived, Search
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.archive import ArchiveFile, Listing, archive_endpoint
from crypto_pipeline.providers.candles import candle_endpoint
from crypto_pipeline.warehouse.archive_files import IssueKey, failed_since
from crypto_pipeline.warehouse.ledger import Wanted

LEAVE_ALONE = DAY
"""How long a file that could not be read is not asked for again; the venue is meanwhile."""


def searches(
    line: Line, wanted: Mapping[CandleSeries, Wanted], now: datetime
) -> dict[CandleSeries, Search]:
    """A search for each series of which so much is wanted that its archive could be worth it.

    What was answered without once is worth no file, which would say the same again.
    """
    worth: dict[CandleSeries, tuple[Runs, Prices]] = {}
    for series, one in wanted.items():
        slots, prices = one.slots - one.hollow, _prices(line, series)
        if prices and is_worth_listing(slots, prices, now):
            worth[series] = slots, prices
    failed = failed_since(line.database, OHLC, now - LEAVE_ALONE) if worth else set()
    return {
        series: Search(_hull(slots), _picking(series, wanted[series].slots, slots, prices, failed))
        for series, (slots, prices) in worth.items()
    }


def beside(one: Wanted, name: str, archived: Archived) -> Wanted:
    """What of one series no file was picked for."""
    return replace(one, slots=one.slots - archived.chosen.get(name, Runs()))


def left(one: Wanted, name: str, archived: Archived) -> Wanted:
    """What of one series is still to be asked of its venue."""
    had = archived.had[name]
    return replace(
        one,
        slots=one.slots - had - archived.barred[name],
        absent=one.absent - had,
        hollow=one.hollow + archived.lacked[name],
    )


def _prices(line: Line, series: CandleSeries) -> Prices | None:
    """What the series costs of its venue; None where there are no files of it, or nothing else."""
    archive, venue = line.archives.get(series.venue), line.providers.get(series.venue)
    if archive is None or venue is None:
        return None
    try:
        archive_endpoint(archive, series)
        return Prices(series.interval, candle_endpoint(venue, series).page_limit)
    except RequestRejected:
        return None


def _picking(
    series: CandleSeries, wanted: Runs, worth: Runs, prices: Prices, failed: Collection[IssueKey]
) -> Callable[[Listing], list[Chosen]]:
    def is_sound(file: ArchiveFile) -> bool:
        return IssueKey(series.name, file.path, file.etag) not in failed

    def pick(listing: Listing) -> list[Chosen]:
        sound = Listing(*(tuple(filter(is_sound, kind)) for kind in (listing.months, listing.days)))
        files = [one.file for one in choose(worth, sound, prices)]
        return [Chosen(one, slots_of(one.window, wanted, series.interval)) for one in files]

    return pick


def _hull(slots: Runs) -> Window:
    return Window(slots.windows[0].start, slots.windows[-1].end)
