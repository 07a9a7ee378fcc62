"""Retention: old months go with all that was noted of them, and rows and ledger agree at any time."""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import FIVE_MINUTES, MARKET_PRICES, NEWS, OHLC
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.audit import EVERYTHING, audit
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.packing import pack
from crypto_pipeline.warehouse.retention import Expired, Keeping, expire, expiring, kept_from
from crypto_pipeline.warehouse.spans import runs_of
from crypto_pipeline.warehouse.writer import SeriesRows, Writer
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import (
    EMPTY,
    HOUR,
    NOW,
    Warehouse,
    hourly,
    over_postgres,
)
from crypto_pipeline_tests.warehouse.test_news import FEEDS, QUARTER, Archive, article

SINCE = datetime(2024, 1, 20, tzinfo=UTC)
FEBRUARY, MARCH = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
JANUARY_1, FEBRUARY_1 = date(2024, 1, 1), date(2024, 2, 1)
ALL = Window(datetime(2024, 1, 1, tzinfo=UTC), NOW)
HOURS = (NOW - SINCE) // HOUR
numbers = st.integers(0, HOURS - 1)
"""Hours after the start, over three months."""


@pytest.fixture
def warehouse(database: Database) -> Warehouse:
    """Hours of one series over three months: one of the first, two of the second, one of the third."""
    warehouse = hourly(database, since=SINCE)
    warehouse.store(*map(candle, (SINCE, FEBRUARY, FEBRUARY + HOUR, MARCH)))
    return warehouse


def dropped(warehouse: Warehouse, edge: datetime = MARCH) -> list[tuple[date, int]]:
    """Have what lies before an edge go; the months with their rows."""
    done = expire(warehouse.database, Keeping(OHLC, edge, 0, HOUR))
    assert [] == done.in_use
    return [(one.month, one.rows) for one in done.dropped]


def slots(opened: list[datetime]) -> Runs:
    """The slots of some hours."""
    return Runs.of(Window(at, at + HOUR) for at in opened)


def opened(warehouse: Warehouse) -> list[datetime]:
    """When the candles open, rows and packed ones."""
    rows = warehouse.select("select open_time from warehouse.ohlc_stored order by open_time")
    return [at for (at,) in rows]


def expired(warehouse: Warehouse) -> Runs:
    """What the ledger remembers to have been dropped, and that did not come back."""
    ((found,),) = warehouse.select(
        "select range_agg(expired - expected - present) from warehouse.coverage"
    )
    return runs_of(found)


def differences(warehouse: Warehouse) -> list[object]:
    """What an audit finds."""
    found = audit(warehouse.database, OHLC, EVERYTHING, repair=False, now=NOW)
    return list(found.differences)


@settings(over_postgres, max_examples=12)
@given(
    st.sets(numbers, min_size=1, max_size=30),
    st.tuples(numbers, st.integers(1, 200)),
    st.booleans(),
    st.sampled_from([FEBRUARY, MARCH]),
)
def test_what_lies_before_the_edge_is_gone_and_never_wanted(
    database: Database, hours: set[int], silence: tuple[int, int], is_packed: bool, edge: datetime
) -> None:
    """Rows, packed or not, and holes before the edge are gone, no other; the ledger agrees throughout."""
    warehouse = hourly(database, since=SINCE)
    warehouse.execute(EMPTY)
    warehouse.execute("delete from warehouse.ohlc_packed")
    rows = [SINCE + number * HOUR for number in sorted({*hours, HOURS - 1})]
    first, count = silence
    warehouse.store(*map(candle, rows))
    warehouse.prove_absent(Window(SINCE + first * HOUR, SINCE + (first + count) * HOUR))
    if is_packed:
        pack(database, date(2024, 4, 1))
    kept = warehouse.since_then(max(SINCE, edge))
    dropped(kept, edge)
    wanted = kept.ledger.wanted(OHLC, ALL, NOW, "everything")[kept.series[0].name].slots

    assert [at for at in rows if at >= edge] == opened(kept)
    assert slots([at for at in rows if at < edge]) == expired(kept)
    assert Runs((Window(edge, NOW.replace(minute=0, second=0)),)) == wanted
    assert [] == kept.select("select from warehouse.holes where day < %s", edge.date())
    assert all(day >= edge.date() for day in kept.ledger.days_to_repair(OHLC, NOW, NOW, 99))
    assert [] == differences(kept)
    assert [] == dropped(kept, edge)


def test_months_are_told_before_they_go(warehouse: Warehouse) -> None:
    """What would go is counted by month, and nothing is changed by saying so."""
    before = opened(warehouse)
    told = expiring(warehouse.database, Keeping(OHLC, MARCH, 0, HOUR))

    assert [(JANUARY_1, 1), (FEBRUARY_1, 2)] == [(one.month, one.rows) for one in told]
    assert all(one.bytes > 0 for one in told)
    assert before == opened(warehouse)
    assert [(one.month, one.rows) for one in told] == dropped(warehouse)


def test_partitions_and_revisions_go_with_the_month(warehouse: Warehouse) -> None:
    """The table of the month is dropped, and what its rows were before; the next month stays whole."""
    warehouse.store(candle(SINCE, close="16568.61"), candle(MARCH, close="16568.61"))
    dropped(warehouse)

    assert [(None, None, True)] == warehouse.select(
        """
        select to_regclass('warehouse.ohlc_2024_01'), to_regclass('warehouse.ohlc_2024_02'),
            to_regclass('warehouse.ohlc_2024_03') is not null
        """
    )
    assert [(MARCH,)] == warehouse.select("select open_time from market.ohlc_revisions")


