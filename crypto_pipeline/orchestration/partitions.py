"""Partitions: one UTC day each. The 5- and 15-minute truth is the ledger's."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

import dagster as dg

from crypto_pipeline.market.windows import Window


class Partitioned(Protocol):
    """A Dagster context that runs over one partition or a range of them."""

    @property
    def partition_time_window(self) -> dg.TimeWindow:
        """From the first partition's start to the last one's end."""
        ...

    @property
    def partition_keys(self) -> Sequence[str]:
        """The days."""
        ...


def daily(since: date) -> dg.DailyPartitionsDefinition:
    """One partition a UTC day since the first day kept, today included."""
    return dg.DailyPartitionsDefinition(start_date=since.isoformat(), timezone="UTC", end_offset=1)


def window_of(context: Partitioned) -> Window:
    """The window of a run, be it one day or a range."""
    span = context.partition_time_window
    return Window(span.start, span.end)


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags that make one run of a range of days, both ends included."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def request_days(first: date, last: date, **options: object) -> dg.RunRequest:
    """One run for a day or a range of days."""
    if first == last:
        return dg.RunRequest(partition_key=first.isoformat(), **options)  # type: ignore[arg-type]
    return dg.RunRequest(tags=range_tags(first, last), **options)  # type: ignore[arg-type]


def days_between(first: date, last: date) -> list[str]:
    """The partition keys of a range of days, both ends included."""
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
