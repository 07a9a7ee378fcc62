"""Observations as rows: the slot they belong to, and what is set aside."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.observations import IndexValue, Price
from crypto_pipeline.ingestion.observed_rows import STALE_AFTER, ObservedRows
from crypto_pipeline.market.datasets import FIVE_MINUTES, MARKET_PRICES, ONE_DAY, SENTIMENT
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import DAY

NOW = datetime(2026, 3, 2, 12, 3, 20, tzinfo=UTC)
SLOT = datetime(2026, 3, 2, 12, tzinfo=UTC)
PRICES = ObservedRows(MARKET_PRICES, ObservedSeries("market_prices", "bitcoin", FIVE_MINUTES), NOW)
INDEX = ObservedRows(SENTIMENT, ObservedSeries("sentiment", "fear_greed", ONE_DAY), NOW)
ONE = Decimal(1)
times = st.integers(0, 3600).map(lambda seconds: SLOT - timedelta(seconds=seconds))


def test_present_price_belongs_to_the_present_slot_and_keeps_its_own_time() -> None:
    """When it was seen and when the source says it was are two columns."""
    seen = NOW - timedelta(minutes=4)
    (row,) = PRICES.of_present(Price(seen, ONE, Decimal(2), Decimal(3), Decimal(4))).rows

    assert (SLOT, *map(Decimal, (1, 2, 3, 4)), seen, False) == row


def test_price_without_a_time_is_of_now() -> None:
    """A source that tells no time is believed to tell the present."""
    (row,) = PRICES.of_present(Price(None, ONE)).rows

    assert (SLOT, None) == (row[0], row[5])


def test_price_of_long_ago_is_set_aside() -> None:
    """A value that has stood still is not served as the present one."""
    part = PRICES.of_present(Price(NOW - STALE_AFTER - timedelta(seconds=1), ONE))

    assert [] == part.rows
    assert "is long past" in part.rejected[0].reason


def test_index_belongs_to_the_day_it_was_published_for() -> None:
    """Just after midnight the newest value can still be that of yesterday, which is over."""
    yesterday = ONE_DAY.floor(NOW) - DAY
    (old,) = INDEX.of_present(IndexValue(yesterday, ONE)).rows
    (new,) = INDEX.of_present(IndexValue(yesterday + DAY, ONE)).rows

    assert (yesterday, False) == (old[0], old[3])
    assert (yesterday + DAY, True) == (new[0], new[3])


def test_broken_observation_is_set_aside_with_the_reason() -> None:
    """Neither present nor past values that break a promise are rows."""
    broken = Price(NOW, Decimal(0))

    assert ["the price is not positive"] * 2 == [
        part.rejected[0].reason for part in (PRICES.of_present(broken), PRICES.of_past([broken]))
    ]


@given(st.lists(times))
def test_past_values_are_one_a_slot_the_first_of_each(seen: list[datetime]) -> None:
    """However many a source gives, and in whatever order, a slot has the first value in it."""
    rows = PRICES.of_past(Price(time, ONE) for time in seen).rows
    slots = {FIVE_MINUTES.floor(time) for time in seen}

    assert sorted(slots) == [row[0] for row in rows]
    assert all(row[-1] for row in rows)
    assert [min(one for one in seen if FIVE_MINUTES.floor(one) == row[0]) for row in rows] == [
        row[5] for row in rows
    ]


def test_past_value_without_a_time_belongs_nowhere() -> None:
    """Nothing is put into a slot by guessing."""
    assert [] == PRICES.of_past([Price(None, ONE)]).rows
