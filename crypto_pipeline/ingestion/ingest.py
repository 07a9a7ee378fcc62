"""The one use case: bring the warehouse up to date for a window. Safe to repeat, at any time."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial

from anyio import create_memory_object_stream

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.ingestion.archive_searches import beside, left, searches
from crypto_pipeline.ingestion.archiving import Archived, Archiving
from crypto_pipeline.ingestion.fetching import Fetching, Page, batches
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.observing import Observing
from crypto_pipeline.ingestion.plan import Request, plan
from crypto_pipeline.ingestion.telling import Telling
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC, Dataset
from crypto_pipeline.market.holes import SILENT_PAUSE, Attempt, Vain
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candles import candle_endpoint
from crypto_pipeline.providers.declaration import CandleEndpoint
from crypto_pipeline.warehouse.holes import account
from crypto_pipeline.warehouse.ledger import Asking, Wanted
from crypto_pipeline.warehouse.limits import SharedLimits
from crypto_pipeline.warehouse.writer import Stored, Writer

PAGES_AHEAD = 32
"""Pages that may wait for the database before fetching pauses."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a window has come: replies and files of those planned, and the rows that came with them."""

    done: int
    planned: int
    rows: int
    limited_by: str | None = None
    """The limit that is waited for at the moment; None while the program is what takes the time."""
    bytes_done: int = 0
    bytes_planned: int = 0
    """Of files; a reply's size is not known before it comes."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one window brought; ``failures`` holds the reason by series name.

    ``silent`` are the series whose source gave no answer; a rejection is one.
    """

    requests: int
    """Replies asked for, and files."""
    stored: Stored
    failures: Mapping[str, str] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    waited_for_limit_s: float = field(default=0.0, compare=False)
    """Seconds in which a request waited for its turn within a host's limit."""

    @property
    def failed_wholly(self) -> bool:
        """Whether nothing came of it because a source was silent; what was rejected is the ledger's to tell."""
        return bool(self.silent) and self.asked == self.failures.keys() and self.stored == Stored()