def test_longer_retention_makes_the_days_missing_again(warehouse: Warehouse) -> None:
    """The edge moves back, and history is a gap not yet filled; nothing counts as expired."""
    name = warehouse.series[0].name
    kept = warehouse.since_then(MARCH)
    dropped(kept)
    shown = "select sum(expired_slots) from market.coverage where series = %s"
    before = kept.select(shown, name)
    longer = kept.since_then(FEBRUARY)

    assert [(3,)] == before
    assert [(1,)] == longer.select(shown, name)
    assert Runs((Window(FEBRUARY, MARCH),)) == longer.missing(Window(FEBRUARY, MARCH))
    longer.store(candle(FEBRUARY))
    assert [FEBRUARY, MARCH] == opened(longer)
    assert [] == differences(longer)


def test_longer_candles_stay(warehouse: Warehouse) -> None:
    """A daily candle among the hours of a month is kept, with its month, and is no reason to come back."""
    daily = Warehouse(warehouse.database, [series_of(interval="1d"), *warehouse.series], SINCE)
    daily.store(candle(SINCE))

    assert [(JANUARY_1, 1), (FEBRUARY_1, 2)] == dropped(daily)
    assert [SINCE, MARCH] == opened(daily)
    assert [] == dropped(daily)
    assert [] == differences(daily)


def test_killed_between_months_goes_on_where_it_was(warehouse: Warehouse) -> None:
    """Each month is gone or whole, and the next time does what is left."""

    def kill_at_the_second(_month: date, done: int, _planned: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        expire(warehouse.database, Keeping(OHLC, MARCH, 0, HOUR), kill_at_the_second)

    assert [FEBRUARY, FEBRUARY + HOUR, MARCH] == opened(warehouse)
    assert [] == differences(warehouse)
    assert [(FEBRUARY_1, 2)] == dropped(warehouse)


def test_month_that_is_read_is_left_for_the_next_time(warehouse: Warehouse) -> None:
    """Somebody's long query is not waited for, others wait for seconds at most, and nothing changes."""
    with warehouse.database.connect() as reader, reader.transaction():
        reader.execute("select count(*) from market.ohlc")
        done = expire(warehouse.database, Keeping(OHLC, MARCH, 0, HOUR))

    assert ([], [JANUARY_1, FEBRUARY_1]) == (done.dropped, [one.month for one in done.in_use])
    assert 4 == len(opened(warehouse))
    assert [] == differences(warehouse)


def test_clock_that_runs_ahead_drops_nothing(warehouse: Warehouse) -> None:
    """Days are counted back from the newest row as well, and what never came is no reason to drop."""
    years_ahead = Keeping(OHLC, datetime(2034, 1, 1, tzinfo=UTC), 29, HOUR)

    assert [JANUARY_1] == [one.month for one in expiring(warehouse.database, years_ahead)]
    warehouse.execute("delete from warehouse.coverage")
    assert [] == expiring(warehouse.database, years_ahead)


def test_other_datasets_expire_alike(database: Database) -> None:
    """Prices of a month go with their partition."""
    series = ObservedSeries(MARKET_PRICES.name, "bitcoin", FIVE_MINUTES)
    ids = register(database, MARKET_PRICES, [series], SINCE, NOW)
    rows = [(at, Decimal(1), None, None, None, None, False) for at in (SINCE, FEBRUARY, MARCH)]
    with closing(Writer(database, ids, None, NOW, MARKET_PRICES)) as writer:
        writer.store([SeriesRows(series, rows)], "coingecko")
    done = expire(database, Keeping(MARKET_PRICES, MARCH, 0))

    assert [1, 1] == [one.rows for one in done.dropped]
    assert [(MARCH,)] == Warehouse(database, []).select("select slot from market.market_prices")
    assert [] == audit(database, MARKET_PRICES, EVERYTHING, repair=False, now=NOW).differences


def test_articles_expire_with_their_sightings(database: Database) -> None:
    """News have no partitions: articles of old months go one by one, whoever told them."""
    series = [ObservedSeries(NEWS.name, name, QUARTER) for name in FEEDS]
    archive = Archive(database, register(database, NEWS, series, SINCE, NOW))
    published = datetime(2026, 2, 28, tzinfo=UTC)
    covered = Runs((Window(published + DAY, published + DAY + QUARTER.step),))
    archive.store("rss_a", article(), covered=covered)
    archive.store("rss_a", article("https://a.com/2", published_at=published))
    archive.store("rss_a", article("https://a.com/2", "Changed", published_at=published))
    archive.store("rss_b", article("https://a.com/2", published_at=published))
    keeping = Keeping(NEWS, published.replace(month=3, day=1), 0)

    assert [1] == [one.rows for one in expire(archive.database, keeping).dropped]
    assert [("https://a.com/1", 1)] == archive.select("select url, sightings from market.news")
    assert [] == archive.select("select from warehouse.articles_revisions")
    assert Expired([], []) == expire(archive.database, keeping)


@pytest.mark.parametrize(
    ("days", "edge"), [(32, "2024-01-01"), (61, "2023-12-01"), (366, "2023-03-01")]
)
def test_edge_is_the_first_of_a_month(days: int, edge: str) -> None:
    """At least so many days are kept, and whole months."""
    found = kept_from(NOW, days)

    assert edge == f"{found:%Y-%m-%d}"
    assert found + timedelta(days=days) <= NOW < found + timedelta(days=days) + 31 * DAY
