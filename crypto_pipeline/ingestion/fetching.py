"""Fetches planned requests side by side and hands their rows on in batches worth a transaction."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from anyio import EndOfStream, WouldBlock
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from crypto_pipeline.errors import HostRefused, ProviderError, RequestRejected
from crypto_pipeline.ingestion.fetch_log import flush_log
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.plan import Request
from crypto_pipeline.ingestion.telling import Telling
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import Attempt, Vain
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candles import candle_pages
from crypto_pipeline.providers.client import Client, Fetch
from crypto_pipeline.providers.connecting import http_client
from crypto_pipeline.providers.pacing import Pacer
from crypto_pipeline.warehouse.writer import SeriesRows

BATCH_ROWS = 20_000
"""Rows that are stored in one transaction, at most about."""
PATIENCE = 3
"""Requests of one series that may fail before the rest of it waits for the next run."""


class Source(NamedTuple):
    """Who gave rows, and how far they are trusted: 0 is the venue itself, greater is less."""

    name: str
    trust: int = 0


@dataclass(slots=True)
class Batch:
    """Rows of one source, worth a transaction."""

    source: Source
    rows: list[SeriesRows]


Page = tuple[Source, SeriesRows]
PageSender = MemoryObjectSendStream[Page]
PageReceiver = MemoryObjectReceiveStream[Page]


@dataclass(slots=True)
class Fetching:
    """One window's requests on their way.

    ``attempts`` gathers what came of each by series name, ``failures`` the last reason, ``silent``
    the series whose source gave no answer at all.
    """

    line: Line
    requests: Sequence[Request]
    failures: dict[str, str] = field(default_factory=dict)
    attempts: defaultdict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    silent: set[str] = field(default_factory=set)
    done: int = 0
    _log: deque[Fetch] = field(default_factory=deque)
    _failed: Counter[str] = field(default_factory=Counter)
    _ruled_out: dict[str, Vain] = field(default_factory=dict)

    async def run(self, pacer: Pacer, now: datetime, pages: PageSender) -> None:
        """Ask everything, each venue as many at a time as it allows; ends when all is answered."""
        venues = sorted({request.series.venue for request in self.requests})
        async with pages, http_client() as http, asyncio.TaskGroup() as tasks:
            for venue in venues:
                provider, record = self.line.provider(venue), self._log.append
                client = Client(provider, http, pacer, record, sleep=self.line.sleep)
                turn = iter([one for one in self.requests if one.series.venue == venue])
                for _ in range(client.provider.limits.concurrency):
                    tasks.create_task(self._work(client, turn, now, pages))

    @property
    def planned(self) -> int:
        """How many requests are to be answered."""
        return len(self.requests)

    def flush_log(self) -> None:
        """Write what was asked since the last time to the fetch log."""
        flush_log(self.line.database, self._log)

    async def _work(
        self, client: Client, turn: Iterator[Request], now: datetime, pages: PageSender
    ) -> None:
        """Take the next request until none is left; a series that keeps failing is left for later."""
        for request in turn:
            name = request.series.name
            if name in self._ruled_out:
                self.attempts[name].append(Attempt(request.slots, self._ruled_out[name]))
            elif self._failed[name] < PATIENCE:
                await self._fetch(client, request, now, pages)
            self.done += 1

    async def _fetch(
        self, client: Client, request: Request, now: datetime, pages: PageSender
    ) -> None:
        """Ask for one request's pages and note what came of it, be it half of them."""
        series, told = request.series, Telling(client.provider, request.series)
        due = series.interval.due(now, OHLC.grace)
        parts: list[tuple[Window, Vain]] = []
        otherwise = told.unanswered
        try:
            asked = request.window, due, request.slots, request.before
            async for page in candle_pages(client, series, *asked):
                rows = SeriesRows(series, page.rows, page.frame.rejected)
                await pages.send((Source(client.provider.name), rows))
                parts += told.parts(page)
        except ProviderError as error:
            otherwise = told.failure(error)
            self.failures[series.name] = otherwise.error
            if not isinstance(error, RequestRejected):
                self.silent.add(series.name)
            self._failed[series.name] += 1
            # A refusal or rejection holds for the whole series; other failures may be the page's.
            if isinstance(error, HostRefused | RequestRejected):
                self._ruled_out[series.name] = otherwise
        self.attempts[series.name].append(Attempt(request.slots, otherwise, parts))


async def batches(pages: PageReceiver) -> AsyncIterator[Batch]:
    """Pages as they come, joined by provider up to the size worth a transaction."""
    async for first in pages:
        gathered: defaultdict[Source, list[SeriesRows]] = defaultdict(list)
        count = 0
        for source, rows in chain([first], _waiting(pages)):
            gathered[source].append(rows)
            count += len(rows.rows)
            if count >= BATCH_ROWS:
                break
        for source, parts in gathered.items():
            yield Batch(source, parts)


def _waiting(pages: PageReceiver) -> Iterator[Page]:
    """What has come already."""
    with suppress(WouldBlock, EndOfStream):
        while True:
            yield pages.receive_nowait()
