"""When a host that keeps failing is left alone, and when it is tried again; time is an argument.

Where this is remembered, and shared by all processes, is the warehouse's.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from crypto_pipeline.errors import HostRefused, ProviderError, RateLimited, TransientError

State = Literal["closed", "open", "half_open"]
Outcome = Literal["answered", "failed", "refused", "paused"]

OPENS_AFTER = 3
"""Failures in a row that are the host's fault."""
SHORTEST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)
TRIAL = timedelta(seconds=40)
"""How long a trial may take, before another may try: longer than a client waits for an answer."""


class Told(NamedTuple):
    """One request as its host's health sees it; weights are what the host said of this minute."""

    error: ProviderError | None
    seconds: float
    size: int
    used_weight: int | None = None
    weight_limit: int | None = None

    @property
    def outcome(self) -> Outcome:
        """What it says of the host: one that rejects a request, or asks for a pause, is well."""
        match self.error:
            case HostRefused():
                return "refused"
            case RateLimited():
                return "paused"
            case TransientError():
                return "failed"
            case _:
                return "answered"

    @property
    def rest(self) -> timedelta:
        """How long the host itself wants to be left alone; nothing unless it refuses."""
        error = self.error
        return timedelta(seconds=error.retry_after if isinstance(error, HostRefused) else 0)


class Standing(NamedTuple):
    """Whether a host may be asked now: the seconds it is ``blocked`` (its own wish), and its health.

    ``resting`` are the seconds until somebody may try it: its rest, or the longest that a trial
    takes, which ``is_tried`` says is under way.
    """

    blocked: float = 0.0
    state: State = "closed"
    resting: float = 0.0
    is_tried: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """A circuit breaker: closed until failures open it, half open when its rest is over."""

    failures: int = 0
    """In a row."""
    openings: int = 0
    """In a row: rests without a success after them."""
    opened_at: datetime | None = None
    open_until: datetime | None = None
    trial_until: datetime | None = None

    def state(self, now: datetime) -> State:
        """Open while it rests, and half open from then on until a success."""
        if self.open_until is None:
            return "closed"
        return "open" if now < self.open_until else "half_open"

    def is_tried(self, now: datetime) -> bool:
        """Whether a request is on its way that will tell how the host does."""
        return self.trial_until is not None and now < self.trial_until

    def may_try(self, now: datetime) -> bool:
        """Whether one request may find out how the host does: nobody else is about it."""
        return self.state(now) == "half_open" and not self.is_tried(now)

    def trying(self, now: datetime) -> "Health":
        """With one request on its way."""
        return replace(self, trial_until=now + TRIAL)

    def after(self, outcome: Outcome, now: datetime, rest: timedelta = timedelta()) -> "Health":
        """What one more request makes of it; a refusal opens it for the ``rest`` that was asked for."""
        if outcome == "answered":
            return Health()
        if outcome == "paused":
            return replace(self, trial_until=None)
        one = replace(self, failures=self.failures + 1, trial_until=None)
        if outcome == "refused":
            return _opened(one, now, max(self.openings, 1), rest)
        state = self.state(now)
        if state == "open" or (state == "closed" and one.failures < OPENS_AFTER):
            return one
        return _opened(one, now, self.openings + 1, rest_of(self.openings + 1))


def rest_of(openings: int) -> timedelta:
    """How long a host is left alone after so many openings in a row: twice as long each time."""
    return min(SHORTEST_REST * (1 << min(openings - 1, 20)), LONGEST_REST)


def _opened(health: Health, now: datetime, openings: int, rest: timedelta) -> Health:
    until = max(now + rest, health.open_until or now)
    opened_at = health.opened_at or now
    return replace(health, openings=openings, opened_at=opened_at, open_until=until)
