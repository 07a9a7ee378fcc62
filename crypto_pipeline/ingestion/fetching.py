"""Fetches planned requests side by side and hands their rows on in batches worth a transaction."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from anyio import EndOfStream, WouldBlock
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from crypto_pipeline.errors import HostRefused, ProviderError, RequestRejected
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.plan import Request
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.series import Series
from crypto_pipeline.providers.candles import candle_pages
from crypto_pipeline.providers.client import Client, Fetch, http_client
from crypto_pipeline.providers.pacing import Pacer
from crypto_pipeline.warehouse.fetch_log import log_fetches
from crypto_pipeline.warehouse.writer import SeriesRows

BATCH_ROWS = 20_000
"""Rows that are stored in one transaction, at most about."""
PATIENCE = 3
"""Requests of one series that may fail before the rest of it waits for the next run."""


@dataclass(slots=True)
class Batch:
    """Rows of one provider, worth a transaction."""

    source: str
    rows: list[SeriesRows]


Page = tuple[str, SeriesRows]
PageSender = MemoryObjectSendStream[Page]
PageReceiver = MemoryObjectReceiveStream[Page]


@dataclass(slots=True)
class Fetching:
    """One window's requests on their way; ``failures`` gathers the reason by series name."""

    line: Line
    requests: Sequence[Request]
    failures: dict[str, str]
    done: int = 0
    _log: deque[Fetch] = field(default_factory=deque)
    _failed: Counter[str] = field(default_factory=Counter)

    async def run(self, pacer: Pacer, now: datetime, pages: PageSender) -> None:
        """Ask everything, each venue as many at a time as it allows; ends when all is answered."""
        venues = sorted({request.series.venue for request in self.requests})
        async with pages, http_client() as http, asyncio.TaskGroup() as tasks:
            for venue in venues:
                client = Client(self.line.provider(venue), http, pacer, self._log.append)
                turn = iter([one for one in self.requests if one.series.venue == venue])
                for _ in range(client.provider.limits.concurrency):
                    tasks.create_task(self._work(client, turn, now, pages))

    def flush_log(self) -> None:
        """Write what was asked since the last time to the fetch log."""
        # The clients append to this very deque while another thread takes from it.
        entries = [self._log.popleft() for _ in range(len(self._log))]
        if entries:
            log_fetches(self.line.database, map(_entry, entries))

    async def _work(
        self, client: Client, turn: Iterator[Request], now: datetime, pages: PageSender
    ) -> None:
        """Take the next request until none is left; a series that keeps failing is left for later."""
        for request in turn:
            if self._failed[request.series.name] < PATIENCE:
                try:
                    await self._fetch(client, request, now, pages)
                except ProviderError as error:
                    self._note(client, request.series, error)
            self.done += 1

    async def _fetch(
        self, client: Client, request: Request, now: datetime, pages: PageSender
    ) -> None:
        series = request.series
        due = series.interval.due(now, OHLC.grace)
        async for frame in candle_pages(client, series, request.window, due):
            rows = SeriesRows(series, frame.candles, frame.rejected)
            await pages.send((client.provider.name, rows))

    def _note(self, client: Client, series: Series, error: ProviderError) -> None:
        """A refusal or rejection holds for the whole series; other failures may be the page's."""
        name = client.provider.name
        is_final = isinstance(error, HostRefused | RequestRejected)
        self._failed[series.name] += PATIENCE if is_final else 1
        reason = f"{name}: {error}"
        if isinstance(error, RequestRejected):
            reason = f"{name} rejects {series.instrument} {series.interval} ({error})"
        self.failures[series.name] = reason


async def batches(pages: PageReceiver) -> AsyncIterator[Batch]:
    """Pages as they come, joined by provider up to the size worth a transaction."""
    async for first in pages:
        gathered: defaultdict[str, list[SeriesRows]] = defaultdict(list)
        count = 0
        for source, rows in chain([first], _waiting(pages)):
            gathered[source].append(rows)
            count += len(rows.candles)
            if count >= BATCH_ROWS:
                break
        for source, parts in gathered.items():
            yield Batch(source, parts)


def _waiting(pages: PageReceiver) -> Iterator[Page]:
    """What has come already."""
    with suppress(WouldBlock, EndOfStream):
        while True:
            yield pages.receive_nowait()


def _entry(fetch: Fetch) -> dict[str, object]:
    error = fetch.error
    return {
        "requested_at": fetch.requested_at,
        "provider": fetch.provider,
        "host": fetch.host,
        "path": fetch.path,
        "series": fetch.series.name,
        "start": fetch.window.start,
        "end": fetch.window.end,
        "attempt": fetch.attempt,
        "duration_ms": round(fetch.seconds * 1000),
        "http_status": fetch.status,
        "bytes": fetch.size,
        "row_count": fetch.rows,
        "error_class": type(error).__name__ if error else None,
        "error": str(error) if error else None,
    }
