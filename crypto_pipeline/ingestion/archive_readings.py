"""Reads files one after another in a thread of its own, some parts ahead of who uses them.

What the parts are, and what becomes of them, is the caller's.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, Self, TypeVar

PARTS_AHEAD = 4
"""Parts that are made while the one before them is used."""
T = TypeVar("T")


@dataclass(slots=True)
class Reading(Generic[T]):
    """A file whose reading has begun."""

    read: Callable[[], Iterator[T]]
    begun: Iterator[T] | None

    def parts(self) -> Iterator[T]:
        """Its parts, from the first one each time."""
        begun, self.begun = self.begun, None
        return begun or self.read()


@dataclass(slots=True)
class Turn:
    """A file's place in the order of reading; whose turn it is must take it or pass."""

    _maker: Executor
    _before: asyncio.Event
    _over: asyncio.Event

    async def begin(self, read: Callable[[], Iterator[T]]) -> Reading[T]:
        """The reading, begun when those before it are over."""
        await self._before.wait()
        loop = asyncio.get_running_loop()

        def over() -> None:
            # A run that fails leaves readings behind, whose end nobody waits for.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._over.set)

        return Reading(read, ahead(_then(read(), over), self._maker))

    def give_up(self) -> None:
        """Have the next one read: this file did not come."""
        self._over.set()


@dataclass(slots=True)
class Readings:
    """The order of reading; one thread, for more would only take the processor from each other."""

    _maker: Executor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _last: asyncio.Event | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._maker.shutdown()

    def turn(self) -> Turn:
        """The place after all that were given."""
        before, self._last = self._last, asyncio.Event()
        if before is None:
            before = asyncio.Event()
            before.set()
        return Turn(self._maker, before, self._last)


def ahead(parts: Iterator[T], maker: Executor) -> Iterator[T]:
    """The same; the maker begins at once, and makes some while the ones before them are used."""
    return _made(maker, parts, deque(maker.submit(next, parts, None) for _ in range(PARTS_AHEAD)))


def _made(maker: Executor, parts: Iterator[T], coming: deque[Future[T | None]]) -> Iterator[T]:
    while (part := coming.popleft().result()) is not None:
        coming.append(maker.submit(next, parts, None))
        yield part


def _then(parts: Iterator[T], over: Callable[[], None]) -> Iterator[T]:
    """The same, and word that they are over, however that is."""
    try:
        yield from parts
    finally:
        over()
