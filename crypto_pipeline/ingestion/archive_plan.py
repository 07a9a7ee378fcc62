"""Which files of a venue's archive are worth it: arithmetic over what is wanted and what there is.

Costs are in requests. What is asked, and when, is not this module's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from crypto_pipeline.ingestion.plan import MARGIN_SLOTS, pages
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import EPOCH, Interval
from crypto_pipeline.market.windows import Window, midnight
from crypto_pipeline.providers.archive import ArchiveFile, Listing

FILE = 3.0
"""A file is two requests one after the other, its checksum and itself, and a transaction of its own."""
REST_ROW = 1 / 1000
"""A thousand rows of a reply take about as long to read as the reply takes to come."""
FILE_ROW = REST_ROW / 10
"""Rows of a file are read as arrays, and not one by one."""
LISTING = 2.0
"""A listing of the months, and of the days where no month is, before anything is had."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file that is worth it, and the slots that are wanted of it."""

    file: ArchiveFile
    slots: Runs


@dataclass(frozen=True, slots=True)
class Prices:
    """What it costs to have slots of a series; a page of its venue's replies holds ``page_rows``."""

    interval: Interval
    page_rows: int

    def of_replies(self, slots: Runs) -> float:
        """Asking the venue, page by page."""
        return self.pages(slots) + slots.slots(self.interval.step) * REST_ROW

    def of_file(self, file: ArchiveFile) -> float:
        """Reading a file, all of it."""
        return FILE + file.window.span / self.interval.step * FILE_ROW

    def of_choice(self, chosen: Sequence[Chosen], wanted: Runs) -> float:
        """Reading some files, and asking the venue for the rest."""
        files = sum(self.of_file(one.file) for one in chosen)
        return files + self.of_replies(wanted - covered(chosen))

    def pages(self, slots: Runs) -> int:
        """How many pages the venue is asked for."""
        span = max(self.page_rows - MARGIN_SLOTS, 1) * self.interval.step
        return sum(1 for _ in pages(slots, span))


def covered(chosen: Iterable[Chosen]) -> Runs:
    """The wanted slots that the files are of."""
    return Runs.of(run for one in chosen for run in one.slots)


def choose(wanted: Runs, listing: Listing, prices: Prices) -> list[Chosen]:
    """The files to read: for each month its own, some of its days', or none, whatever costs least.

    No slot is wanted of two files. What no file is chosen for is left to be asked of the venue.
    """
    months = {file.window.start: file for file in listing.months}
    days: defaultdict[datetime, list[ArchiveFile]] = defaultdict(list)
    for file in listing.days:
        days[Window.of_month(file.window.start.date()).start].append(file)
    chosen = [
        one
        for start in sorted(months.keys() | days.keys())
        for one in _cheapest(
            Window.of_month(start.date()), wanted, months.get(start), days[start], prices
        )
    ]
    # Holes on both sides of a month's end can fit one page, and no month alone knows.
    is_cheaper = prices.of_choice(chosen, wanted) < prices.of_replies(wanted)
    return chosen if is_cheaper else []


def is_worth_listing(wanted: Runs, prices: Prices, now: datetime) -> bool:
    """Whether the archive could save more requests than asking what there is in it would cost."""
    choice = choose(wanted, _supposed(wanted, midnight(now.date())), prices)
    return prices.of_replies(wanted) - prices.of_choice(choice, wanted) > LISTING


def slots_of(window: Window, wanted: Runs, interval: Interval) -> Runs:
    """The wanted slots that open in a window; of one that only ends there, nothing."""
    start, end = interval.ceil(window.start), interval.ceil(window.end)
    return wanted.within(Window(start, end)) if start < end else Runs()


def _cheapest(
    month: Window,
    wanted: Runs,
    whole: ArchiveFile | None,
    days: Sequence[ArchiveFile],
    prices: Prices,
) -> list[Chosen]:
    slots = slots_of(month, wanted, prices.interval)
    if not slots:
        return []
    by_day = [
        one
        for one in _of_files(days, slots, prices.interval)
        if prices.of_file(one.file) < prices.of_replies(one.slots)
    ]
    by_month = list(_of_files([whole] if whole else [], slots, prices.interval))
    choices: list[list[Chosen]] = [[], by_month, by_day]
    return min(choices, key=lambda chosen: prices.of_choice(chosen, slots))


def _of_files(files: Iterable[ArchiveFile], wanted: Runs, interval: Interval) -> Iterator[Chosen]:
    for file in files:
        slots = slots_of(file.window, wanted, interval)
        if slots:
            yield Chosen(file, slots)


def _supposed(wanted: Runs, before: datetime) -> Listing:
    """The archive at its best: a file of every month and day that is over by then."""
    days = [Window.of_day(day) for day in sorted({day for run in wanted for day in run.days()})]
    months = sorted({Window.of_month(day.start.date()) for day in days})
    return Listing(
        tuple(_any_file(month) for month in months if month.end <= before),
        tuple(_any_file(day) for day in days if day.end <= before),
    )


def _any_file(window: Window) -> ArchiveFile:
    return ArchiveFile(path="", window=window, size=0, etag="", modified_at=EPOCH)
