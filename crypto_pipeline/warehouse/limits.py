"""Each host's allowance, pause and health, shared by every process through one row each in Postgres."""

import math
from datetime import timedelta
from typing import Self, cast

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
A_LONG_TIME = 86_400.0
"""Seconds; whoever waits for ever waits no longer for one request."""


class SharedLimits:
    """The pacer of a run; one connection, made when first needed. Use as an async context."""

    def __init__(self, database: Database) -> None:
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
        """Give the connection back."""
        if self._connection is not None:
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
        return float(str(row[0])) if row else None

    async def standing(self, provider: str, host: str) -> Standing:
        """Whether the host must be left alone, by its own wish or for its failures."""
        row = await self._row("health", "standing", provider=provider, host=host)
        return Standing(*cast("tuple[float, State, float, bool]", row))

    async def may_try(self, provider: str, host: str) -> bool:
        """Take the one trial of a half-open host; False when another has it."""
        row = await self._row("health", "try", provider=provider, host=host, trial=TRIAL)
        return row is not None

    async def note(self, provider: str, host: str, told: Told) -> None:
        """Add a request to the host's health."""
        is_fault = told.outcome != "answered"
        await self._row(
            "health",
            "note",
            provider=provider,
            host=host,
            outcome=told.outcome,
            rest=told.rest,
            size=told.size,
            latency_ms=told.seconds * 1000,
            used_weight=told.used_weight,
            weight_limit=told.weight_limit,
            error_class=type(told.error).__name__ if is_fault else None,
            error=str(told.error) if is_fault else None,
            opens_after=OPENS_AFTER,
            shortest=SHORTEST_REST,
            longest=LONGEST_REST,
        )

    async def block(self, host: str, seconds: float) -> None:
        """Have every process leave the host alone for that long."""
        await self._seconds("block", host=host, pause=timedelta(seconds=seconds))

    async def observe(self, host: str, used: int, per_minute: int) -> None:
        """Take note of the weight the host says was used since its minute began."""
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
