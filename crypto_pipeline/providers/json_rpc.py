"""JSON-RPC over HTTP: how calls are asked, alone or in batches, and what its errors mean.

They come with any status, 200 above all. Which methods there are is not for here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crypto_pipeline.errors import (
    HostRefused,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.providers.declaration import Params, Question, Reply
from crypto_pipeline.providers.reading import text, whole
from crypto_pipeline.providers.replies import DEFAULT_PAUSE, by_body, http_fault, reading

Call = tuple[str, Sequence[object]]
"""A method and its parameters."""

_TOO_MANY = frozenset({-32005, -32007, -32016, -32029, -32090, -32097, 15, 429})
_TOO_MANY_SAID = re.compile(
    r"rate.?limit|limit (exceeded|reached)|too many|quota|capacity|throughput|per second",
    re.IGNORECASE,
)
_NEVER = frozenset({-32600, -32601, -32602, 4444})
_NEVER_SAID = re.compile(
    r"pruned|missing trie|archive|history unavailable|historical|too old|batch of more"
    r"|not (supported|available|whitelisted)|does not exist|paid plan",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,20}")


@dataclass(frozen=True, slots=True)
class Node:
    """Where calls go on a host; ``batch`` of them fit one request, 1 where it takes no batches."""

    path: str = "/"
    params: Params = field(default_factory=dict)
    batch: int = 1

    def question(self, calls: Sequence[Call]) -> Question:
        """One request for all of them, which weighs what they weigh one by one."""
        bodies = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls)
        ]
        body: object = bodies if len(bodies) > 1 else bodies[0]
        return Question(self.path, self.params, body=body, weight=len(bodies))


def results(reply: Reply) -> list[Any]:
    """The results of a request's calls in their order, whatever order the node gave them in."""

    def read(body: Any) -> list[Any]:
        answers = body if isinstance(body, list) else [body]
        by_id = {whole(one["id"]): one["result"] for one in answers}
        return [by_id[number] for number in range(len(answers))]

    return reading(read, reply)


def quantity(value: object) -> int:
    """A number as nodes print it: 0x and hexadecimal digits, fewer than 2^80."""
    if not _QUANTITY.fullmatch(text(value)):
        raise ValueError
    return int(text(value), 16)


@by_body
def fault(reply: Reply, body: object) -> ProviderError | None:
    """The error of a call, or of one in a batch, or what HTTP says."""
    for answer in body if isinstance(body, list) else [body]:
        if isinstance(answer, dict) and answer.get("error"):
            return _meaning(answer["error"], reply)
    return http_fault(reply)


def _meaning(error: object, reply: Reply) -> ProviderError:
    """What a node lacks it will lack tomorrow: that is rejected, and the next provider is asked."""
    told: Mapping[str, object] = error if isinstance(error, dict) else {"message": error}
    code, message = told.get("code"), str(told.get("message", ""))
    said = f"{code} {message}" if code is not None else message
    by_status = http_fault(reply, said)
    if isinstance(by_status, RateLimited):
        return by_status
    if code in _NEVER or _NEVER_SAID.search(message):
        return RequestRejected(said)
    if isinstance(by_status, HostRefused):
        return by_status
    if code in _TOO_MANY or _TOO_MANY_SAID.search(message):
        return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
    return by_status or TransientError(said)
