"""The only HTTP client: paces, asks, tells errors from answers, retries, switches hosts, keeps a log.

What a request means is the provider's; where its answer goes is the caller's.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence, Sized
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

import httpx

from crypto_pipeline.errors import (
    DamagedFile,
    HostRefused,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.market.health import Standing, Told
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Provider, Question, Reply
from crypto_pipeline.providers.downloading import Part
from crypto_pipeline.providers.hiding import host_of, without_secret
from crypto_pipeline.providers.pacing import Pacer, backoff
from crypto_pipeline.providers.replies import read_reply

T = TypeVar("T")

MAX_ATTEMPTS = 6
PATIENCE = 65.0
"""The longest pause, in seconds, that is waited out; for a longer one another host is asked."""
LOOK_AGAIN = 1.0
"""Seconds after which to see what became of somebody's trial of a host."""
FALLBACK_ATTEMPTS = 2
FALLBACK_PATIENCE = 2.0
"""Tries, and the longest pause or turn in seconds, where somebody else can be asked as well."""
TRIES_PER_HOST = 2
CLOCK_SKEW = timedelta(seconds=2)
"""How far a host's clock may lie behind ours."""


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

    A question about the whole venue has neither series nor window. ``accepts`` are statuses that
    are answers to this question, though they have no body: 304 where we told what we have.
    """

    question: Question
    series: Series | None
    window: Window | None
    read: Callable[[Reply], T]
    count: Callable[[T], int] = counted
    accepts: frozenset[int] = frozenset()
    elsewhere: bool = False
    """Another provider can be asked, so nobody queues or tries for long."""
    into: Part | None = None
    """The file that takes the body as it comes; ``read`` gets a reply without one then."""


class _Opening(NamedTuple):
    base_url: str
    pause: float
    is_half_open: bool


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
        self.patience = PATIENCE
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._now = now
        self._slots = asyncio.Semaphore(provider.limits.concurrency)

    def at(self, base_url: str) -> "Client":
        """The same for another address of the provider, which has no mirrors."""
        other = copy(self)
        other.provider = replace(self.provider, base_url=base_url, mirrors=())
        return other

    async def ask(self, ask: Ask[T]) -> T:
        """The answer, after as many tries as it is worth; raises the last ProviderError otherwise."""
        failures = 0
        attempts = min(self.attempts, FALLBACK_ATTEMPTS) if ask.elsewhere else self.attempts
        for attempt in range(1, attempts + 1):
            async with self._slots:
                base_url = await self._turn(failures // TRIES_PER_HOST, ask)
                try:
                    return await self._attempt(base_url, ask, attempt)
                except (RateLimited, HostRefused) as pause:
                    await self._pacer.block(host_of(base_url), pause.retry_after)
                    last: ProviderError = pause
                    continue
                except DamagedFile:
                    raise  # it would be no other at the next try
                except TransientError as error:
                    failures, last = failures + 1, error
            if attempt < attempts:
                await self._sleep(backoff(failures, self._rng))
        raise last

    async def _turn(self, skip: int, ask: Ask[T]) -> str:
        """The host to ask now; a pause that begins while this request waits is seen."""
        patience = FALLBACK_PATIENCE if ask.elsewhere else self.patience
        reserved: set[str] = set()
        while True:
            base_url, wait, is_half_open = await self._open_host(skip, patience)
            host = host_of(base_url)
            if not wait and host not in reserved:
                reserved.add(host)
                wait = await self._reserved(host, ask)
            if wait:
                await self._sleep(wait)
            elif not is_half_open or await self._pacer.may_try(self.provider.name, host):
                return base_url

    async def _reserved(self, host: str, ask: Ask[T]) -> float:
        """The seconds to wait for our turn; RateLimited where others would answer sooner."""
        allowance = self.provider.limits.weight_per_minute
        longest = FALLBACK_PATIENCE if ask.elsewhere else math.inf
        wait = await self._pacer.reserve(host, ask.question.weight, allowance, longest)
        if wait is None:
            msg = f"{self.provider.name}'s allowance of {allowance} a minute is spent for now"
            raise RateLimited(msg, retry_after=longest)
        return wait

    async def _open_host(self, skip: int, patience: float) -> _Opening:
        """The first host that may be asked, and the pause before; ``skip`` starts further on.

        One whose breaker is open is passed over. Where there is no other, it is asked all the
        same while its rest is short: a blip must not make anybody wait who has nowhere else to go.
        """
        hosts = self.provider.hosts
        turn = skip % len(hosts)
        passed: list[tuple[str, Standing]] = []
        for base_url in (*hosts[turn:], *hosts[:turn]):
            standing = await self._pacer.standing(self.provider.name, host_of(base_url))
            is_half_open = standing.state == "half_open"
            if standing.blocked <= patience and (
                standing.state == "closed" or (is_half_open and not standing.is_tried)
            ):
                return _Opening(base_url, standing.blocked, is_half_open)
            passed.append((base_url, standing))
        for base_url, standing in passed:
            if max(standing.blocked, standing.resting) <= patience:
                look_again = LOOK_AGAIN if standing.state == "half_open" else 0.0
                return _Opening(base_url, max(standing.blocked, look_again), is_half_open=False)
        raise self._left_alone([standing for _, standing in passed], patience)

    def _left_alone(self, standings: Sequence[Standing], patience: float) -> HostRefused:
        pause = min(max(one.blocked, one.resting) for one in standings)
        is_refused = any(one.blocked > patience for one in standings)
        why = "refuses this address" if is_refused else "keeps failing"
        msg = f"{self.provider.name} {why}; it is asked again in {pause:.0f} s"
        return HostRefused(msg, retry_after=pause)

    async def _attempt(self, base_url: str, ask: Ask[T], attempt: int) -> T:
        host = host_of(base_url)
        requested_at, began = self._now(), time.perf_counter()
        reply: Reply | None = None
        error: ProviderError | None = None
        rows = 0
        try:
            reply = await self._send(base_url, ask)
            answer = read_reply(self.provider, reply, ask.read, ask.accepts)
            rows = ask.count(answer)
        except ProviderError as raised:
            error = without_secret(raised, self.provider.secret)
            raise
        finally:
            fetch = Fetch(
                provider=self.provider.name,
                host=host,
                path=ask.question.path,
                series=ask.series,
                window=ask.window,
                attempt=attempt,
                requested_at=requested_at,
                seconds=time.perf_counter() - began,
                status=reply.status if reply else None,
                size=(len(reply.body) if reply else 0) + (ask.into.taken if ask.into else 0),
                rows=rows,
                error=error,
            )
            self._record(fetch)
            # One that was called off says nothing of its host.
            if reply is not None or error is not None:
                await self._note(fetch, reply)
        return answer

    async def _send(self, base_url: str, ask: Ask[T]) -> Reply:
        """One request; what goes wrong below HTTP is a TransientError without the address in it."""
        question, into = ask.question, ask.into
        params = dict(question.params)
        headers = {**question.headers, **(into.headers() if into else {})}
        key, secret = self.provider.key, self.provider.secret
        if key and secret and key.header:
            headers[key.header] = key.prefix + secret
        if key and secret and key.param:
            params[key.param] = secret
        method = "GET" if question.body is None else "POST"
        url = base_url + question.path
        try:
            async with self._http.stream(
                method, url, params=params, headers=headers, json=question.body
            ) as response:
                head = Reply(response.status_code, dict(response.headers), b"")
                if into and response.is_success and not self.provider.fault(head):
                    await into.take(head, response.aiter_bytes())
                    return head
                return replace(head, body=await response.aread())
        except httpx.LocalProtocolError:
            # What it quotes may be the key.
            msg = (
                f"a header cannot be sent: look at {key.env}" if key else "a header cannot be sent"
            )
            raise RequestRejected(msg) from None
        except httpx.HTTPError as error:
            msg = f"{type(error).__name__}: no whole answer came"
            raise TransientError(msg) from error

    async def _note(self, fetch: Fetch, reply: Reply | None) -> None:
        """Pass on how the host did, and what it says was used this minute, at its edge maybe the last."""
        limits = self.provider.limits
        said = reply.headers.get(limits.used_weight_header or "", "") if reply else ""
        used = int(said) if said.isdecimal() else None
        told = Told(fetch.error, fetch.seconds, fetch.size, used, limits.weight_per_minute)
        await self._pacer.note(self.provider.name, fetch.host, told)
        minute = self._now().replace(second=0, microsecond=0)
        if used is not None and fetch.requested_at >= minute + CLOCK_SKEW:
            await self._pacer.observe(fetch.host, used, limits.weight_per_minute)
