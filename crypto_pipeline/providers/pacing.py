"""Who may ask a host, and when: the contract the client asks before every request.

The state is shared by all processes, so it lives with the warehouse; here is only its shape, and
the back-off between two tries.
"""

import random
from typing import Protocol

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


class Pacer(Protocol):
    """Shares a host's allowance between every process that asks it."""

    async def reserve(self, host: str, weight: int, per_minute: int) -> float:
        """Take ``weight`` from the allowance; the seconds to wait before using it."""
        ...

    async def blocked_for(self, host: str) -> float:
        """The seconds for which the host must be left alone; 0 when it may be asked."""
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
