"""Asks a provider at the sandbox for present and past values over real HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from crypto_pipeline.frames.observations import Observation
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import Provider, Question, Reply
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Asking

T = TypeVar("T")

JSON = {"content-type": "application/json"}


def at(sandbox: Sandbox, provider: Provider, secret: str | None = None) -> Provider:
    """The provider at the sandbox, fast."""
    limits = replace(provider.limits, weight_per_minute=10_000_000)
    url = sandbox.base_url(provider.name)
    return replace(provider, base_url=url, limits=limits, secret=secret)


def understood(provider: Provider, dataset: str, reply: Reply) -> Mapping[str, Observation]:
    """What the client makes of an answer about the present: the provider's fault, or its values."""
    fault = provider.fault(reply)
    if fault is not None:
        raise fault
    return provider.snapshots[dataset].rows(reply)


def present(asking: Asking, dataset: str, series: str) -> Observation:
    """The present value of a series."""
    snapshot = asking.provider.snapshots[dataset]
    name = snapshot.name(series)
    assert name is not None
    ask = Ask(snapshot.question([name]), None, None, snapshot.rows)
    (values,) = asking.ask(ask)
    return values[name]


def past(
    asking: Asking, dataset: str, series: str, window: Window, step: timedelta
) -> Sequence[Observation]:
    """The past values of a series."""
    history = asking.provider.histories[dataset]
    name = history.name(series)
    assert name is not None

    async def work(client: Client) -> Sequence[Observation]:
        async def ask(question: Question, read: Callable[[Reply], T]) -> T:
            return await client.ask(Ask(question, None, window, read))

        return await history.rows(ask, name, window, step)

    return asking.run(work)
