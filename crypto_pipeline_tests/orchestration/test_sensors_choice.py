"""Which days the gap sensor chooses, for any holes and whatever is in flight."""

from datetime import date, timedelta
from itertools import pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import GAS_PRICES, OHLC, SENTIMENT, Dataset
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, midnight
from crypto_pipeline.orchestration.sensors import MAX_BACKFILLS, NEAR, choose, days_at_once
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.orchestration.scene import TODAY

FIRST, SECOND, THIRD, FOURTH = (date(2026, 3, day) for day in (1, 2, 3, 4))

days = st.dates(TODAY - 120 * DAY, TODAY)
spans = st.tuples(days, st.integers(0, 20)).map(lambda one: (one[0], one[0] + one[1] * DAY))
holes = st.sets(days, max_size=50).map(lambda found: sorted(found, reverse=True))


@given(holes, st.lists(spans, max_size=MAX_BACKFILLS + 1), st.integers(1, 40))
def test_a_choice_is_bounded_free_and_newest_first(
    missing: list[date], taken: list[tuple[date, date]], max_days: int
) -> None:
    """Whatever is missing and in flight: few days, none that is worked on, the newest hole first."""
    repair = choose(missing, taken, TODAY, max_days)

    free = [day for day in missing if not any(first <= day <= last for first, last in taken)]
    assert repair.today == (TODAY if TODAY in free else None)
    if repair.older is None:
        return
    first, last = repair.older
    assert (last - first).days < max_days
    assert last == max(day for day in free if day < TODAY)
    assert first in free
    assert not any(begin <= last and first <= end for begin, end in taken)


@given(holes, st.integers(1, 150))
def test_with_nothing_in_flight_the_newest_hole_is_always_asked_for(
    missing: list[date], max_days: int
) -> None:
    """No hole waits without a reason, and the range takes in all the holes that fit and are near."""
    repair = choose(missing, [], TODAY, max_days)

    older = [day for day in missing if day < TODAY]
    fit = [day for day in older if older[0] - day < timedelta(days=max_days)]
    steps = pairwise(fit)
    near = fit[:1] + [day for _, day in takewhile(lambda step: step[0] - step[1] <= NEAR, steps)]
    assert repair.older == ((near[-1], older[0]) if older else None)


@given(holes, st.lists(spans, min_size=MAX_BACKFILLS, max_size=6))
def test_no_more_backfills_than_allowed(
    missing: list[date], taken: list[tuple[date, date]]
) -> None:
    """With enough of them in flight, only today is asked for."""
    older = [(first, min(last, TODAY - DAY)) for first, last in taken if first < TODAY]
    repair = choose(missing, older, TODAY, 31)

    assert len(older) < MAX_BACKFILLS or repair.older is None


def test_a_run_for_today_takes_no_backfills_place() -> None:
    """Two backfills may be in flight beside it."""
    repair = choose([FOURTH, FIRST], [(TODAY, TODAY), (SECOND, THIRD)], TODAY, 31)

    assert repair.older == (FOURTH, FOURTH)


def test_holes_that_are_far_apart_are_no_range() -> None:
    """A year of whole days between them would be described and judged anew for nothing."""
    repair = choose([FOURTH, FOURTH - 200 * DAY], [], TODAY, 366)

    assert repair.older == (FOURTH, FOURTH)


@pytest.mark.parametrize(
    ("dataset", "archived", "most", "expected"),
    [
        (OHLC, ("binance",), 366, 366),
        (OHLC, ("binance",), 7, 7),
        (OHLC, ("binance_usdm",), 366, 31),
        (SENTIMENT, (), 366, 366),
        (GAS_PRICES, ("binance",), 366, 31),
        (GAS_PRICES, (), 7, 7),
    ],
)
def test_a_range_is_as_long_as_its_sources_are_quick(
    dataset: Dataset, archived: tuple[str, ...], most: int, expected: int
) -> None:
    """A year where archives or single answers tell it, a month elsewhere, and what the setting allows."""
    line = Line(
        Database("postgresql://nowhere"),
        {},
        [CandleSeries("binance", Instrument.parse("BTC-USDT"), Interval.parse("1m"))],
        midnight(FIRST),
        archives=dict.fromkeys(archived, BINANCE),
    )

    assert expected == days_at_once(dataset, line, most)
