"""Brings the news up to date for a window: feeds are polled once, others asked for what is missing.

Safe to repeat at any time; what a feed's answer proves is worked out in ``feeds``.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crypto_pipeline.errors import HostRefused, ProviderError, RequestRejected
from crypto_pipeline.frames.articles import Article, RejectedArticle
from crypto_pipeline.frames.mentions import Mentions
from crypto_pipeline.ingestion.feeds import FeedAnswer, whole_slots
from crypto_pipeline.ingestion.fetch_log import flush_log
from crypto_pipeline.ingestion.ingest import Ingested, Progress, account_break, only_error
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.news_windows import beyond_reach, pieces, too_old
from crypto_pipeline.ingestion.telling import NOT_IN_THE_ANSWER, failed
from crypto_pipeline.market.assets import ASSETS
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.holes import Attempt, Vain
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Client, Fetch
from crypto_pipeline.providers.connecting import http_client
from crypto_pipeline.providers.news import Marks, NewsPage, newest_news, news_endpoint, news_of
from crypto_pipeline.warehouse.holes import account
from crypto_pipeline.warehouse.ledger import Asking
from crypto_pipeline.warehouse.limits import SharedLimits, Waits
from crypto_pipeline.warehouse.news import (
    ArticleBatch,
    ArticleRow,
    FeedState,
    Source,
    feed_states,
    note_beginning,
    store_articles,
)
from crypto_pipeline.warehouse.writer import Stored

PATIENCE = 3
"""Windows of one provider that may fail before the rest of it waits for the next run."""
_UNANSWERED = Vain("Unanswered", NOT_IN_THE_ANSWER)


def ingest_news(
    line: Line,
    window: Window,
    *,
    now: datetime,
    dataset: Dataset,
    asking: Asking = "missing",
    run_id: str | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Ingested:
    """Poll the feeds that lack something of the window, ask the others for it, store and account.

    Feeds are asked whether anything is new; asking for everything has them tell all they hold. A
    provider's failure is noted, not raised: what could be had is stored.
    """
    ids = line.register(now, dataset)
    found = line.ledger.wanted(dataset, window, now, asking)
    reading = _Reading(line, dataset, now, Source("", run_id=run_id), ids, on_progress)
    # Half a slot, where the window cuts one, can be neither asked for nor proven.
    slots = {
        one: whole_slots(found[one.name].slots, one.interval)
        for one in reading.series
        if one.name in found
    }
    reading.wanted = {one: runs for one, runs in slots.items() if runs}
    reading.forgets = asking == "everything"
    reading.states = feed_states(line.database, dataset)
    try:
        asyncio.run(reading.run())
    except (Exception, BaseExceptionGroup) as raised:  # noqa: BLE001 - raised again
        error = only_error(raised)
        wanted = {one.name: slots for one, slots in reading.wanted.items()}
        account_break(line, dataset, wanted, error, now)
        raise error from None
    account(line.database, dataset, reading.attempts, now)
    asked, silent = frozenset(one.name for one in reading.wanted), frozenset(reading.silent)
    told = reading.done, reading.stored, reading.failures, asked, silent
    return Ingested(*told, reading.waits.seconds)


@dataclass(slots=True)
class _Reading:
    """One window's reading on its way."""

    line: Line
    dataset: Dataset
    now: datetime
    source: Source
    ids: Mapping[str, int]
    on_progress: Callable[[Progress], None]
    wanted: Mapping[Series, Runs] = field(default_factory=dict)
    states: Mapping[str, FeedState] = field(default_factory=dict)
    forgets: bool = False
    failures: dict[str, str] = field(default_factory=dict)
    attempts: defaultdict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    silent: set[str] = field(default_factory=set)
    stored: Stored = field(default_factory=Stored)
    done: int = 0
    planned: int = 0
    rows: int = 0
    waits: Waits = field(default_factory=Waits)
    _log: deque[Fetch] = field(default_factory=deque)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _mentions: Mentions = field(
        default_factory=lambda: Mentions((one.asset_id, one.symbol, one.name) for one in ASSETS)
    )

    @property
    def series(self) -> list[Series]:
        """The series that somebody can be asked for."""
        served = self.line.providers
        return [
            one
            for one in self.line.series_of(self.dataset)
            if one.name in served and served[one.name].news and not served[one.name].needs_key
        ]

    async def run(self) -> None:
        """Ask every provider at the same time; each is a host of its own."""
        limits = SharedLimits(self.line.database)
        self.waits = limits.waits
        async with limits, http_client() as http, asyncio.TaskGroup() as tasks:
            for series, wanted in self.wanted.items():
                provider = self.line.providers[series.name]
                client = Client(provider, http, limits, self._log.append, sleep=self.line.sleep)
                tasks.create_task(self._read(client, series, wanted))

    async def _read(self, client: Client, series: Series, wanted: Runs) -> None:
        read = self._poll if news_endpoint(client.provider).is_feed else self._refill
        await read(client, series, wanted)
        await self._flush_log()

    async def _poll(self, client: Client, series: Series, wanted: Runs) -> None:
        """Ask a feed once; what its answer does not reach is lost, and said to be."""
        self.planned += 1
        before = self.states.get(series.name)
        marks = Marks(before.etag, before.last_modified) if before and not self.forgets else Marks()
        try:
            page = await newest_news(client, series, self.now, marks)
        except ProviderError as error:
            self._failed(client, error)
            await self._begin(series, series.interval.floor(self.now))
            self.attempts[series.name].append(Attempt(wanted, failed(series.name, error)))
        else:
            answer = FeedAnswer(series.name, series.interval, before, page)
            if before is None and answer.covered:
                await self._begin(series, series.interval.ceil(answer.covered.start))
            await self._store(client, series, [page], answer.slots, answer.state)
            self.attempts[series.name].append(answer.attempt(wanted))
        self._tell()

    async def _begin(self, series: Series, begins_at: datetime) -> None:
        """What a feed held before its first poll cannot be had, so it is not expected."""
        where = self.line.database, self.dataset, series.name
        await asyncio.to_thread(note_beginning, *where, begins_at, self.now)

    async def _refill(self, client: Client, series: Series, wanted: Runs) -> None:
        """Ask for the missing windows, the newest first, until all are answered or it keeps failing."""
        endpoint = news_endpoint(client.provider)
        otherwise, failures = _UNANSWERED, 0
        lost = beyond_reach(wanted, endpoint, series.interval, self.now)
        windows = list(pieces(wanted - lost, endpoint.span))
        self.planned += len(windows)
        for window in reversed(windows):
            error = await self._window(client, series, window)
            self._tell()
            if error is not None:
                failures, otherwise = failures + 1, failed(series.name, error)
            if failures == PATIENCE or isinstance(error, HostRefused | RequestRejected):
                break
        parts = [(run, too_old(client.provider)) for run in lost]
        self.attempts[series.name].append(Attempt(wanted, otherwise, parts))

    async def _window(self, client: Client, series: Series, window: Window) -> ProviderError | None:
        """Ask for one window and store what came of it, be it half; the error that ended it."""
        pages: list[NewsPage] = []
        failure: ProviderError | None = None
        try:
            async for page in news_of(client, series, window):
                pages.append(page)  # noqa: PERF401 - what came before an error is kept
        except ProviderError as error:
            self._failed(client, error)
            failure = error
        covered = Runs.of(page.covered for page in pages if page.covered)
        await self._store(client, series, pages, whole_slots(covered, series.interval))
        return failure

    async def _store(
        self,
        client: Client,
        series: Series,
        pages: Sequence[NewsPage],
        covered: Runs,
        state: FeedState | None = None,
    ) -> None:
        told = [(one, one.broken_promise(self.now)) for page in pages for one in page.articles]
        batch = ArticleBatch(
            self.ids[series.name],
            series.interval,
            [self._row(one) for one, why in told if why is None],
            [RejectedArticle(one, why) for one, why in told if why is not None],
            covered,
            state,
        )
        trust = news_endpoint(client.provider).trust
        source = Source(client.provider.name, trust, self.source.run_id)
        async with self._writing:
            stored = await asyncio.to_thread(
                store_articles, self.line.database, batch, source, self.now
            )
            self.stored += stored
            self.rows += len(batch.rows)
        await self._flush_log()

    def _row(self, one: Article) -> ArticleRow:
        text = f"{one.title}\n{one.summary or ''}"
        return ArticleRow(one, self._mentions.of(text, one.tickers))

    def _failed(self, client: Client, error: ProviderError) -> None:
        name = client.provider.name
        self.failures[name] = failed(name, error).error
        if not isinstance(error, RequestRejected):
            self.silent.add(name)

    def _tell(self) -> None:
        self.done += 1
        limited_by = self.waits.limited_by
        self.on_progress(Progress(self.done, self.planned, self.rows, limited_by=limited_by))

    async def _flush_log(self) -> None:
        await asyncio.to_thread(flush_log, self.line.database, self._log)
