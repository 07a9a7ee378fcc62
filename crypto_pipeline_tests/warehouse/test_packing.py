"""Packed months: the same candles to the last digit, read as before, and unpacked to be written to."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.audit import EVERYTHING, audit
from crypto_pipeline.warehouse.calendar import listings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.ledger import Ledger
from crypto_pipeline.warehouse.migrate import downgrade, upgrade
from crypto_pipeline.warehouse.packing import Packed, months_before, pack, unpack
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import (
    BTC,
    EMPTY,
    ETH,
    FEB_28,
    FEB_29,
    HOUR,
    MARCH_1,
    MINUTE,
    NOW,
    SINCE,
    Row,
    Warehouse,
    hourly,
    over_postgres,
)

APRIL = date(2024, 4, 1)
ALL_ROWS = """
    select series_id, open_time, load_id, trade_count, open::text, high::text, low::text,
        close::text, volume::text, quote_volume::text
    from warehouse.ohlc_stored
    order by series_id, open_time
"""
FORMS = """
    select
        (select count(*) from warehouse.ohlc),
        (select coalesce(sum(candles), 0) from warehouse.ohlc_packed)
"""
numbers = st.decimals(-(10**6), 10**9, allow_nan=False, places=None) | st.decimals(
    0, 10**5, places=4
)
positive = st.decimals("0.00000001", 10**6, allow_nan=False, places=8)
values = positive | numbers
microseconds = st.integers(0, 3 * 86_400_000_000 - 1)
moments = st.one_of(
    st.integers(0, 3 * 1440 - 1).map(lambda minute: SINCE + minute * MINUTE),
    st.integers(0, 3 * 86_400_000 - 1).map(lambda number: SINCE + timedelta(milliseconds=number)),
    microseconds.map(lambda number: SINCE + timedelta(microseconds=number)),
)


@st.composite
def rows(draw: st.DrawFn) -> list[Candle]:
    """Candles as no venue would mix them: any digits, gaps, times off the grid, values left out."""
    told = st.builds(
        Candle,
        moments,
        *([draw(st.sampled_from([values, positive]))] * 5),
        st.none() | values,
        st.none() | st.integers(0, 2**31 - 1),
    )
    return draw(st.lists(told, min_size=1, max_size=12, unique_by=lambda row: row.open_time))


def _stored(warehouse: Warehouse) -> list[Row]:
    return warehouse.select(ALL_ROWS)


def _forms(warehouse: Warehouse) -> Row:
    """How many candles are rows, and how many are packed."""
    (found,) = warehouse.select(FORMS)
    return found


@pytest.fixture
def packed(warehouse: Warehouse) -> Warehouse:
    """Three days of minutes of one series, with a hole and two loads, packed."""
    moments = [SINCE + number * MINUTE for number in range(3 * 1440) if number != 100]
    warehouse.store(*(candle(moment) for moment in moments[:2000]))
    warehouse.store(*(candle(moment) for moment in moments[2000:]))
    pack(warehouse.database, APRIL)
    return warehouse


@settings(over_postgres, max_examples=60)
@given(rows())
def test_any_candles_are_the_same_packed_and_unpacked(
    database: Database, candles: list[Candle]
) -> None:
    """Times, nulls, loads and every printed digit come back; what does not fit stays as it is."""
    warehouse = Warehouse(database, [BTC])
    warehouse.execute(EMPTY)
    warehouse.execute("delete from warehouse.ohlc_packed")
    warehouse.store(*candles)
    before = _stored(warehouse)
    pack(database, APRIL)
    in_between = _stored(warehouse)
    with database.connect() as connection:
        ids = [warehouse.register()[BTC.name]] * 3
        days: list[object] = [FEB_28, FEB_29, MARCH_1]
        unpack(connection, {"series_ids": ids, "days": days})

    assert before == in_between
    assert before == _stored(warehouse)
    assert (len(candles), 0) == _forms(warehouse)


def test_whole_months_are_packed_and_the_room_is_given_back(warehouse: Warehouse) -> None:
    """The month before is one row by day, its partition is empty; the month that was named stays."""
    warehouse.store(*(candle(SINCE + number * MINUTE) for number in range(3 * 1440)))
    before = _stored(warehouse)
    done = pack(warehouse.database, date(2024, 3, 1))

    assert (2880, 2) == (done.candles, done.days)
    assert (1440, 2880) == _forms(warehouse)
    assert before == _stored(warehouse)
    assert [(0,)] == warehouse.select("select pg_relation_size('warehouse.ohlc_2024_02')")
    assert done.bytes_after < done.bytes_before


def test_packing_again_changes_nothing(packed: Warehouse) -> None:
    """Nothing is left to do, and nothing is done."""
    before = _stored(packed)
    done = pack(packed.database, APRIL)

    assert Packed(0, 0, done.bytes_after, done.bytes_after) == done
    assert before == _stored(packed)


def test_killed_between_series_goes_on_where_it_was(warehouse: Warehouse) -> None:
    """Each series and month is done or not, and the next time does what is left."""
    for series in (BTC, ETH):
        Warehouse(warehouse.database, [series, *warehouse.series]).store(
            *(candle(SINCE + number * HOUR) for number in range(60))
        )
    before = _stored(warehouse)

    def kill_at_the_second(told: str, _done: int, _planned: int) -> None:
        if told.startswith(ETH.name):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(warehouse.database, APRIL, kill_at_the_second)

    assert before == _stored(warehouse)
    assert (72, 48) == _forms(warehouse)
    pack(warehouse.database, APRIL)
    assert before == _stored(warehouse)
    assert (0, 120) == _forms(warehouse)


def test_audit_finds_ledger_and_packed_rows_in_step(packed: Warehouse) -> None:
    """Packed candles are present, the hole is a hole, and a day that is taken away is found missing."""
    whole = audit(packed.database, OHLC, EVERYTHING, repair=False, now=NOW)
    packed.execute("delete from warehouse.ohlc_packed where day = %s", FEB_29)
    broken = audit(packed.database, OHLC, EVERYTHING, repair=False, now=NOW)

    assert [] == whole.differences
    assert [(FEB_29, 1440)] == [(one.day, one.slots_only_in_ledger) for one in broken.differences]


def test_promises_are_checked_of_packed_rows(packed: Warehouse) -> None:
    """A candle that breaks one is told when it is packed, too."""
    hour = SINCE + 30 * HOUR
    with packed.database.connect() as connection:
        covered: dict[str, list[object]] = {"series_ids": [1], "days": [FEB_29]}
        unpack(connection, covered)
    packed.execute("update warehouse.ohlc set low = 0 where open_time = %s", hour)
    pack(packed.database, APRIL)
    found = Ledger(packed.database).broken_promises(OHLC, Window(SINCE, SINCE + 3 * DAY), 10)

    assert (0, 4319) == _forms(packed)
    assert [hour] == [at for _, at, _ in found]


def test_first_and_last_are_told_of_packed_series(packed: Warehouse) -> None:
    """What is known of a series' candles does not depend on how they are kept."""
    (known,) = (one for one in listings(packed.database, OHLC) if one.series == BTC.name)

    assert (SINCE, SINCE + 3 * DAY - MINUTE) == (known.oldest, known.newest)


