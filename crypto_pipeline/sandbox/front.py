"""The front of a venue: every request is logged, delayed, cut or dropped here, the same for all."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from email.utils import formatdate

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from crypto_pipeline.sandbox.control import Control, Received
from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.venues import BODY, Reply, Venue

ABORT = "sandbox.abort"
"""The scope's key for a function that closes the connection at once; the server puts it there."""
CHUNK = 262_144  # bytes that a client must be ready to take before it is sent more


class Front:
    """One venue as an ASGI application."""

    def __init__(self, venue: Venue, settings: SandboxSettings, control: Control) -> None:
        self._venue = venue
        self._settings = settings
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        if request.method == "POST":
            scope[BODY] = await request.body()
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        faults = self._control.book.strike(self._venue.asked(path, request))
        await asyncio.sleep(self._delay(faults))
        kinds = [fault.kind for fault in faults]
        if "reset" in kinds:
            self._log(request, Reply(0, b""))
            scope[ABORT]()
            await asyncio.sleep(0)  # the server must see it, or it would send a 500
            return
        reply = self._venue.reply(path, request, faults)
        self._log(request, reply)
        await _send(reply, self._settings.clock(), send, is_cut="cut_body" in kinds)

    def _delay(self, faults: Sequence[Fault]) -> float:
        slow = sum(fault.ms for fault in faults if fault.kind == "slow")
        return (self._settings.latency_ms + slow) / 1000

    def _log(self, request: Request, reply: Reply) -> None:
        path, query = str(request.scope["path"]), dict(request.query_params)
        received = Received(path, query, reply.status, reply.weight, self._settings.clock())
        self._control.log.add(received)


async def _send(reply: Reply, now: datetime, send: Send, *, is_cut: bool) -> None:
    """Send it; a cut body is half of what Content-Length says, and the server then closes."""
    headers = {
        "content-type": reply.content_type,
        "content-length": str(len(reply.body)),
        "server": "nginx",
        "date": formatdate(now.timestamp(), usegmt=True),
        **reply.headers,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    end = len(reply.body) // 2 if is_cut else len(reply.body)
    for first in range(0, max(end, 1), CHUNK):
        piece = reply.body[first : min(first + CHUNK, end)]
        more = is_cut or first + CHUNK < end
        await send({"type": "http.response.body", "body": piece, "more_body": more})
