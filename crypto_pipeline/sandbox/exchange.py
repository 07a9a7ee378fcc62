"""What the exchanges of the sandbox share: the synthetic market, the faults, and the cut of a page.

A venue's module says how a query is read and how rows are printed; Binance, whose speed matters,
has an engine of its own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import orjson
from starlette.requests import Request

from crypto_pipeline.sandbox.candles import Candles
from crypto_pipeline.sandbox.faults import (
    REFUSALS,
    ROWLESS,
    Asked,
    Fault,
    FaultBook,
    disarranged,
)
from crypto_pipeline.sandbox.grids import GRIDS, MS, Grid
from crypto_pipeline.sandbox.listings import E8, LISTINGS, Listing
from crypto_pipeline.sandbox.market import Ask, Weather, page
from crypto_pipeline.sandbox.refusals import Refusal, Words
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.tape import Tape
from crypto_pipeline.sandbox.venues import Reply, body_of

Given = Mapping[str, Any]
"""What a request says: the named parts of its path, its query, and its JSON body."""


class Row(NamedTuple):
    """A candle to print: times in milliseconds, numbers exact as text."""

    opened_at: int
    closed_at: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote: str
    trades: int


@dataclass(frozen=True, slots=True)
class Query:
    """A page as a venue was asked for it: ``start`` and ``end`` are open times in ms, both inclusive.

    Where more rows fit than ``limit``, the oldest come, or the newest; without a start always the newest.
    """

    symbol: str
    grid: Grid
    start: int | None
    end: int | None
    limit: int
    takes_newest: bool = False


class Exchange:
    """One venue over the synthetic market; a subclass is its protocol."""

    name: str
    words: Words
    candles_at: str
    """The path of candles as a regular expression; what it names is given like parameters."""
    instruments_at: str | None = None
    """The path of the list of instruments, likewise."""
    intervals: Mapping[str, str]
    """The venue's spelling of an interval, and ours."""
    listings: Sequence[Listing] = LISTINGS
    is_descending = False
    """Rows are printed newest first."""
    omits_quiet = False
    """A slot without a trade has no row; otherwise a flat one without volume."""
    depth: int | timedelta | None = None
    """How far back candles are kept: so many slots up to the running one, or so long."""

    def __init__(self, settings: SandboxSettings, book: FaultBook) -> None:
        self._settings = settings
        self._book = book
        self._known = {self.symbol(listing): listing for listing in self.listings}

    def symbol(self, listing: Listing) -> str:
        """The venue's spelling of an instrument."""
        return listing.symbol

    def query(self, given: Given) -> Query:
        """What a request for candles asks for; what cannot be read is a bad request, or a Refusal of its own."""
        raise NotImplementedError

    def page(self, query: Query, rows: Sequence[Row], /) -> object:
        """The JSON of a page of candles."""
        raise NotImplementedError

    def instruments(self, listed: Sequence[tuple[Listing, bool]]) -> object:
        """The JSON of the list of instruments, each with whether it trades."""
        raise NotImplementedError

    def asked(self, path: str, request: Request) -> Asked:
        """By symbol where candles are asked for, which alone come in pages."""
        given = self._given(self.candles_at, path, request)
        if given is None:
            return Asked(f"/{self.name}{path}")
        try:
            return Asked(f"/{self.name}{path}", self._query(given).symbol, is_page=True)
        except Refusal:
            return Asked(f"/{self.name}{path}", is_page=True)

    def reply(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """Refusal, then answer: in the order a request meets them."""
        refused = next((fault for fault in faults if fault.kind in REFUSALS), None)
        if refused:
            return replace(self.words.refusal(refused), weight=1)
        try:
            body = self._answer(path, request, [fault.kind for fault in faults])
            return Reply(200, orjson.dumps(body), weight=1)
        except Refusal as refusal:
            return replace(refusal.reply(), weight=1)

    def grid(self, spelling: object) -> Grid:
        """The interval of that spelling, or a Refusal."""
        name = self.intervals.get(str(spelling))
        if name is None:
            raise self.words.bad_request
        return GRIDS[name]

    def now(self) -> int:
        """The sandbox's time in milliseconds."""
        return int(self._settings.clock().timestamp() * 1000)

    def _given(self, pattern: str | None, path: str, request: Request) -> Given | None:
        """What the request gives if it is for that path."""
        match = re.fullmatch(pattern, path) if pattern else None
        if match is None:
            return None
        body = body_of(request)
        return {**match.groupdict(), **request.query_params, **(orjson.loads(body) if body else {})}

    def _answer(self, path: str, request: Request, kinds: Sequence[str]) -> object:
        given = self._given(self.candles_at, path, request)
        if given is not None:
            query = self._query(given)
            return self.page(query, self._rows(f"/{self.name}{path}", query, kinds))
        if self._given(self.instruments_at, path, request) is not None:
            return self.instruments(list(self._listed(f"/{self.name}{path}")))
        raise Refusal(404, {"error": "no such path in the sandbox"})

    def _query(self, given: Given) -> Query:
        try:
            return self.query(given)
        except (KeyError, TypeError, ValueError):
            raise self.words.bad_request from None

    def _listed(self, path: str) -> Iterator[tuple[Listing, bool]]:
        now = self.now()
        for symbol, listing in self._known.items():
            asked = Asked(path, symbol)
            if listing.listed_ms <= now and not self._book.holds("unlisted", asked, now):
                yield listing, not self._book.holds("delisted", asked, now)

    def _rows(self, path: str, query: Query, kinds: Sequence[str]) -> list[Row]:
        """The page's rows in the order and disorder in which they are sent."""
        now, asked = self.now(), Asked(path, query.symbol)
        listing = self._known.get(query.symbol)
        is_gone = self._book.holds("unlisted", asked, now)
        if listing is None or listing.listed_ms > now or is_gone:
            raise self.words.unknown_symbol
        found = self._found(query, listing, asked, now)
        found = found.take(np.array(disarranged(len(found), _only(kinds, "stale_page")), np.int64))
        rows = list(_printed(found, listing))
        if self.is_descending:
            rows.reverse()
        others = [kind for kind in kinds if kind != "stale_page"]
        return [rows[at] for at in disarranged(len(rows), others)]

    def _found(self, query: Query, listing: Listing, asked: Asked, now: int) -> Candles:
        gone = [span for kind in ROWLESS for span in self._book.spans(kind, asked)]
        weather = Weather(tuple(gone), self._book.spans("off_grid", asked))
        quiet, grid = self._book.spans("quiet", asked), query.grid
        if quiet and self.omits_quiet:
            weather = replace(weather, outages=weather.outages + quiet)
        oldest = max(query.start or 0, self._oldest(grid, now))
        start = None if query.start is None or query.takes_newest else oldest
        ask = Ask(start, query.end, query.limit)
        found = page(Tape(listing, self._settings.seed), grid, ask, now, weather)
        return found.within(oldest, now + 1).stilled(quiet)

    def _oldest(self, grid: Grid, now: int) -> int:
        """The open time of the oldest candle that is kept."""
        match self.depth:
            case None:
                return 0
            case timedelta():
                return now - self.depth // MS
            case slots:
                return grid.open(grid.slot(now) - slots + 1)


def spelt(pairs: str) -> Mapping[str, str]:
    """Our intervals by the venue's spelling, read from ``1m=60 1h=3600``."""
    return {theirs: ours for ours, _, theirs in (pair.partition("=") for pair in pairs.split())}


def moment(given: Given, name: str, unit: int = 1) -> int | None:
    """A time in units of so many milliseconds; None where it is not given."""
    return int(given[name]) * unit if name in given else None


def _only(kinds: Sequence[str], kind: str) -> list[str]:
    return [kind] if kind in kinds else []


def _printed(candles: Candles, listing: Listing) -> Iterator[Row]:
    tick, step = listing.tick, listing.step
    units = (tick, tick, tick, tick, step, tick * step // E8)
    for row in zip(*(column.tolist() for column in candles.columns()[:9]), strict=True):
        values = [_decimal(value * unit) for value, unit in zip(row[2:8], units, strict=True)]
        yield Row._make((*row[:2], *values, row[8]))


def _decimal(value: int) -> str:
    return f"{value // E8}.{value % E8:08d}"
