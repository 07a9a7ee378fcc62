"""Runs of time as Postgres ranges and multiranges, and back."""

from datetime import datetime
from typing import cast

from psycopg.types.multirange import Multirange, TimestamptzMultirange
from psycopg.types.range import Range, TimestamptzRange

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import Window


def multirange(runs: Runs) -> TimestamptzMultirange:
    """Runs for SQL."""
    return TimestamptzMultirange(TimestamptzRange(run.start, run.end) for run in runs)


def runs_of(found: object) -> Runs:
    """A ``tstzmultirange`` as runs; it is sorted and disjoint already."""
    return Runs(tuple(map(window_of, cast("Multirange[datetime]", found))))


def window_of(found: object) -> Window:
    """A bounded ``tstzrange`` as a window."""
    span = cast("Range[datetime]", found)
    assert span.lower is not None
    assert span.upper is not None
    return Window(span.lower, span.upper)
