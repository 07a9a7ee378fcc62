"""Observations as rows of their dataset: which slot they belong to, and whether they can be kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crypto_pipeline.frames.candles import Rejected
from crypto_pipeline.frames.observations import Observation
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.writer import Row, SeriesRows

STALE_AFTER = timedelta(minutes=15)
"""A value whose own time is older is no present value."""


@dataclass(frozen=True, slots=True)
class ObservedRows:
    """What is made of the observations of one series, at an instant."""

    dataset: Dataset
    series: ObservedSeries
    now: datetime

    @property
    def present(self) -> Window:
        """The slot that is the present."""
        start = self.series.interval.floor(self.now)
        return Window(start, start + self.series.interval.step)

    def of_present(self, seen: Observation) -> SeriesRows:
        """A present value; set aside when it breaks a promise, or is the value of long ago."""
        slot, broken = self.present.start, seen.broken_promise()
        age = self.now - (seen.observed_at or self.now)
        if self.dataset.is_provisional_at is not None:
            slot = self.series.interval.floor(seen.observed_at or self.now)
        elif broken is None and age > STALE_AFTER:
            broken = f"the source's own time, {seen.observed_at}, is long past"
        row = self._row(slot, seen, is_refilled=False)
        if broken is not None:
            return SeriesRows(self.series, [], [Rejected(row, broken)])
        return SeriesRows(self.series, [row])

    def of_past(self, seen: Iterable[Observation]) -> SeriesRows:
        """Past values, the first of each slot; those without a time of their own are nobody's."""
        first: dict[datetime, Observation] = {}
        for one in sorted((one for one in seen if one.observed_at is not None), key=_time):
            first.setdefault(self.series.interval.floor(_time(one)), one)
        rows = [(self._row(slot, one, is_refilled=True), one) for slot, one in first.items()]
        return SeriesRows(
            self.series,
            [row for row, one in rows if one.broken_promise() is None],
            [Rejected(row, broken) for row, one in rows if (broken := one.broken_promise())],
        )

    def _row(self, slot: datetime, seen: Observation, *, is_refilled: bool) -> Row:
        given = {
            **seen._asdict(),
            self.dataset.time: slot,
            "is_refilled": is_refilled,
            "is_provisional": slot + self.series.interval.step > self.now,
        }
        return tuple(given[column.name] for column in self.dataset.columns)


def _time(seen: Observation) -> datetime:
    assert seen.observed_at is not None
    return seen.observed_at
