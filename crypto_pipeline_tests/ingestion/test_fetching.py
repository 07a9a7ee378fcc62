"""Fetching: pages side by side, joined into batches worth a transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from anyio import create_memory_object_stream

from crypto_pipeline.ingestion.fetching import (
    BATCH_ROWS,
    PATIENCE,
    Batch,
    Fetching,
    Page,
    Source,
    batches,
)
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.plan import Request
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.writer import SeriesRows
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.ingestion.lines import HOUR, MINUTE, SINCE, Lines, paged_by
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import Pacing

BTC, ETH = series_of(), series_of("ETH-USDT")


def page(source: str, rows: int) -> Page:
    """A page of so many rows."""
    return Source(source), SeriesRows(BTC, [candle(SINCE)] * rows)


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
    return [(batch.source.name, sum(len(part.rows) for part in batch.rows)) for batch in found]


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


def fetch(line: Line, requests: Sequence[Request]) -> Fetching:
    """Ask everything, one after the other, in a time that only sleeping moves."""
    pacing = Pacing()
    fetching = Fetching(replace(paged_by(line, 1000, concurrency=1), sleep=pacing.sleep), requests)

    async def run() -> None:
        send, receive = create_memory_object_stream[Page](max_buffer_size=100)
        async with receive:
            await fetching.run(pacing, SINCE + 24 * HOUR, send)

    asyncio.run(run())
    return fetching


def hours_of(*series: CandleSeries) -> list[Request]:
    """Five requests for an hour of each, in turn."""
    hours = [Window(SINCE + number * HOUR, SINCE + (number + 1) * HOUR) for number in range(5)]
    return [Request(one, hour, Runs((hour,))) for hour in hours for one in series]


def asked(sandbox: Sandbox, symbol: str) -> int:
    """How many different hours were asked for, however often."""
    requests = [request.query for request in sandbox.requests()]
    return len({query["startTime"] for query in requests if query["symbol"] == symbol})


@pytest.mark.parametrize(
    ("fault", "hours", "told"),
    [
        ("500:BTCUSDT:times=12", (5, 5), ["TransientError"] * 2 + ["Unanswered"] * 3),
        ("500:BTCUSDT", (PATIENCE, 5), ["TransientError"] * PATIENCE),
        ("451:BTCUSDT", (1, 1), ["HostRefused"] * 5),
        (f"unlisted:BTCUSDT:{SINCE:%Y-%m-%d}/2099-01-01", (1, 5), ["RequestRejected"] * 5),
    ],
)
def test_series_that_keeps_failing_is_left_for_later(
    make_line: Lines, sandbox: Sandbox, fault: str, hours: tuple[int, int], told: list[str]
) -> None:
    """Some failures may be the page's, more are the series'; a rejection is the series', a refusal the host's."""
    line = make_line(SINCE, "BTC-USDT", "ETH-USDT")
    sandbox.order(fault)
    fetching = fetch(line, hours_of(ETH, BTC))
    btc = [attempt.otherwise.error_class for attempt in fetching.attempts[BTC.name]]

    assert told == btc
    assert hours == (asked(sandbox, "BTCUSDT"), asked(sandbox, "ETHUSDT"))
    assert BTC.name in fetching.failures
    assert fetching.done == 10


def test_reasons_name_provider_and_instrument(make_line: Lines, sandbox: Sandbox) -> None:
    """A reason can be read without knowing what was asked."""
    line, nosuch = make_line(SINCE), series_of("NOSUCH-USDT")
    sandbox.order("500:BTCUSDT")
    failed = fetch(line, hours_of(BTC)).failures | fetch(line, hours_of(nosuch)).failures

    assert failed[BTC.name].startswith("binance: HTTP 500: -1001 Internal error")
    assert (
        "binance rejects NOSUCH-USDT 1m (HTTP 400: -1121 Invalid symbol.): look at ohlc.instruments"
        == failed[nosuch.name]
    )


def test_attempt_knows_what_its_pages_proved(make_line: Lines, sandbox: Sandbox) -> None:
    """What was asked for, that the rest was not in the answer, and which slots lie between its rows."""
    lost = Window(SINCE + 10 * MINUTE, SINCE + 20 * MINUTE)
    sandbox.order(Fault(kind="outage", start=lost.start, end=lost.end))
    (attempt, *_) = fetch(make_line(SINCE), hours_of(BTC)).attempts[BTC.name]

    assert (Runs((Window(SINCE, SINCE + HOUR),)), "Unanswered") == (
        attempt.asked,
        attempt.otherwise.error_class,
    )
    assert [(lost, "venue_outage")] == [(window, vain.reason) for window, vain in attempt.parts]
