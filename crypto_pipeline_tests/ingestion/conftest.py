"""One sandbox for all tests here, and lines that do not wait in earnest."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.ingestion.lines import FORGET_PAUSES, store_of


@pytest.fixture(scope="session")
def market() -> Iterator[Sandbox]:
    """The providers' protocols on loopback, without a weight limit."""
    with running(SandboxSettings(weight_limit=None)) as one:
        yield one


@pytest.fixture
def sandbox(market: Sandbox) -> Sandbox:
    """The sandbox, as if it were new; starting and stopping one takes longer than most tests."""
    market.clear_faults()
    market.clear_requests()
    return market


@pytest.fixture
def make_line(make_line: Callable[..., Line]) -> Callable[..., Line]:
    """Makes lines as everywhere, for which a pause is over as soon as it is waited for."""

    def make(*parts: object, **options: object) -> Line:
        line = make_line(*parts, **options)

        async def sleep(_: float) -> None:
            await asyncio.to_thread(store_of(line).execute, FORGET_PAUSES)

        return replace(line, sleep=sleep)

    return make
