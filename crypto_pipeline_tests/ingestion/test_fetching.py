"""Fetching: pages side by side, joined into batches worth a transaction."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from anyio import create_memory_object_stream

from crypto_pipeline.errors import HostRefused, ProviderError, RequestRejected, TransientError
from crypto_pipeline.ingestion.fetching import (
    BATCH_ROWS,
    PATIENCE,
    Batch,
    Fetching,
    Page,
    batches,
)
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.plan import Request
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Client, http_client
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.writer import SeriesRows
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import Pacing

SINCE = datetime(2024, 2, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)
BTC, ETH = series_of(), series_of("ETH-USDT")


def page(source: str, rows: int) -> Page:
    """A page of so many rows."""
    return source, SeriesRows(BTC, [candle(SINCE)] * rows)


def batched(*pages: Page) -> list[Batch]:
    """The batches of pages that have all come already."""

    async def run() -> list[Batch]:
        send, receive = create_memory_object_stream[Page](max_buffer_size=len(pages))
        async with send:
            for one in pages:
                await send.send(one)
        async with receive:
            return [batch async for batch in batches(receive)]

    return asyncio.run(run())


def sizes(found: Sequence[Batch]) -> list[tuple[str, int]]:
    """Source and number of rows of each batch."""
    return [(batch.source, sum(len(part.candles) for part in batch.rows)) for batch in found]


def test_pages_that_wait_are_one_batch() -> None:
    """What has come is stored together, for a transaction costs the same for one page or ten."""
    assert [("binance", 3000)] == sizes(batched(*[page("binance", 1000)] * 3))


def test_batch_is_bounded() -> None:
    """A batch ends with the page that reaches the bound, and no page is lost."""
    found = sizes(batched(*[page("binance", 1000)] * 45))

    assert [BATCH_ROWS, BATCH_ROWS, 5000] == [rows for _, rows in found]


def test_batch_has_one_source() -> None:
    """Rows of two providers are two loads."""
    assert {"binance": 2000, "kraken": 1000} == dict(
        sizes(batched(page("binance", 1000), page("kraken", 1000), page("binance", 1000)))
    )


def fetch(line: Line, requests: Sequence[Request], failed: Sequence[ProviderError]) -> Fetching:
    """Ask everything after the first series has failed so."""
    fetching = Fetching(line, requests, {})

    async def run() -> None:
        async with http_client() as http:
            client = Client(line.provider("binance"), http, Pacing(), lambda _: None)
            for error in failed:
                fetching._note(client, requests[0].series, error)
        send, receive = create_memory_object_stream[Page](max_buffer_size=100)
        async with receive:
            await fetching.run(Pacing(), SINCE + 24 * HOUR, send)

    asyncio.run(run())
    return fetching


@pytest.mark.parametrize(
    ("failed", "asked"),
    [
        ([], 4),
        ([TransientError("cut")] * (PATIENCE - 1), 4),
        ([TransientError("cut")] * PATIENCE, 2),
        ([HostRefused("451", retry_after=9)], 2),
        ([RequestRejected("unknown")], 2),
    ],
    ids=str,
)
def test_series_that_keeps_failing_is_left_for_later(
    make_line: Callable[..., Line], sandbox: Sandbox, failed: list[ProviderError], asked: int
) -> None:
    """Some failures may be the page's; more, or a refusal, are the series', and no other's."""
    hours = [Window(SINCE + number * HOUR, SINCE + (number + 1) * HOUR) for number in range(2)]
    requests = [Request(series, window) for window in hours for series in (BTC, ETH)]
    fetching = fetch(make_line(SINCE, "BTC-USDT", "ETH-USDT"), requests, failed)

    assert asked == len(sandbox.requests())
    assert fetching.done == 4


def test_reasons_name_provider_and_instrument(make_line: Callable[..., Line]) -> None:
    """A reason can be read without knowing what was asked."""
    line, requests = make_line(SINCE), [Request(BTC, Window(SINCE, SINCE + HOUR))]
    cut = fetch(line, requests, [TransientError("cut")])
    unknown = fetch(line, requests, [RequestRejected("-1121 Invalid symbol.")])

    assert {BTC.name: "binance: cut"} == cut.failures
    assert {BTC.name: "binance rejects BTC-USDT 1m (-1121 Invalid symbol.)"} == unknown.failures
