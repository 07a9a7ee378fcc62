"""Errors that a venue tells by a code in the JSON body, often with HTTP 200."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from crypto_pipeline.errors import (
    HostRefused,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.replies import (
    DEFAULT_PAUSE,
    REFUSAL_PAUSE,
    by_body,
    http_fault,
)


@dataclass(frozen=True, slots=True)
class Codes:
    """Under which keys a venue puts its code and its words, and what the codes mean.

    ``answer`` is the code of no error; a code that is not named is a rejection.
    """

    code: str
    words: str
    answer: str | None = None
    too_often: AbstractSet[str] = frozenset()
    passing: AbstractSet[str] = frozenset()
    refused: AbstractSet[str] = frozenset()
    """The address is not served: another country's law, or a ban."""

    def fault(self, reply: Reply) -> ProviderError | None:
        """The error that a reply means, in the venue's words; None for an answer."""
        return by_body(self._told)(reply)

    def _told(self, reply: Reply, body: object) -> ProviderError | None:
        code = body.get(self.code) if isinstance(body, dict) else None
        if code is None or not isinstance(body, dict) or str(code) == self.answer:
            return http_fault(reply)
        return self._meant(reply, str(code), f"{code}: {body.get(self.words, '')}")

    def _meant(self, reply: Reply, code: str, said: str) -> ProviderError:
        """The code is more exact than a status that only rejects."""
        if code in self.refused:
            return HostRefused(said, retry_after=reply.retry_after or REFUSAL_PAUSE)
        fault = http_fault(reply, said)
        if fault is not None and not isinstance(fault, RequestRejected):
            return fault
        if code in self.too_often:
            return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
        return TransientError(said) if code in self.passing else fault or RequestRejected(said)
