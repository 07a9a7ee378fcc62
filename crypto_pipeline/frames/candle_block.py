"""Many candles as arrays: what a file of a month holds, ready to be sent to the database as it is.

Exact: each number is its decimal digits in groups of four, as Postgres stores a numeric, with the
count of digits that were printed after the point. Reading files belongs in ``kline_files``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from crypto_pipeline.frames.candles import Candle, Rejected, broken_promise
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import EPOCH, Interval
from crypto_pipeline.market.windows import DAY

GROUP = 4
"""Decimal digits in a group."""
PRICES = slice(0, 4)
_MICROSECOND = timedelta(microseconds=1)
_KEY_GROUPS = 4
"""Groups that fit a 64-bit integer whole, by which prices are compared."""

Digits = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class CandleBlock:
    """Candles of one series in the order of their open times, one for each; no value is null."""

    open_times: npt.NDArray[np.int64]
    """Microseconds since 1970."""
    digits: Digits
    """By value (open, high, low, close, volume, quote volume), group of four digits, and candle."""
    point: int
    """How many of the groups stand before the decimal point."""
    scales: npt.NDArray[np.uint8]
    """By value and candle: the digits printed after the point."""
    trade_counts: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """How many candles."""
        return len(self.open_times)

    def __iter__(self) -> Iterator[Candle]:
        """The same as typed rows, digit for digit."""
        values = zip(self.digits.transpose(2, 0, 1).tolist(), self.scales.T.tolist(), strict=True)
        told = zip(self.times(), values, self.trade_counts.tolist(), strict=True)
        for time, (digits, scales), count in told:
            yield Candle._make((time, *map(self._decimal, digits, scales), count))

    def only(self, chosen: npt.NDArray[np.bool_] | slice) -> "CandleBlock":
        """The candles that a mask or a slice chooses."""
        return replace(
            self,
            open_times=self.open_times[chosen],
            digits=self.digits[:, :, chosen],
            scales=self.scales[:, chosen],
            trade_counts=self.trade_counts[chosen],
        )

    def within(self, start: datetime, end: datetime) -> "CandleBlock":
        """The candles that open in [start, end)."""
        first, stop = np.searchsorted(self.open_times, [microseconds(start), microseconds(end)])
        return self.only(slice(int(first), int(stop)))

    def times(self) -> Iterator[datetime]:
        """The open times."""
        return (EPOCH + number * _MICROSECOND for number in self.open_times.tolist())

    def days(self) -> list[date]:
        """Each UTC day that a candle opens in, in order."""
        numbers = np.unique(self.open_times // (DAY // _MICROSECOND))
        return [(EPOCH + int(number) * DAY).date() for number in numbers]

    def slots(self, interval: Interval) -> npt.NDArray[np.int64]:
        """When the slots begin that the candles lie in, in microseconds since 1970."""
        step, anchor = interval.step // _MICROSECOND, microseconds(interval.anchor)
        return self.open_times - (self.open_times - anchor) % step

    def lie_in(self, runs: Runs, interval: Interval) -> npt.NDArray[np.bool_]:
        """Which of the candles lie in slots of the runs."""
        if not runs:
            return np.zeros(len(self), np.bool_)
        slots = self.slots(interval)
        starts = np.array([microseconds(run.start) for run in runs])
        ends = np.array([microseconds(run.end) for run in runs])
        places = np.searchsorted(starts, slots, "right") - 1
        return np.asarray((places >= 0) & (slots < ends[places]), np.bool_)

    @classmethod
    def of(cls, candles: Sequence[Candle]) -> "CandleBlock":
        """Typed rows, in the order of time, as arrays; none of their values is null or negative."""
        texts = [[f"{value:f}" for value in candle[1:7]] for candle in candles]
        parts = [[text.partition(".")[::2] for text in row] for row in texts]
        point = _groups(max((len(whole) for row in parts for whole, _ in row), default=1))
        after = _groups(max((len(rest) for row in parts for _, rest in row), default=1))
        digits = [[_split(*part, point, after) for part in row] for row in parts]
        return cls(
            np.array([microseconds(candle.open_time) for candle in candles], np.int64),
            np.array(digits, np.uint16).reshape(-1, 6, point + after).transpose(1, 2, 0),
            point,
            np.array([[len(rest) for _, rest in row] for row in parts], np.uint8).reshape(-1, 6).T,
            np.array([candle.trade_count for candle in candles], np.int32),
        )

    def validated(self) -> tuple["CandleBlock", list[Rejected]]:
        """Those that keep the promises of a candle, and the others with the reason."""
        suspects = ~self._keeps_promises()
        if not suspects.any():
            return self, []
        told = ((row, broken_promise(row)) for row in self.only(suspects))
        rejected = [Rejected(row, reason) for row, reason in told if reason]
        broken = np.isin(self.open_times, [microseconds(row.row[0]) for row in rejected])
        return self.only(~broken), rejected

    def _keeps_promises(self) -> npt.NDArray[np.bool_]:
        """Where all is surely well; what cannot be told from a few groups is for ``broken_promise``."""
        last = min(self.point + 2, self.digits.shape[1])
        first = max(last - _KEY_GROUPS, 0)
        prices = self.digits[PRICES]
        key = np.zeros((len(prices), len(self)), np.uint64)
        for group in range(first, last):
            key = key * np.uint64(10**GROUP) + prices[:, group]
        opened, high, low, close = key
        is_plain = ~(prices[:, :first].any((0, 1)) | prices[:, last:].any((0, 1)))
        is_within = (low <= opened) & (opened <= high) & (low <= close) & (close <= high)
        return np.asarray(is_plain & is_within & (low > 0) & (self.point <= _KEY_GROUPS), np.bool_)

    def _decimal(self, groups: Iterable[int], scale: int) -> Decimal:
        text = "".join(f"{group:04}" for group in groups)
        whole, rest = text[: GROUP * self.point], text[GROUP * self.point :]
        printed = rest[:scale].ljust(scale, "0")
        return Decimal(f"{whole}.{printed}" if printed else whole)


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - EPOCH) // _MICROSECOND


def _groups(digits: int) -> int:
    return max(-(-digits // GROUP), 1)


def _split(whole: str, rest: str, point: int, after: int) -> list[int]:
    """The groups of a number that was printed as ``whole.rest``."""
    text = whole.zfill(GROUP * point) + rest.ljust(GROUP * after, "0")
    return [int(text[at : at + GROUP]) for at in range(0, len(text), GROUP)]
