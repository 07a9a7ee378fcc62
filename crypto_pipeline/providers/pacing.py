"""Who may ask a host, and when: the contract the client asks before every request.

The state is shared by all processes, so it lives with the warehouse; here is only its shape, and
the back-off between two tries.
"""

import math
import random
from typing import Protocol

from crypto_pipeline.market.health import Standing, Told

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


class Pacer(Protocol):
    """Shares a host's allowance between every process that asks it."""

    async def reserve(
        self, host: str, weight: int, per_minute: int, longest: float = math.inf
    ) -> float | None:
        """Take ``weight`` from the allowance; the seconds to wait before using it.

        None, and nothing taken, where that would be longer than ``longest``.
        """
        ...

    async def standing(self, provider: str, host: str) -> Standing:
        """Whether the host must be left alone, by its own wish or for its failures."""
        ...

    async def may_try(self, provider: str, host: str) -> bool:
        """Take the one trial of a half-open host; False when another has it."""
        ...

    async def note(self, provider: str, host: str, told: Told) -> None:
        """Add a request to the host's health."""
        ...

    async def block(self, host: str, seconds: float) -> None:
        """Have every process leave the host alone for that long."""
        ...

    async def observe(self, host: str, used: int, per_minute: int) -> None:
        """Take note of the weight the host says was used since its minute began."""
        ...


def backoff(attempt: int, rng: random.Random) -> float:
    """Seconds before the next try: exponential with full jitter, bounded; the first attempt is 1."""
    ceiling: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 1))
    return rng.uniform(ceiling / 2, ceiling)
