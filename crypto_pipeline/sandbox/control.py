"""The control of a running sandbox: order faults, read what was asked.

It lies under ``/_sandbox`` on the same address as the venues, which is the loopback one.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto_pipeline.errors import UsageError
from crypto_pipeline.sandbox.faults import Fault, FaultBook


@dataclass(frozen=True, slots=True)
class Received:
    """One request and what became of it; ``status`` 0 is a connection closed without a reply."""

    path: str
    query: Mapping[str, str]
    status: int
    weight: int
    at: datetime


class RequestLog:
    """The newest requests, oldest first."""

    def __init__(self, size: int) -> None:
        self._received: deque[Received] = deque(maxlen=size)

    def add(self, received: Received) -> None:
        """Keep one more, and let the oldest go when full."""
        self._received.append(received)

    def clear(self) -> None:
        """Forget all."""
        self._received.clear()

    def newest(self) -> list[Received]:
        """All that is kept."""
        return list(self._received)


@dataclass(frozen=True, slots=True)
class Control:
    """What can be asked of and told to a sandbox while it runs."""

    book: FaultBook
    log: RequestLog

    def routes(self) -> list[Route]:
        """``/faults`` to list, add and clear; ``/requests`` to list and clear."""
        return [
            Route("/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            Route("/requests", self._requests, methods=["GET", "DELETE"]),
        ]

    async def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.book.clear()
        if request.method == "POST":
            try:
                self.book.add(*_ordered(await request.body()))
            except UsageError as error:
                return _json({"error": str(error)}, 400)
        return _json([asdict(fault) for fault in self.book.standing()])

    async def _requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.log.clear()
        return _json([asdict(received) for received in self.log.newest()])


def _ordered(body: bytes) -> list[Fault]:
    """Faults from a JSON list of objects or compact strings."""
    try:
        items = orjson.loads(body)
    except orjson.JSONDecodeError:
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str | dict) for item in items):
        msg = "expected a JSON list of faults, each an object or a compact string"
        raise UsageError(msg)
    return [Fault.parse(item) if isinstance(item, str) else Fault.of(item) for item in items]


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
