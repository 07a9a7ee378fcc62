"""The only HTTP client: paces, asks, tells errors from answers, retries, switches hosts, keeps a log.

What a request means is the provider's; where its answer goes is the caller's.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sized
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Generic, TypeVar

import httpx

from crypto_pipeline.errors import HostRefused, ProviderError, RateLimited, TransientError
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Provider, Question, Reply
from crypto_pipeline.providers.pacing import Pacer, backoff

T = TypeVar("T")

MAX_ATTEMPTS = 6
PATIENCE = 65.0
"""The longest pause, in seconds, that is waited out; for a longer one another host is asked."""
TRIES_PER_HOST = 2
CLOCK_SKEW = timedelta(seconds=2)
"""How far a host's clock may lie behind ours."""
USER_AGENT = "crypto-pipeline (+open-source market data warehouse)"


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request and its outcome, for the log; query strings stay out, for they can hold keys."""

    provider: str
    host: str
    path: str
    series: Series | None
    window: Window | None
    attempt: int
    requested_at: datetime
    seconds: float
    status: int | None
    size: int
    rows: int
    error: ProviderError | None


def counted(answer: object) -> int:
    """The rows of an answer; one that has no length is one row."""
    return len(answer) if isinstance(answer, Sized) else 1


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """A question to a provider, what it is asked for, and how its answer is read.

    A question about the whole venue has neither series nor window.
    """

    question: Question
    series: Series | None
    window: Window | None
    read: Callable[[Reply], T]
    count: Callable[[T], int] = counted


class Client:
    """Asks one provider; safe for many tasks at once, bounded by the provider's concurrency."""

    def __init__(
        self,
        provider: Provider,
        http: httpx.AsyncClient,
        pacer: Pacer,
        record: Callable[[Fetch], None],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.provider = provider
        self._http = http
        self._pacer = pacer
        self._record = record
        self.attempts = MAX_ATTEMPTS
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._now = now
        self._slots = asyncio.Semaphore(provider.limits.concurrency)

    async def ask(self, ask: Ask[T]) -> T:
        """The answer, after as many tries as it is worth; raises the last ProviderError otherwise."""
        failures = 0
        for attempt in range(1, self.attempts + 1):
            async with self._slots:
                base_url = await self._turn(failures // TRIES_PER_HOST, ask.question.weight)
                try:
                    return await self._attempt(base_url, ask, attempt)
                except (RateLimited, HostRefused) as pause:
                    await self._pacer.block(host_of(base_url), pause.retry_after)
                    last: ProviderError = pause
                    continue
                except TransientError as error:
                    failures, last = failures + 1, error
            if attempt < self.attempts:
                await self._sleep(backoff(failures, self._rng))
        raise last

    async def _turn(self, skip: int, weight: int) -> str:
        """The host to ask now; a pause that begins while this request waits is seen."""
        reserved: set[str] = set()
        while True:
            base_url, wait = await self._open_host(skip)
            host = host_of(base_url)
            if not wait and host not in reserved:
                reserved.add(host)
                allowance = self.provider.limits.weight_per_minute
                wait = await self._pacer.reserve(host, weight, allowance)
            if not wait:
                return base_url
            await self._sleep(wait)

    async def _open_host(self, skip: int) -> tuple[str, float]:
        """The first host that may be asked, and the pause before; ``skip`` starts further on."""
        hosts = self.provider.hosts
        turn = skip % len(hosts)
        pauses: list[float] = []
        for base_url in (*hosts[turn:], *hosts[:turn]):
            pause = await self._pacer.blocked_for(host_of(base_url))
            if pause <= PATIENCE:
                return base_url, pause
            pauses.append(pause)
        msg = f"{self.provider.name} refuses this address; it is asked again in {min(pauses):.0f} s"
        raise HostRefused(msg, retry_after=min(pauses))

    async def _attempt(self, base_url: str, ask: Ask[T], attempt: int) -> T:
        host = host_of(base_url)
        requested_at, began = self._now(), time.perf_counter()
        reply: Reply | None = None
        error: ProviderError | None = None
        rows = 0
        try:
            reply = await self._send(base_url, ask.question)
            answer = self._read(reply, ask)
            rows = ask.count(answer)
        except ProviderError as raised:
            error = raised
            raise
        finally:
            self._record(
                Fetch(
                    provider=self.provider.name,
                    host=host,
                    path=ask.question.path,
                    series=ask.series,
                    window=ask.window,
                    attempt=attempt,
                    requested_at=requested_at,
                    seconds=time.perf_counter() - began,
                    status=reply.status if reply else None,
                    size=len(reply.body) if reply else 0,
                    rows=rows,
                    error=error,
                )
            )
            if reply is not None:
                await self._note_weight(host, reply, requested_at)
        return answer

    async def _send(self, base_url: str, question: Question) -> Reply:
        """One request; what goes wrong below HTTP is a TransientError without the address in it."""
        params, headers = dict(question.params), dict(question.headers)
        key, secret = self.provider.key, self.provider.secret
        if key and secret and key.header:
            headers[key.header] = key.prefix + secret
        if key and secret and key.param:
            params[key.param] = secret
        method = "GET" if question.body is None else "POST"
        url = base_url + question.path
        try:
            response = await self._http.request(
                method, url, params=params, headers=headers, json=question.body
            )
        except httpx.HTTPError as error:
            msg = f"{type(error).__name__}: no whole answer came"
            raise TransientError(msg) from error
        return Reply(response.status_code, dict(response.headers), response.content)

    def _read(self, reply: Reply, ask: Ask[T]) -> T:
        fault = self.provider.fault(reply)
        if fault is not None:
            raise fault
        if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
            msg = (
                f"HTTP {reply.status}: the address has moved or is not a {self.provider.title} API"
            )
            raise TransientError(msg)
        return ask.read(reply)

    async def _note_weight(self, host: str, reply: Reply, requested_at: datetime) -> None:
        """Pass on what the host says was used this minute; at its edge it may mean the one before."""
        limits = self.provider.limits
        used = reply.headers.get(limits.used_weight_header or "", "")
        minute = self._now().replace(second=0, microsecond=0)
        if used.isdecimal() and requested_at >= minute + CLOCK_SKEW:
            await self._pacer.observe(host, int(used), limits.weight_per_minute)


def host_of(base_url: str) -> str:
    """What a pause and an allowance belong to: the address without its scheme."""
    return base_url.partition("://")[2].rstrip("/")


def http_client() -> httpx.AsyncClient:
    """The one way to make a connection pool: bounded times, no redirects, an honest name."""
    # Its line for each request holds the query string, and so perhaps a key.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(20.0, connect=10.0),
        headers={"user-agent": USER_AGENT},
        follow_redirects=False,
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
    )