def ingest(
    line: Line,
    window: Window,
    *,
    now: datetime,
    dataset: Dataset = OHLC,
    asking: Asking = "missing",
    run_id: str | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Ingested:
    """Plan, fetch, validate, store and account for one window.

    Candles come from their venue's archive where that is cheaper, and all else from the venue itself.
    Asking for everything asks again for what is there: rows that differ are replaced and kept as
    revisions. Runs that nobody asked for ask patiently, and leave waiting holes alone.
    A provider's failure is noted, not raised: what could be had is stored.
    """
    ids = line.register(now, dataset)
    found = line.ledger.wanted(dataset, window, now, asking)
    writer, limits = Writer(line.database, ids, run_id, now, dataset), SharedLimits(line.database)
    archiving = Archiving(line, writer, limits, now)
    archived = archiving.done
    tell = partial(_tell, on_progress, archived)
    fetching: Fetching | Observing
    try:
        if dataset == OHLC:
            fetching = _after_archives(archiving, found, tell)
        else:
            fetching = Observing(line, dataset, found, window, now)
        stored = asyncio.run(_run(fetching, writer, limits, now, tell))
    except (Exception, BaseExceptionGroup) as raised:  # noqa: BLE001 - raised again
        error = only_error(raised)
        if isinstance(error, Exception):
            wanted = {name: one.slots for name, one in found.items()}
            account_break(line, dataset, wanted, error, now)
        raise error from None
    finally:
        writer.close()
    account(line.database, dataset, fetching.attempts, now)
    failures = archived.failures_with(fetching.failures)
    return Ingested(
        requests=archived.planned + fetching.planned,
        stored=archived.stored + stored,
        failures=failures,
        asked=frozenset(found) | frozenset(failures),
        silent=frozenset(fetching.silent) | frozenset(archived.failures),
        waited_for_limit_s=limits.waits.seconds,
    )


def _after_archives(
    archiving: Archiving, found: Mapping[str, Wanted], tell: Callable[[Progress], None]
) -> Fetching:
    """Read the files that are worth it; what they leave of what is wanted is to be fetched."""
    line, done, now = archiving.line, archiving.done, archiving.now
    wanted = {series: found[series.name] for series in line.series if series.name in found}
    if worth := searches(line, wanted, now):

        def on_step(_: Archived) -> None:
            tell(Progress(0, later(), 0))

        @cache
        def later() -> int:
            rest = {series: beside(one, series.name, done) for series, one in wanted.items()}
            return len(_planned(line, rest, now)[0])

        archiving.on_step = on_step
        asyncio.run(archiving.run(worth))
        wanted = {series: left(one, series.name, done) for series, one in wanted.items()}
    open_ = {series: one for series, one in wanted.items() if one.slots}
    return Fetching(line, *_planned(line, open_, now))


def _tell(on_progress: Callable[[Progress], None], files: Archived, at: Progress) -> None:
    """Tell how far it has come, files and all."""
    on_progress(
        replace(
            at,
            done=files.done + at.done,
            planned=files.planned + at.planned,
            rows=files.rows + at.rows,
            bytes_done=files.bytes_done,
            bytes_planned=files.bytes_planned,
        )
    )


def _planned(
    line: Line, wanted: Mapping[CandleSeries, Wanted], now: datetime
) -> tuple[list[Request], dict[str, str], defaultdict[str, list[Attempt]]]:
    """The requests, why some series cannot be asked for at all, and what is known without asking."""
    endpoints: dict[str, CandleEndpoint] = {}
    failures: dict[str, str] = {}
    attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
    askable: dict[CandleSeries, Wanted] = {}
    for series, one in wanted.items():
        provider = line.provider(series.venue)
        told = Telling(provider, series)
        try:
            endpoint = candle_endpoint(provider, series)
        except ProviderError as error:
            failures[series.name] = str(error)
            attempts[series.name].append(Attempt(one.slots, told.failure(error)))
            continue
        lost = _beyond_reach(one.slots, endpoint, series.interval, now)
        if lost:
            vain = told.beyond_reach()
            attempts[series.name].append(Attempt(lost, vain, [(run, vain) for run in lost]))
        endpoints[series.venue] = endpoint
        askable[series] = replace(one, slots=one.slots - lost, absent=one.absent - lost)
    return plan(askable, endpoints), failures, attempts


def _beyond_reach(slots: Runs, endpoint: CandleEndpoint, interval: Interval, now: datetime) -> Runs:
    """The whole slots that are older than the provider's history goes."""
    if endpoint.depth is None or not slots:
        return Runs()
    start, edge = slots.windows[0].start, interval.floor(now - endpoint.depth)
    return slots.within(Window(start, edge)) if start < edge else Runs()


async def _run(
    fetching: Fetching | Observing,
    writer: Writer,
    limits: SharedLimits,
    now: datetime,
    on_progress: Callable[[Progress], None],
) -> Stored:
    """Fetch and store side by side; the database works while the next pages come."""
    stored, rows = Stored(), 0
    send, receive = create_memory_object_stream[Page](max_buffer_size=PAGES_AHEAD)
    # Fetching ends before the stream does: what failed is told, and not that nobody listens any more.
    async with limits, receive, asyncio.TaskGroup() as tasks:
        tasks.create_task(fetching.run(limits, now, send))
        async for batch in batches(receive):
            stored += await asyncio.to_thread(writer.store, batch.rows, *batch.source)
            rows += sum(len(part.rows) for part in batch.rows)
            await asyncio.to_thread(fetching.flush_log)
            limited_by = limits.waits.limited_by
            on_progress(Progress(fetching.done, fetching.planned, rows, limited_by=limited_by))
    fetching.flush_log()
    return stored


def account_break(
    line: Line,
    dataset: Dataset,
    wanted: Mapping[str, Runs],
    error: BaseException,
    now: datetime,
) -> None:
    """A run that breaks is no evidence of anything, but the next one waits as after any failure."""
    vain = Vain(type(error).__name__, "the run failed; its log says why", SILENT_PAUSE)
    attempts = {name: [Attempt(slots, vain)] for name, slots in wanted.items()}
    with suppress(Exception):  # the database may be what failed
        account(line.database, dataset, attempts, now)


def only_error(error: BaseException) -> BaseException:
    """The first real cause: what failed side by side is reported as one failure."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
