"""One sandbox for all tests here; starting and stopping one takes longer than most of them."""

from collections.abc import Iterator

import pytest

from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings


@pytest.fixture(scope="session")
def market() -> Iterator[Sandbox]:
    """The providers' protocols on loopback, without a weight limit."""
    with running(SandboxSettings(weight_limit=None)) as one:
        yield one


@pytest.fixture
def sandbox(market: Sandbox) -> Sandbox:
    """The sandbox, as if it were new."""
    market.clear_faults()
    market.clear_requests()
    return market
