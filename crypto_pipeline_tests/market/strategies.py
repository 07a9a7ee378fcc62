"""What properties are tried on: instants, windows and runs on a small grid of minutes."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.intervals import INTERVALS, Interval
from crypto_pipeline.market.windows import Window

MINUTE = timedelta(minutes=1)
START = datetime(2024, 2, 28, 22, tzinfo=UTC)
"""Where grids of minutes begin: a leap day and two midnights lie just ahead."""
DAY_IN_MINUTES = 24 * 60

intervals = st.sampled_from(INTERVALS).map(Interval.parse)
# Hypothesis wants naive bounds and gives them the zone.
instants = st.datetimes(
    datetime(1969, 6, 1),  # noqa: DTZ001
    datetime(2099, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def minute(number: int) -> datetime:
    """The instant so many minutes after START."""
    return START + number * MINUTE


def span(first: int, last: int) -> Window:
    """The window of the minutes ``first`` up to and without ``last``."""
    return Window(minute(first), minute(last))


def spans(most: int) -> st.SearchStrategy[Window]:
    """Any window of whole minutes within the first ``most``."""
    edges = st.tuples(st.integers(0, most), st.integers(0, most))
    return edges.filter(lambda pair: pair[0] != pair[1]).map(lambda pair: span(*sorted(pair)))


def runs(most: int = 120) -> st.SearchStrategy[Runs]:
    """Any set of minutes, as runs."""
    return st.lists(spans(most), max_size=8).map(Runs.of)


def minutes(of: Runs | Window) -> set[int]:
    """The numbers of the minutes that begin in runs or a window: the model of what runs are."""
    windows = of if isinstance(of, Runs) else [of]
    return {
        number
        for window in windows
        for number in range((window.start - START) // MINUTE, (window.end - START) // MINUTE)
    }
