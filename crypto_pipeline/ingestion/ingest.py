"""The one use case: bring the warehouse up to date for a window. Safe to repeat, at any time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from anyio import create_memory_object_stream

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.ingestion.fetching import Fetching, Page, batches
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.plan import Request, plan
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC, Dataset
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candles import candle_endpoint
from crypto_pipeline.warehouse.limits import SharedLimits
from crypto_pipeline.warehouse.writer import Stored, Writer

NOT_IN_THE_ANSWER = "the provider answered without these slots"
PAGES_AHEAD = 32
"""Pages that may wait for the database before fetching pauses."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a window has come: requests answered of those planned, and rows that came with them."""

    done: int
    planned: int
    rows: int


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one window brought; ``failures`` holds the reason by series name."""

    requests: int
    stored: Stored
    failures: Mapping[str, str] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()

    @property
    def failed_wholly(self) -> bool:
        """Whether every series that was asked for failed and nothing was stored."""
        return bool(self.asked) and self.asked == self.failures.keys() and self.stored == Stored()


def ingest(
    line: Line,
    window: Window,
    *,
    now: datetime,
    dataset: Dataset = OHLC,
    refetch: bool = False,
    run_id: str | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Ingested:
    """Plan, fetch, validate, store and account for one window.

    ``refetch`` asks again for what is there; rows that differ are replaced and kept as revisions.
    A provider's failure is noted, not raised: what could be had is stored.
    """
    ids = line.register(now, dataset)
    missing = line.ledger.missing(dataset, window, now, refetch=refetch)
    wanted = {series: missing[series.name] for series in line.series if series.name in missing}
    requests, failures = _planned(line, wanted)
    fetching = Fetching(line, requests, failures)
    writer = Writer(line.database, ids, run_id)
    try:
        stored = asyncio.run(_run(fetching, writer, now, on_progress))
    except BaseExceptionGroup as group:
        raise _only_error(group) from None
    finally:
        writer.close()
    asked = {series.name for series in wanted}
    outcomes = [(name, failures.get(name, NOT_IN_THE_ANSWER)) for name in sorted(asked)]
    line.ledger.account(dataset, outcomes, window, now)
    return Ingested(len(requests), stored, failures, frozenset(asked))


def _planned(line: Line, wanted: Mapping[Series, Runs]) -> tuple[list[Request], dict[str, str]]:
    """The requests, and why some series cannot be asked for at all."""
    page_slots: dict[str, int] = {}
    failures: dict[str, str] = {}
    askable: dict[Series, Runs] = {}
    for series, runs in wanted.items():
        try:
            endpoint = candle_endpoint(line.provider(series.venue), series)
        except ProviderError as error:
            failures[series.name] = str(error)
            continue
        page_slots[series.venue] = endpoint.page_limit
        askable[series] = runs
    return plan(askable, page_slots), failures


async def _run(
    fetching: Fetching, writer: Writer, now: datetime, on_progress: Callable[[Progress], None]
) -> Stored:
    """Fetch and store side by side; the database works while the next pages come."""
    stored, rows = Stored(), 0
    send, receive = create_memory_object_stream[Page](max_buffer_size=PAGES_AHEAD)
    async with SharedLimits(fetching.line.database) as limits, asyncio.TaskGroup() as tasks:
        tasks.create_task(fetching.run(limits, now, send))
        async with receive:
            async for batch in batches(receive):
                stored += await asyncio.to_thread(writer.store, batch.rows, batch.source)
                rows += sum(len(part.candles) for part in batch.rows)
                await asyncio.to_thread(fetching.flush_log)
                on_progress(Progress(fetching.done, len(fetching.requests), rows))
    fetching.flush_log()
    return stored


def _only_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first real cause: what failed side by side is reported as one failure."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
