"""Where the recorded replies lie, and sandboxes to talk to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings

NOW = datetime(2026, 3, 4, 5, 6, 7, 500_000, tzinfo=UTC)
FIXED = SandboxSettings(clock=lambda: NOW)

Start = Callable[..., tuple[Sandbox, httpx.Client]]


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The recorded replies beside the repository; without them there is nothing to compare with."""
    path = Path(__file__).parents[3] / "shared" / "corpus"
    if not path.is_dir():
        pytest.skip(f"no recorded replies at {path}")
    return path


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a sandbox at NOW with changed settings: its handle, and a client of its Binance."""
    with ExitStack() as stack:

        def started(**changes: Any) -> tuple[Sandbox, httpx.Client]:
            sandbox = stack.enter_context(running(replace(FIXED, **changes)))
            return sandbox, stack.enter_context(httpx.Client(base_url=sandbox.base_url()))

        yield started


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One unlimited sandbox for all tests of a module that change nothing in it."""
    with running(replace(FIXED, weight_limit=None)) as sandbox:
        yield sandbox


@pytest.fixture
def binance(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of the shared sandbox's Binance; no fault survives the test."""
    with httpx.Client(base_url=shared.base_url()) as client:
        yield client
    shared.clear_faults()
    shared.clear_requests()
