"""Replies put into a provider's mouth, and the values that are read in them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from crypto_pipeline.frames.observations import Observation
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Provider, Question, Reply
from crypto_pipeline_tests.providers.saying import reply_of

T = TypeVar("T")

FIVE_MINUTES, DAY = timedelta(minutes=5), timedelta(days=1)


def present_in(
    provider: Provider, body: object, dataset: str = "market_prices"
) -> Mapping[str, Observation]:
    """The present values of an answer."""
    reply = reply_of(body)
    assert provider.fault(reply) is None
    return provider.snapshots[dataset].rows(reply)


def question_of(provider: Provider, *names: str, dataset: str = "market_prices") -> Question:
    """What a provider is asked for the present values of those names."""
    return provider.snapshots[dataset].question(names)


@dataclass
class Answers:
    """Gives one body after the other, the last for ever, and remembers the questions."""

    provider: Provider
    bodies: Sequence[object]
    asked: list[Question] = field(default_factory=list)

    async def __call__(self, question: Question, read: Callable[[Reply], T]) -> T:
        """The next answer as it is read."""
        self.asked.append(question)
        reply = reply_of(self.bodies[min(len(self.asked), len(self.bodies)) - 1])
        assert self.provider.fault(reply) is None
        return read(reply)

    def past(
        self, name: str, window: Window, slot: timedelta, dataset: str = "market_prices"
    ) -> Sequence[Observation]:
        """The values of a window."""
        history = self.provider.histories[dataset]

        async def rows() -> Sequence[Observation]:
            return await history.rows(self, name, window, slot)

        return asyncio.run(rows())
