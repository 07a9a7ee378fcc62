"""Keeps the calendar true: what the venues list, and when each series begins and ends.

The venue's list says what trades; its first candle says when a series began; its silence after the
last one, once the list says that it trades no more, says when it ended.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from crypto_pipeline.errors import ProviderError, RequestRejected
from crypto_pipeline.ingestion.fetch_log import write_log
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC, Dataset
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.candles import candle_endpoint
from crypto_pipeline.providers.client import Client, Fetch
from crypto_pipeline.providers.connecting import http_client
from crypto_pipeline.providers.instruments import first_candle, listed_instruments
from crypto_pipeline.warehouse.calendar import Listing, listings, listings_due, note_listings
from crypto_pipeline.warehouse.instruments import (
    InstrumentRow,
    instruments_read_at,
    keep_instruments,
    statuses,
)
from crypto_pipeline.warehouse.limits import SharedLimits

READ_EVERY = DAY
SOON = timedelta(hours=1)
"""How soon an instrument that trades no more is looked at again until its end is known."""
SILENCE = DAY
"""How long an instrument that trades no more must have given no candle before it is over."""
TRADING = "trading"
FEW_ATTEMPTS = 2
"""On the way to fetching, which asks the same hosts and will be told the same."""


@dataclass(slots=True)
class CalendarRead:
    """What was read: instruments by venue, changes in lists, series asked, and failures by name."""

    instruments: dict[str, int] = field(default_factory=dict)
    changes: int = 0
    series: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def read_calendar(
    line: Line, now: datetime, dataset: Dataset = OHLC, *, only_due: bool = False
) -> CalendarRead:
    """Ask every venue what it lists and when our series begin and end; safe to repeat.

    With ``only_due`` nothing is asked that was answered within a day. A provider's failure is
    noted, not raised: what was known stays.
    """
    line.register(now, dataset)
    reading = _Reading(line, dataset, now)
    names = {one.name for one in line.series}
    if only_due:
        names = listings_due(line.database, dataset, now, READ_EVERY, SOON)
    listing = [venue for venue in line.venues if line.provider(venue).instruments]
    lists = [venue for venue in listing if not only_due or _is_due(line, venue, now)]
    if names or lists:
        asyncio.run(reading.run(lists, [one for one in line.series if one.name in names]))
    return reading.done


def _is_due(line: Line, venue: str, now: datetime) -> bool:
    """Whether the venue's list was not read within a day; one read in the future was a wrong clock's."""
    read_at = instruments_read_at(line.database, venue)
    return read_at is None or not now - READ_EVERY <= read_at <= now + READ_EVERY


@dataclass(slots=True)
class _Reading:
    """One reading on its way."""

    line: Line
    dataset: Dataset
    now: datetime
    done: CalendarRead = field(default_factory=CalendarRead)
    _log: deque[Fetch] = field(default_factory=deque)

    async def run(self, lists: Sequence[str], wanted: Sequence[CandleSeries]) -> None:
        """Read the lists, then the series, and note what was found."""
        line = self.line
        known = {one.series: one for one in listings(line.database, self.dataset)}
        async with SharedLimits(line.database) as limits, http_client() as http:
            record, sleep = self._log.append, line.sleep
            clients = {
                venue: Client(line.provider(venue), http, limits, record, sleep=sleep)
                for venue in line.venues
            }
            for client in clients.values():
                client.attempts = FEW_ATTEMPTS
            await asyncio.gather(*(self._read_list(clients[venue]) for venue in lists))
            status = {venue: statuses(line.database, venue) for venue in line.venues}
            asked = (
                self._read_series(clients[one.venue], one, known[one.name], status[one.venue])
                for one in wanted
                if one.venue not in self.done.failures
            )
            found = [one for one in await asyncio.gather(*asked) if one]
        write_log(line.database, list(self._log))
        note_listings(line.database, self.dataset, found, self.now)
        self.done.series = len(found)

    async def _read_list(self, client: Client) -> None:
        name = client.provider.name
        try:
            listed = await listed_instruments(client)
        except ProviderError as error:
            self.done.failures[name] = str(error)
            return
        rows = [InstrumentRow(str(one.instrument), one.symbol, one.status) for one in listed]
        self.done.instruments[name] = len(rows)
        self.done.changes += keep_instruments(self.line.database, name, rows, self.now)

    async def _read_series(
        self, client: Client, series: CandleSeries, known: Listing, status: Mapping[str, str]
    ) -> Listing | None:
        """What is known now; None when the venue could not be asked."""
        try:
            return replace(
                known,
                listed_at=await self._listed_at(client, series, known),
                delisted_at=await self._delisted_at(client, series, known, status),
            )
        except ProviderError as error:
            self.done.failures[series.name] = str(error)
            return None

    async def _listed_at(
        self, client: Client, series: CandleSeries, known: Listing
    ) -> datetime | None:
        """The first slot; a later answer than what we hold or knew is no reason to expect less."""
        first = None
        if _tells_beginning(client, series, known):
            first = await self._first(client, series, EPOCH)
        if first is None:
            return known.listed_at
        earlier = [one for one in (first, known.listed_at, known.oldest) if one is not None]
        return series.interval.floor(min(earlier))

    async def _delisted_at(
        self, client: Client, series: CandleSeries, known: Listing, status: Mapping[str, str]
    ) -> datetime | None:
        """The end of the last slot, when the list says it is over and nothing came for a day."""
        told = status.get(str(series.instrument))
        if told in (None, TRADING):
            return None
        end, interval = known.since, series.interval
        if known.newest is not None:
            end = interval.floor(known.newest) + interval.step
        if end + SILENCE > self.now:
            return known.delisted_at
        # An end that was noted on the word of an empty answer is taken back.
        return None if await self._first(client, series, end) else end

    async def _first(
        self, client: Client, series: CandleSeries, start: datetime
    ) -> datetime | None:
        """The first candle since; where the venue knows no such series, or no longer, there is none."""
        try:
            return await first_candle(client, series, Window(start, self.now))
        except RequestRejected:
            return None


def _tells_beginning(client: Client, series: CandleSeries, known: Listing) -> bool:
    """Whether the venue has the first candle; a search for it, of dozens of requests, is made once."""
    try:
        endpoint = candle_endpoint(client.provider, series)
    except RequestRejected:
        return False
    return endpoint.depth is None and (endpoint.tells_first or known.listed_at is None)
