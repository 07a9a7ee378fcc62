"""Each host's allowance, pause and health, shared by every process through one row each in Postgres."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self, TypeAlias, cast

import psycopg

from crypto_pipeline.market.health import (
    LONGEST_REST,
    OPENS_AFTER,
    SHORTEST_REST,
    TRIAL,
    Standing,
    State,
    Told,
)
from crypto_pipeline.warehouse.database import Database, connect_options, unreachable
from crypto_pipeline.warehouse.statements import statements

STEADY_SHARE = 0.95
"""How much of a host's allowance is spent at an even pace; the rest may be spent at once.

A host counts by its clock minute, so burst and pace together must fit into one.
"""
NEWS_APART = 0.25
"""Seconds between two reports that all goes well, each a statement; what goes wrong is told at once."""
A_LONG_TIME = 86_400.0
"""Seconds; whoever waits for ever waits no longer for one request."""
_WELL = Standing()
_Host: TypeAlias = tuple[str, str]
"""A provider, and one of its hosts."""


@dataclass(slots=True)
class Waits:
    """Who waits for a host's allowance, and for how many ``seconds`` somebody did.

    Requests that wait side by side for one host wait once.
    """

    clock: Callable[[], float] = time.monotonic
    seconds: float = 0.0
    _until: dict[str, tuple[float, int]] = field(default_factory=dict)

    def add(self, host: str, per_minute: int, wait: float) -> None:
        """Note that a request waits from now on."""
        now = self.clock()
        before, _ = self._until.get(host, (now, 0))
        self.seconds += max(now + wait - max(before, now), 0.0)
        self._until[host] = max(before, now + wait), per_minute

    @property
    def limited_by(self) -> str | None:
        """The limit that is waited for now, the one that lasts longest of several; None without any."""
        host = max(self._until, key=lambda one: self._until[one][0], default=None)
        if host is None or self._until[host][0] <= self.clock():
            return None
        return f"the limit of {host}, {self._until[host][1]:,} a minute"


class SharedLimits:
    """The pacer of a run; one connection, made when first needed. Use as an async context."""

    def __init__(self, database: Database) -> None:
        self.waits = Waits()
        self._looked: dict[str, float] = {}
        self._told: dict[_Host, float] = {}
        self._well_until: dict[_Host, float] = {}
        self._answers: defaultdict[_Host, list[Told]] = defaultdict(list)
        self._database = database
        self._connection: psycopg.AsyncConnection[tuple[object, ...]] | None = None

    async def __aenter__(self) -> Self:
        """Connect; DatabaseUnreachable when there is no database."""
        try:
            self._connection = await psycopg.AsyncConnection.connect(
                self._database.url,
                autocommit=True,
                **connect_options(),
            )
            # What a crash of the server may forget here is a second's worth of politeness.
            await self._connection.execute(statements("limits")["hasten"])
        except psycopg.OperationalError as error:
            raise unreachable(self._database, error) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        """Tell what is left to tell, and give the connection back."""
        if self._connection is not None:
            with suppress(psycopg.Error):  # a broken connection has been told of already
                for whom in list(self._answers):
                    await self._tell(whom)
            await self._connection.close()

    async def reserve(
        self, host: str, weight: int, per_minute: int, longest: float = math.inf
    ) -> float | None:
        """Take ``weight`` from the allowance; the seconds to wait before using it.

        None, and nothing taken, where that would be longer than ``longest``.
        """
        # A heavy request is its own burst: the pace leaves room for one more of them.
        pace = min(per_minute * STEADY_SHARE, max(per_minute - weight, weight))
        cost = timedelta(minutes=weight / pace)
        burst = max(timedelta(minutes=1 - STEADY_SHARE), cost)
        parameters = {"host": host, "cost": cost, "burst": burst}
        patience = timedelta(seconds=min(longest, A_LONG_TIME))
        row = await self._row("limits", "reserve", **parameters, longest=patience)
        if row is None:
            return None
        wait = float(str(row[0]))
        self.waits.add(host, per_minute, wait)
        return wait

    async def standing(self, provider: str, host: str) -> Standing:
        """Whether the host must be left alone, by its own wish or for its failures.

        That it need not be holds for a moment: what others have heard meanwhile is heard after it.
        """
        whom = provider, host
        if self.waits.clock() < self._well_until.get(whom, -math.inf):
            return _WELL
        row = await self._row("health", "standing", provider=provider, host=host)
        standing = Standing(*cast("tuple[float, State, float, bool]", row))
        if standing == _WELL:
            self._well_until[whom] = self.waits.clock() + NEWS_APART
        return standing

    async def may_try(self, provider: str, host: str) -> bool:
        """Take the one trial of a half-open host; False when another has it."""
        row = await self._row("health", "try", provider=provider, host=host, trial=TRIAL)
        return row is not None

    async def note(self, provider: str, host: str, told: Told) -> None:
        """Add a request to the host's health; of many answers those of a moment are added together."""
        whom = provider, host
        if told.outcome != "answered":
            self._well_until.pop(whom, None)
            await self._tell(whom)
            await self._note(whom, [told])
            self._told.pop(whom, None)
            return
        self._answers[whom].append(told)
        if self.waits.clock() >= self._told.get(whom, -math.inf) + NEWS_APART:
            await self._tell(whom)

    async def _tell(self, whom: _Host) -> None:
        if answers := self._answers.pop(whom, None):
            self._told[whom] = self.waits.clock()
            await self._note(whom, answers)

    async def _note(self, whom: _Host, told: Sequence[Told]) -> None:
        """Add requests that ended alike."""
        last = told[-1]
        is_fault = last.outcome != "answered"
        await self._row(
            "health",
            "note",
            provider=whom[0],
            host=whom[1],
            times=len(told),
            outcome=last.outcome,
            rest=last.rest,
            size=sum(one.size for one in told),
            latency_ms=sum(one.seconds for one in told) / len(told) * 1000,
            used_weight=last.used_weight,
            weight_limit=last.weight_limit,
            error_class=type(last.error).__name__ if is_fault else None,
            error=str(last.error) if is_fault else None,
            opens_after=OPENS_AFTER,
            shortest=SHORTEST_REST,
            longest=LONGEST_REST,
        )

    async def block(self, host: str, seconds: float) -> None:
        """Have every process leave the host alone for that long."""
        self._well_until.clear()
        await self._seconds("block", host=host, pause=timedelta(seconds=seconds))

    async def observe(self, host: str, used: int, per_minute: int) -> None:
        """Take note of the weight the host says was used since its minute began."""
        now = self.waits.clock()
        if now < self._looked.get(host, -math.inf) + NEWS_APART:
            return
        self._looked[host] = now
        spent = timedelta(minutes=min(used / per_minute, 1.0))
        await self._seconds("observe", host=host, used=spent)

    async def _seconds(self, statement: str, **parameters: object) -> float:
        row = await self._row("limits", statement, **parameters)
        return float(str(row[0])) if row else 0.0

    async def _row(
        self, script: str, statement: str, **parameters: object
    ) -> tuple[object, ...] | None:
        assert self._connection is not None
        cursor = await self._connection.execute(statements(script)[statement], parameters)
        return await cursor.fetchone() if cursor.description else None