def test_refetched_day_is_unpacked_and_keeps_its_revision(packed: Warehouse) -> None:
    """A differing answer replaces one candle and keeps the former; only its day is rows again."""
    at = SINCE + 26 * HOUR
    changed = candle(at)._replace(volume=Decimal("7.50"))
    stored = packed.store(changed)
    revisions = packed.select("select open_time, volume::text from market.ohlc_revisions")

    assert (0, 1) == (stored.inserted, stored.updated)
    assert [(at, str(candle(at).volume))] == revisions
    assert (1440, 2879) == _forms(packed)
    pack(packed.database, APRIL)
    assert (0, 4319) == _forms(packed)
    assert [("7.50",)] == packed.select(
        "select volume::text from market.ohlc where open_time = %s", at
    )


def test_candles_as_known_before_a_packed_one_came_are_none(packed: Warehouse) -> None:
    """``market.ohlc_as_of`` goes by when a candle was fetched, wherever it is now."""
    ago = datetime(2020, 1, 1, tzinfo=UTC)

    assert [(0,)] == packed.select("select count(*) from market.ohlc_as_of(%s)", ago)
    assert [(4319,)] == packed.select("select count(*) from market.ohlc_as_of(now())")


def test_window_of_packed_candles_unpacks_only_its_days(packed: Warehouse) -> None:
    """``market.ohlc_between`` finds them by their days, and newer ones without touching any."""
    window = (SINCE + HOUR, SINCE + 2 * HOUR)
    plan = packed.select(
        "explain (analyze, timing off) select * from market.ohlc_between(%s, %s)", *window
    )
    newer = packed.select(
        "explain (analyze, timing off) select * from market.ohlc_between(%s, %s)",
        *(moment + 30 * DAY for moment in window),
    )

    assert [(59,)] == packed.select("select count(*) from market.ohlc_between(%s, %s)", *window)
    assert 1 == _days_read(plan)
    assert 0 == _days_read(newer)


def _days_read(plan: list[Row]) -> float:
    """Rows that the plan took from the packed table, all series together."""
    (line,) = (line for (line,) in plan if "on ohlc_packed packed" in line)
    rows, loops = line.rpartition("actual rows=")[2].rstrip(")").split(" loops=")
    return float(rows) * float(loops)


def test_few_candles_a_day_stay_rows(database: Database) -> None:
    """A day of daily candles is no smaller packed, and stays as it is."""
    daily = Warehouse(database, [series_of(interval="1d")])
    daily.register()
    daily.store(candle(SINCE), candle(SINCE + DAY))
    pack(database, APRIL)

    assert (2, 0) == _forms(daily)


def test_going_back_a_revision_unpacks_all(database: Database) -> None:
    """Who downgrades loses none of the packed candles."""
    warehouse = hourly(database)
    warehouse.store(*(candle(SINCE + number * HOUR) for number in range(48)))
    before = warehouse.rows()
    pack(database, APRIL)
    downgrade(database, "0006")

    assert before == warehouse.rows()
    upgrade(database)


@pytest.mark.parametrize(
    ("months", "expected"), [(13, date(2023, 2, 1)), (1, date(2024, 2, 1)), (3, date(2023, 12, 1))]
)
def test_months_are_counted_back_from_this_one(months: int, expected: date) -> None:
    """In March 2024 what ended before February 2023 is thirteen months old."""
    assert expected == months_before(date(2024, 3, 15), months)
