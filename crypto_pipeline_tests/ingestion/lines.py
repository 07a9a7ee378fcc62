"""Lines to run at an instant of a test's choice, and what they leave behind."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crypto_pipeline.ingestion.ingest import Ingested, ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.candles import candle_endpoint
from crypto_pipeline.sandbox.server import running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.providers.asking import Asking, Browser, joined
from crypto_pipeline_tests.warehouse.storing import Row, Warehouse, as_rows

SINCE = datetime(2024, 2, 28, tzinfo=UTC)
NOW = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC)
DUE = datetime(2024, 3, 1, 12, tzinfo=UTC)
ALL, WHOLE = Window(SINCE, SINCE + 3 * DAY), Window(SINCE, DUE)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MINUTES = (DUE - SINCE) // MINUTE
FORGET_PAUSES = (
    "with rested as (delete from warehouse.provider_health) delete from warehouse.rate_limits"
)
Lines = Callable[..., Line]


def store_of(line: Line) -> Warehouse:
    """The line's warehouse, to look at."""
    return Warehouse(line.database, line.series, line.since)


def run(line: Line, window: Window = ALL, now: datetime = NOW, **options: Any) -> Ingested:
    """Ingest a window."""
    return ingest(line, window, now=now, **options)


def missing(line: Line, now: datetime = NOW, window: Window = ALL) -> dict[str, Runs]:
    """What is missing of each series."""
    return dict(line.ledger.missing(OHLC, window, now))


def holes(line: Line, *columns: str) -> list[Row]:
    """What is noted of the holes, oldest first: when each begins and ends, and these columns."""
    shown = ", ".join(("lower(slots)", "upper(slots)", *columns))
    return store_of(line).select(f"select {shown} from warehouse.holes order by slots")  # noqa: S608


def explanations(line: Line) -> list[Row]:
    """The explained runs as people see them, oldest first."""
    return store_of(line).select(
        "select explained_from, explained_to, reason from market.explanations order by 1, 2"
    )


def with_provider(line: Line, **changes: Any) -> Line:
    """The same line, its venue another."""
    return replace(line, providers={"binance": replace(line.providers["binance"], **changes)})


def with_candles(line: Line, **changes: Any) -> Line:
    """The same line, its venue's candles told otherwise."""
    endpoint = candle_endpoint(line.providers["binance"], line.series[0])
    return with_provider(line, candles=replace(endpoint, **changes))


def paged_by(line: Line, page_limit: int, concurrency: int = 4) -> Line:
    """The same line with smaller pages."""
    limits = replace(line.providers["binance"].limits, concurrency=concurrency)
    return with_provider(with_candles(line, page_limit=page_limit), limits=limits)


@contextmanager
def elsewhere(line: Line, **settings: Any) -> Iterator[Line]:
    """The same line at a sandbox of its own."""
    with running(SandboxSettings(weight_limit=None, **settings)) as venue:
        yield with_provider(line, base_url=venue.base_url())


def truth(line: Line, window: Window = WHOLE) -> list[Row]:
    """What the venue says of the first series, asked past the pipeline's planning and storing."""
    with closing(Browser()) as browser:
        asking = Asking(line.providers["binance"], browser)
        return as_rows(joined(asking.pages(line.series[0], window)))
