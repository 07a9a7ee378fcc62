"""Candle intervals and the UTC grid their slots lie on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.windows import DAY, Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
WEEK = timedelta(weeks=1)

_STEPS = {
    "1s": timedelta(seconds=1),
    "1m": timedelta(minutes=1),
    "3m": timedelta(minutes=3),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "2h": timedelta(hours=2),
    "4h": timedelta(hours=4),
    "6h": timedelta(hours=6),
    "8h": timedelta(hours=8),
    "12h": timedelta(hours=12),
    "1d": DAY,
    "3d": timedelta(days=3),
    "1w": WEEK,
}
INTERVALS = tuple(_STEPS)
"""Every interval this warehouse knows, shortest first."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A fixed step on a grid; weeks start on Monday, all others count from the Unix epoch."""

    name: str
    step: timedelta

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read ``1m``, ``4h``, …; an unknown one is a UsageError that lists the known."""
        if name not in _STEPS:
            msg = f"{name!r} is not an interval: expected one of {', '.join(INTERVALS)}"
            raise UsageError(msg)
        return cls(name, _STEPS[name])

    def __str__(self) -> str:
        """The name it is parsed from."""
        return self.name

    @property
    def anchor(self) -> datetime:
        """An instant on the grid."""
        return MONDAY if self.step % WEEK == timedelta() else EPOCH

    def floor(self, moment: datetime) -> datetime:
        """The open time of the slot that holds the instant."""
        return moment - (moment - self.anchor) % self.step

    def ceil(self, moment: datetime) -> datetime:
        """The first open time at or after the instant."""
        return self.floor(moment + self.step - timedelta(microseconds=1))

    def due(self, now: datetime, grace: timedelta) -> datetime:
        """The end of the newest slot that has closed and had its grace; slots from here on are not due."""
        return self.floor(now - grace)

    def opens(self, window: Window) -> Iterator[datetime]:
        """Each open time in the window, oldest first."""
        moment = self.ceil(window.start)
        while moment < window.end:
            yield moment
            moment += self.step
