"""Each host's allowance and pause, shared by every process through one row in Postgres."""

from datetime import timedelta
from typing import Self

import psycopg

from crypto_pipeline.warehouse.database import Database, connect_options, unreachable
from crypto_pipeline.warehouse.statements import statements

STEADY_SHARE = 0.95
"""How much of a host's allowance is spent at an even pace; the rest may be spent at once.

A host counts by its clock minute, so burst and pace together must fit into one.
"""


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
        except psycopg.OperationalError as error:
            raise unreachable(self._database, error) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give the connection back."""
        if self._connection is not None:
            await self._connection.close()

    async def reserve(self, host: str, weight: int, per_minute: int) -> float:
        """Take ``weight`` from the allowance; the seconds to wait before using it."""
        # A heavy request is its own burst: the pace leaves room for one more of them.
        pace = min(per_minute * STEADY_SHARE, max(per_minute - weight, weight))
        cost = timedelta(minutes=weight / pace)
        burst = max(timedelta(minutes=1 - STEADY_SHARE), cost)
        return await self._seconds("reserve", host=host, cost=cost, burst=burst)

    async def blocked_for(self, host: str) -> float:
        """The seconds for which the host must be left alone; 0 when it may be asked."""
        return await self._seconds("blocked_for", host=host)

    async def block(self, host: str, seconds: float) -> None:
        """Have every process leave the host alone for that long."""
        await self._seconds("block", host=host, pause=timedelta(seconds=seconds))

    async def observe(self, host: str, used: int, per_minute: int) -> None:
        """Take note of the weight the host says was used since its minute began."""
        spent = timedelta(minutes=min(used / per_minute, 1.0))
        await self._seconds("observe", host=host, used=spent)

    async def _seconds(self, statement: str, **parameters: object) -> float:
        assert self._connection is not None
        cursor = await self._connection.execute(statements("limits")[statement], parameters)
        row = await cursor.fetchone() if cursor.description else None
        return float(str(row[0])) if row else 0.0
