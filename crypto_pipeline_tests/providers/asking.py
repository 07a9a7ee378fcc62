"""Asks a provider over real HTTP, in a time that only sleeping moves."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import httpx

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.health import Standing, Told
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.providers.candles import CandlePage, candle_pages, candle_question
from crypto_pipeline.providers.client import Ask, Client, Fetch
from crypto_pipeline.providers.connecting import http_client
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.providers.hiding import host_of
from crypto_pipeline_tests.market.examples import series_of

T = TypeVar("T")

START = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)
LONG_AFTER = datetime(2025, 1, 1, tzinfo=UTC)


def window_of(slots: int, interval: str = "1m", start: datetime = START) -> Window:
    """So many slots from a start."""
    return Window(start, start + slots * Interval.parse(interval).step)


def binance_at(*base_urls: str, page_limit: int | None = None) -> Provider:
    """Binance at other addresses, the first one its main host."""
    assert BINANCE.candles is not None
    candles = replace(BINANCE.candles, page_limit=page_limit or BINANCE.candles.page_limit)
    return replace(BINANCE, base_url=base_urls[0], mirrors=base_urls[1:], candles=candles)


@dataclass
class Pacing:
    """A pacer and a sleep over one clock that only the sleep moves; remembers all it was told."""

    clock: datetime = LONG_AFTER
    slept: list[float] = field(default_factory=list)
    blocked: dict[str, datetime] = field(default_factory=dict)
    reserved: list[tuple[str, int, int]] = field(default_factory=list)
    observed: list[tuple[str, int, int]] = field(default_factory=list)
    turn_after: float = 0.0
    noted: list[tuple[str, Told]] = field(default_factory=list)

    def now(self) -> datetime:
        """What the clock shows."""
        return self.clock

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass at once."""
        self.clock += timedelta(seconds=seconds)
        if seconds:
            self.slept.append(seconds)

    async def reserve(
        self, host: str, weight: int, per_minute: int, longest: float = math.inf
    ) -> float | None:
        """Never a wait; nobody's turn for whoever is less patient than ``turn_after``."""
        self.reserved.append((host, weight, per_minute))
        return 0.0 if self.turn_after <= longest else None

    async def standing(self, provider: str, host: str) -> Standing:  # noqa: ARG002
        """What is left of the host's pause; its failures are forgotten."""
        return Standing(max((self.blocked.get(host, self.clock) - self.clock).total_seconds(), 0.0))

    async def may_try(self, provider: str, host: str) -> bool:  # noqa: ARG002
        """Always."""
        return True

    async def note(self, provider: str, host: str, told: Told) -> None:  # noqa: ARG002
        """Remember how it went."""
        self.noted.append((host, told))

    async def block(self, host: str, seconds: float) -> None:
        """Begin a pause."""
        self.blocked[host] = self.clock + timedelta(seconds=seconds)

    async def observe(self, host: str, used: int, per_minute: int) -> None:
        """Remember what the host said."""
        self.observed.append((host, used, per_minute))


class Browser:
    """An event loop and a connection pool that outlive a question; making a pool takes 30 ms."""

    def __init__(self, timeout: float = 20.0) -> None:
        self._runner = asyncio.Runner()
        self._http = self._runner.run(_opened())
        self._http.timeout = httpx.Timeout(timeout)

    def run(self, work: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
        """What the work comes to."""

        async def worked() -> T:
            return await work(self._http)

        return self._runner.run(worked())

    def close(self) -> None:
        """Give all back."""
        self._runner.run(self._http.aclose())
        self._runner.close()


async def _opened() -> httpx.AsyncClient:
    return http_client()


@dataclass
class Asking:
    """One provider and its client's surroundings; every call is a client of its own on one clock."""

    provider: Provider
    browser: Browser
    pacing: Pacing = field(default_factory=Pacing)
    fetches: list[Fetch] = field(default_factory=list)

    def run(self, work: Callable[[Client], Awaitable[T]]) -> T:
        """What the work with a client comes to."""
        return self.browser.run(lambda http: work(self._client(http)))

    def ask(self, *asks: Ask[T]) -> list[T]:
        """The answers to questions asked side by side."""

        async def gathered(http: httpx.AsyncClient) -> list[T]:
            return await asyncio.gather(*map(self._client(http).ask, asks))

        return self.browser.run(gathered)

    def pages(
        self, series: CandleSeries, window: Window, due: datetime = LONG_AFTER
    ) -> list[CandlePage]:
        """All pages of a window."""

        async def gathered(http: httpx.AsyncClient) -> list[CandlePage]:
            return [page async for page in candle_pages(self._client(http), series, window, due)]

        return self.browser.run(gathered)

    def hosts(self) -> list[int]:
        """Which host each try went to, by its place in the provider's list."""
        hosts = [host_of(base_url) for base_url in self.provider.hosts]
        return [hosts.index(fetch.host) for fetch in self.fetches]

    def _client(self, http: httpx.AsyncClient) -> Client:
        pacing, record = self.pacing, self.fetches.append
        return Client(
            *(self.provider, http, pacing, record),
            sleep=pacing.sleep,
            rng=random.Random(7),
            now=pacing.now,
        )


def ask_of(
    provider: Provider, window: Window, series: CandleSeries | None = None
) -> Ask[Sequence[Candle]]:
    """One page of candles."""
    endpoint, series = provider.candles, series or series_of(venue=provider.name)
    assert endpoint is not None
    return Ask(
        question=candle_question(provider, series, window),
        series=series,
        window=window,
        read=endpoint.rows,
        count=len,
    )


def joined(pages: Sequence[CandlePage]) -> list[Candle]:
    """The candles of all pages, in the order they came."""
    return [candle for page in pages for candle in page.rows]
