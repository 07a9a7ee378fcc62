"""Servers that answer one thing, for what no provider's protocol foresees."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.providers.asking import Browser


class Answering(ThreadingHTTPServer):
    """Gives every GET the same answer and remembers what was asked."""

    def __init__(
        self, status: int, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = status, headers, body
        self.pause = threading.Event()
        self.seconds = seconds
        self.asked: list[str] = []
        self.agents: list[str | None] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_GET(self) -> None:
        status, headers, body = self.server.answer
        with self.server.lock:
            self.server.asked.append(self.path)
            self.server.agents.append(self.headers["user-agent"])
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        self.server.pause.wait(self.server.seconds)
        with self.server.lock:
            self.server.at_once -= 1
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _serving(server: Answering) -> Iterator[Answering]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def answering() -> Iterator[Callable[..., Answering]]:
    """Start a server that always answers the same."""
    with ExitStack() as stack:

        def start(
            status: int, body: bytes = b"", *, seconds: float = 0.0, **headers: str
        ) -> Answering:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return stack.enter_context(_serving(Answering(status, named, body, seconds)))

        yield start


@pytest.fixture(scope="session")
def market() -> Iterator[Sandbox]:
    """One sandbox for all tests here; starting and stopping one takes longer than most of them."""
    with running(SandboxSettings(weight_limit=None)) as one:
        yield one


@pytest.fixture(scope="session")
def second_market() -> Iterator[Sandbox]:
    """Another one."""
    with running(SandboxSettings(weight_limit=None)) as one:
        yield one


@pytest.fixture
def sandbox(market: Sandbox) -> Sandbox:
    """The sandbox, as if it were new."""
    market.clear_faults()
    market.clear_requests()
    return market


@pytest.fixture
def mirror(second_market: Sandbox) -> Sandbox:
    """A second host of the same provider."""
    second_market.clear_faults()
    second_market.clear_requests()
    return second_market


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A connection pool for all tests here."""
    one = Browser()
    yield one
    one.close()
