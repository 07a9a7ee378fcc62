"""Which files an archive holds: how they are called, what time they are of, and when they come.

What is in a file, and how one is asked for, does not live here.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from crypto_pipeline.sandbox.candles import Gaps
from crypto_pipeline.sandbox.faults import CHECKSUM
from crypto_pipeline.sandbox.grids import DAY, GRIDS, Grid
from crypto_pipeline.sandbox.listings import Listing

DAILY, MONTHLY = "daily", "monthly"
UNITS = {DAILY: "D", MONTHLY: "M"}
UPLOAD = 2 * 3_600_000  # a file comes so long after the day that it waits for
FIRST_MONDAY = 4 * DAY  # 1970-01-05

_KEY = re.compile(r"(?P<start>.+/[A-Z0-9]+-[0-9a-z]+-)(?P<stem>[0-9-]+)\.zip")
_STEMS = {DAILY: r"\d{4}-\d\d-\d\d", MONTHLY: r"\d{4}-\d\d"}


@dataclass(frozen=True)
class Folder:
    """The files of one series of candles, either its days or its months."""

    root: str
    period: str
    listing: Listing
    grid: Grid

    @cached_property
    def path(self) -> str:
        """Of all its keys the beginning."""
        return f"{self.root}/{self.period}/klines/{self.listing.symbol}/{self.grid.name}/"

    @cached_property
    def start(self) -> str:
        """The beginning of its keys, up to the time they are of."""
        return f"{self.path}{self.listing.symbol}-{self.grid.name}-"

    def files(self, now: int, marker: str) -> Iterator["File"]:
        """Those whose time has begun by now and whose checksum comes after the marker, in order."""
        first = self.grid.open(self.grid.slot(self.listing.listed_ms))
        stems, edges = _calendar(UNITS[self.period], first // DAY, now // DAY)
        from_here = bisect_right(
            stems, marker, key=lambda stem: f"{self.start}{stem}.zip{CHECKSUM}"
        )
        for at in range(from_here, len(stems)):
            yield File(self, stems[at], edges[at], edges[at + 1])

    def file(self, stem: str) -> "File | None":
        """That of a day or month, written as in its key, whether or not it has come."""
        if not re.fullmatch(_STEMS[self.period], stem):
            return None
        try:
            first = np.array([stem], dtype=f"datetime64[{UNITS[self.period]}]")
        except ValueError:
            return None
        edges = np.append(first, first + 1).astype("datetime64[ms]").astype(np.int64)
        return File(self, stem, int(edges[0]), int(edges[1]))


@dataclass(frozen=True)
class File:
    """One zip, of the candles that open in ``[start, end)``."""

    folder: Folder
    stem: str
    start: int
    end: int

    @cached_property
    def key(self) -> str:
        """Its whole path."""
        return f"{self.folder.start}{self.stem}.zip"

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.key.rpartition("/")[2]

    @property
    def published(self) -> int:
        """A day comes on the next, a month on the first Monday of the next, if its candles have closed."""
        if self.folder.period == DAILY:
            return self.end + UPLOAD
        monday = self.end + (FIRST_MONDAY - self.end) % (7 * DAY)
        return max(monday, self.span[1]) + UPLOAD

    @cached_property
    def span(self) -> tuple[int, int]:
        """From the open of its first candle to the close of its last; empty before the listing."""
        grid, listed = self.folder.grid, self.folder.listing.listed_ms
        first = max(-((grid.anchor - self.start) // grid.step), (listed - grid.anchor) // grid.step)
        stop = -((grid.anchor - self.end) // grid.step)
        return first * grid.step + grid.anchor, stop * grid.step + grid.anchor

    @property
    def slots(self) -> int:
        """How many candles it holds at most."""
        return max(self.span[1] - self.span[0], 0) // self.folder.grid.step

    def has_rows(self, gaps: Gaps) -> bool:
        """Whether anything was traded in its time outside the gaps."""
        at, end = self.span
        at = max(at, self.folder.listing.listed_ms)
        for start, stop in sorted(gaps):
            if start <= at < stop:
                at = stop
        return at < end


@lru_cache(maxsize=256)
def _calendar(unit: str, first: int, last: int) -> tuple[list[str], list[int]]:
    """The days or months from one day to another, and in milliseconds their edges."""
    days = np.array([first, last], dtype="datetime64[D]").astype(f"datetime64[{unit}]")
    edges = np.arange(days[0], days[1] + 2)
    moments: list[int] = edges.astype("datetime64[ms]").astype(np.int64).tolist()
    return np.datetime_as_string(edges[:-1]).tolist(), moments


@dataclass(frozen=True)
class Shelves:
    """All folders of one market, in the order of their keys."""

    root: str
    listings: Sequence[Listing]
    intervals: Sequence[str]

    @cached_property
    def folders(self) -> Sequence[Folder]:
        """Days of intervals up to a day, months of all."""
        found = [
            Folder(self.root, period, listing, GRIDS[interval])
            for listing in self.listings
            for interval in self.intervals
            for period in UNITS
            if period == MONTHLY or GRIDS[interval].step <= DAY
        ]
        return sorted(found, key=lambda folder: folder.path)

    @cached_property
    def _by_start(self) -> dict[str, Folder]:
        return {folder.start: folder for folder in self.folders}

    def file(self, key: str) -> File | None:
        """The zip of that key, whether or not it has come; None if there will never be one."""
        match = _KEY.fullmatch(key)
        folder = self._by_start.get(match["start"]) if match else None
        return folder.file(match["stem"]) if match and folder else None
