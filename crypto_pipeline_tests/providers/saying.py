"""Replies put into a provider's mouth, and what a client makes of them."""

import json
from collections.abc import Sequence

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.providers.declaration import Listed, Provider, Reply


def reply_of(body: object, status: int = 200, **headers: str) -> Reply:
    """A JSON reply; bytes are sent as they are."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {"content-type": "application/json; charset=utf-8", **named}, sent)


def fault_of(provider: Provider, body: object, status: int = 200, **headers: str) -> ProviderError:
    """The error that such a reply means to the provider."""
    fault = provider.fault(reply_of(body, status, **headers))
    assert fault is not None
    return fault


def candles_in(provider: Provider, body: object) -> Sequence[Candle]:
    """The candles of an answer."""
    reply = reply_of(body)
    assert provider.fault(reply) is None
    assert provider.candles is not None
    return provider.candles.rows(reply)


def listed_in(provider: Provider, body: object) -> Sequence[Listed]:
    """The instruments of an answer."""
    reply = reply_of(body)
    assert provider.fault(reply) is None
    assert provider.instruments is not None
    return provider.instruments.rows(reply)
