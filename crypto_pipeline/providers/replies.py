"""Telling errors from answers where HTTP itself says so: the part all providers share."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.providers.declaration import Provider, Reply

T = TypeVar("T")

DEFAULT_PAUSE = 10.0
"""Seconds to wait after a 429 that names no time."""
REFUSAL_PAUSE = 3600.0
"""Seconds to leave a host alone after a refusal that names no time."""
BAN_PAUSE = 120.0
"""Seconds to leave a host alone after a 418 that names no time: Binance's shortest ban."""
_HTTP_BAN = 418
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})


def http_fault(reply: Reply, said: str = "") -> ProviderError | None:
    """The error that the status alone means; ``said`` is the provider's own message."""
    told = f"HTTP {reply.status}" + (f": {said}" if said else "")
    match reply.status:
        case status if status < HTTPStatus.BAD_REQUEST:
            return None
        case HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited(told, retry_after=reply.retry_after or DEFAULT_PAUSE)
        case status if status == _HTTP_BAN:
            return HostRefused(told, retry_after=reply.retry_after or BAN_PAUSE)
        case HTTPStatus.FORBIDDEN | HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
            return HostRefused(told, retry_after=reply.retry_after or REFUSAL_PAUSE)
        case status if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TransientError(told)
        case _:
            return RequestRejected(told)


def read_reply(
    provider: Provider,
    reply: Reply,
    read: Callable[[Reply], T],
    accepts: frozenset[int] = frozenset(),
) -> T:
    """What a reply tells, or the error it means; ``accepts`` are further statuses of answers."""
    fault = provider.fault(reply)
    if fault is not None:
        raise fault
    if reply.status >= HTTPStatus.MULTIPLE_CHOICES and reply.status not in accepts:
        msg = f"HTTP {reply.status}: the address has moved or is not a {provider.title} API"
        raise TransientError(msg)
    return read(reply)


def by_body(
    meaning: Callable[[Reply, object], ProviderError | None],
) -> Callable[[Reply], ProviderError | None]:
    """A ``fault`` that the JSON tells; of another body it is what the status says, or that it is none."""

    @wraps(meaning)
    def fault(reply: Reply) -> ProviderError | None:
        try:
            body = json_body(reply)
        except MalformedReply as malformed:
            return http_fault(reply) or malformed
        return meaning(reply, body)

    return fault


def json_body(reply: Reply) -> object:
    """The JSON of a reply with numbers as printed (Decimal); a MalformedReply says what came instead."""
    if "json" not in reply.content_type:
        msg = (
            f"HTTP {reply.status} with {reply.content_type or 'no content type'} where JSON is due"
        )
        raise MalformedReply(msg)
    try:
        return json.loads(reply.body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        msg = f"HTTP {reply.status} with a body that is not JSON: it may be cut ({error})"
        raise MalformedReply(msg) from error


def said_in(reply: Reply, key: str) -> str:
    """What a JSON object says under a key; nothing where another body came."""
    try:
        body = json_body(reply)
    except MalformedReply:
        return ""
    return str(body.get(key, "")) if isinstance(body, dict) else ""


def reading(read: Callable[[object], T], reply: Reply) -> T:
    """What ``read`` makes of the JSON; an unexpected shape is a MalformedReply, never a bare error."""
    body = json_body(reply)
    try:
        return read(body)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        msg = f"HTTP {reply.status} with JSON of an unexpected shape: {type(error).__name__}"
        raise MalformedReply(msg) from error


def reading_rows(read: Callable[[Any], T], reply: Reply) -> list[T]:
    """What ``read`` makes of each row, where the JSON is a list of rows and nothing else."""

    def each(body: object) -> list[T]:
        if not isinstance(body, list):
            raise TypeError
        return [read(row) for row in body]

    return reading(each, reply)
