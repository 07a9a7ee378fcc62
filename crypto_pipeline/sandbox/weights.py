"""The request weight of each address, counted on the clock minute as Binance does, and its bans."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

PATIENCE = 10  # requests after the first 429 that are still only a 429
FIRST_BAN = 120  # seconds; each further ban lasts twice as long
LONGEST_BAN = 3 * 86_400


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the meter says: 200, 429 or 418, with the weight used this minute."""

    status: int
    used: int
    retry_after: int = 0
    banned_until: int = 0


@dataclass(slots=True)
class _Account:
    minute: int = 0
    used: int = 0
    ignored: int = 0
    banned_until: float = 0.0
    bans: int = 0


class WeightMeter:
    """Counts for every address; ``limit`` None never refuses."""

    def __init__(self, limit: int | None, clock: Callable[[], datetime]) -> None:
        self.limit = limit
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def count(self, address: str, weight: int) -> Verdict:
        """Judge one request, and add its weight unless the address is banned."""
        now = self._clock().timestamp()
        account = self._accounts.setdefault(address, _Account())
        if account.minute != now // 60:
            account.minute, account.used, account.ignored = int(now // 60), 0, 0
        if now < account.banned_until:
            return _banned(account, now)
        account.used += weight
        if self.limit is None or account.used <= self.limit:
            return Verdict(200, account.used)
        account.ignored += 1
        if account.ignored > PATIENCE:
            account.banned_until = now + min(FIRST_BAN * 2**account.bans, LONGEST_BAN)
            account.bans += 1
            return _banned(account, now)
        return Verdict(429, account.used, retry_after=math.ceil(60 - now % 60))


def _banned(account: _Account, now: float) -> Verdict:
    until = account.banned_until
    return Verdict(418, account.used, math.ceil(until - now), round(until * 1000))
