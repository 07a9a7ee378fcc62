"""What a venue must bring to be part of the sandbox, and the reply it gives.

How replies travel, are delayed, cut or dropped is the front's business, the same for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request

from crypto_pipeline.sandbox.faults import Asked, Fault

JSON = "application/json;charset=UTF-8"
HTML = "text/html"


BODY = "sandbox.body"
"""The scope's key for what was posted; the front puts it there."""


def body_of(request: Request) -> bytes:
    """What was posted; a venue, which does not wait for the network, finds it already read."""
    body: bytes = request.scope.get(BODY, b"")
    return body


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP reply; ``weight`` is what the request cost at this venue."""

    status: int
    body: bytes | memoryview
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    weight: int = 0


class Venue(Protocol):
    """One provider's protocol, mounted under ``/<name>``."""

    @property
    def name(self) -> str:
        """The first part of its paths here."""

    def asked(self, path: str, request: Request) -> Asked:
        """What faults can tell the request by; ``path`` is the provider's own, without ours."""

    def reply(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """Answer the request as the venue would on a day with these faults."""
