"""The running sandbox: blocking for the demo, in a thread for tests."""

import errno
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crypto_pipeline.errors import PortInUse, UnreachableError, UsageError
from crypto_pipeline.sandbox.app import app, control
from crypto_pipeline.sandbox.control import Control, Received
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.front import ABORT
from crypto_pipeline.sandbox.settings import SandboxSettings

LOOPBACK = "127.0.0.1"
KEEP_ALIVE = 75  # seconds an idle connection is kept, as nginx does
PATIENCE = 10  # seconds for the thread to start serving


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that runs: where it is, and the control of it."""

    url: str
    control: Control

    def base_url(self, venue: str = "binance") -> str:
        """What a provider is to use in place of its real host."""
        return f"{self.url}/{venue}"

    def order(self, *faults: Fault | str) -> None:
        """Order faults, declared or in the compact form."""
        self.control.book.add(
            *(Fault.parse(fault) if isinstance(fault, str) else fault for fault in faults)
        )

    def clear_faults(self) -> None:
        """Order none."""
        self.control.book.clear()

    def requests(self) -> list[Received]:
        """What the venues were asked since the start or the last ``clear_requests``."""
        return self.control.log.newest()

    def clear_requests(self) -> None:
        """Forget what was asked."""
        self.control.log.clear()


def serve(settings: SandboxSettings, host: str = LOOPBACK, port: int = 8787) -> None:
    """Serve until SIGINT or SIGTERM. Raises PortInUse and UsageError before the first request."""
    application = app(settings)
    with closing(_listening(host, port)) as listener:
        _Server(application).run(sockets=[listener])


@contextmanager
def running(
    settings: SandboxSettings | None = None, host: str = LOOPBACK, port: int = 0
) -> Iterator[Sandbox]:
    """Serve from a thread for as long as the block lasts; port 0 takes a free one."""
    settings = settings or SandboxSettings()
    controls = control(settings)
    server = _Server(app(settings, controls))
    with closing(_listening(host, port)) as listener:
        thread = Thread(
            target=server.run, kwargs={"sockets": [listener]}, daemon=True, name="sandbox"
        )
        thread.start()
        try:
            if not server.ready.wait(PATIENCE):
                msg = f"the sandbox did not start within {PATIENCE} seconds"
                raise UnreachableError(msg)
            yield Sandbox(f"http://{host}:{listener.getsockname()[1]}", controls)
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """A quiet server that says when it is ready."""

    def __init__(self, application: ASGIApp) -> None:
        config = uvicorn.Config(
            application,
            http=_Protocol,
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            log_level="critical",
            server_header=False,
            date_header=False,  # the front tells the sandbox's own time
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn, and then tell who waits."""
        await super().startup(sockets)
        self.ready.set()


class _Protocol(HttpToolsProtocol):
    """HTTP that lets the application drop the connection, which ASGI has no word for."""

    def on_message_begin(self) -> None:
        """Put the function that drops the connection where the front finds it."""
        super().on_message_begin()
        cast("dict[str, object]", self.scope)[ABORT] = self.transport.abort


def _listening(host: str, port: int) -> socket.socket:
    """A listening socket, so that a taken port is known before anything is started."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            msg = f"port {port} on {host} is taken by another program: stop it or choose another"
            raise PortInUse(msg) from None
        msg = f"the sandbox cannot listen on {host}:{port}: {error.strerror}"
        raise UsageError(msg) from error
    return listener
