"""Candles of any interval: made of the finest there are, by time, and saying what they lack."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.intervals import MONDAY, WEEK, Interval
from crypto_pipeline.market.windows import DAY
from crypto_pipeline.warehouse.packing import pack
from crypto_pipeline_tests.frames.examples import candle, candles_at
from crypto_pipeline_tests.warehouse.storing import (
    ALL,
    EMPTY,
    FEB_29,
    HOUR,
    MARCH_1,
    MINUTE,
    SINCE,
    Row,
    Warehouse,
    hourly,
    hours,
    over_postgres,
)

VALUES = "open_time, open, high, low, close, volume, quote_volume, trade_count, present"
TOLD = "open_time, expected, present, is_complete, base_interval"
days = st.sets(st.integers(0, 59), max_size=25).map(sorted)
intervals = st.sampled_from(["1h", "2h", "4h", "8h", "1d", "3d", "1w", "1M"])


def made(warehouse: Warehouse, interval: str, columns: str = VALUES) -> list[Row]:
    """What the database makes of BTC's candles."""
    return warehouse.select(
        f"select {columns} from market.candles('binance', 'BTC-USDT', %s, %s, %s)",  # noqa: S608
        *(interval, SINCE - 40 * DAY, SINCE + 40 * DAY),
    )


def opens(interval: str, moment: datetime) -> datetime:
    """When the candle opens that a moment lies in."""
    return (
        moment.replace(day=1, hour=0)
        if interval == "1M"
        else Interval.parse(interval).floor(moment)
    )


def rolled(candles: Sequence[Candle], interval: str) -> list[Row]:
    """The same, one candle after another."""
    found: dict[datetime, list[Candle]] = {}
    for one in sorted(candles):
        found.setdefault(opens(interval, one.open_time), []).append(one)
    return [(start, *_joined(parts), len(parts)) for start, parts in found.items()]


def _joined(parts: Sequence[Candle]) -> Row:
    return (
        parts[0].open,
        max(one.high for one in parts),
        min(one.low for one in parts),
        parts[-1].close,
        sum(one.volume for one in parts),
        _sum([one.quote_volume for one in parts]),
        _sum([one.trade_count for one in parts]),
    )


def _sum(numbers: Sequence[Decimal | int | None]) -> Decimal | int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


@over_postgres
@given(days, intervals, st.randoms(use_true_random=False), st.data())
def test_a_candle_is_made_of_those_within_it(
    warehouse: Warehouse, numbers: list[int], interval: str, random: object, data: st.DataObject
) -> None:
    """First and last by time, however they came; over a leap day and a month's end, packed or not."""
    warehouse.execute(EMPTY)
    warehouse.execute("delete from warehouse.ohlc_packed")
    store = hourly(warehouse.database)
    candles = [data.draw(candles_at(SINCE + number * HOUR)) for number in numbers]
    shuffled = list(candles)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for one in shuffled[:3]:
        store.store(one)
    if shuffled[3:]:
        store.store(*shuffled[3:])
    hot = made(store, interval)
    pack(warehouse.database, datetime(2024, 3, 1, tzinfo=UTC).date())

    assert rolled(candles, interval) == hot == made(store, interval)


def test_a_candle_says_what_it_lacks(warehouse: Warehouse) -> None:
    """An hour with a hole is not complete; one whose hole is explained is; one to come is not."""
    minutes = [number for number in range(180) if number not in (30, 31, 90)]
    warehouse.store(*(candle(SINCE + number * MINUTE) for number in minutes))
    warehouse.prove_absent(hours(1, 2), ALL.end)
    told = made(warehouse, "1h", TOLD)

    assert [
        (SINCE, 60, 58, False, "1m"),
        (SINCE + HOUR, 60, 59, True, "1m"),
        (SINCE + 2 * HOUR, 60, 60, True, "1m"),
    ] == told


def test_long_candles_count_all_their_days(warehouse: Warehouse) -> None:
    """A leap February from the first day that is expected; a week over the month's end."""
    store = hourly(warehouse.database)
    store.store(*(candle(SINCE + number * HOUR) for number in range(60)))
    week = MONDAY + (SINCE - MONDAY) // WEEK * WEEK
    february, march = (datetime(2024, month, 1, tzinfo=UTC) for month in (2, 3))

    first, second = made(store, "1M", TOLD)

    assert (february, 48, 48, True, "1h") == first
    assert (march, 12, False) == (second[0], *second[2:4])
    assert [(week, 60, False)] == [(row[0], row[2], row[3]) for row in made(store, "1w", TOLD)]
    assert [24, 24] == [
        row[1] for row in made(store, "1d", TOLD) if row[0].date() in (FEB_29, MARCH_1)
    ]


def test_what_is_collected_is_itself(warehouse: Warehouse) -> None:
    """The interval that is fetched is answered as it is, digit for digit."""
    one = candle(SINCE)
    warehouse.store(one)

    assert [(*one, 1)] == made(warehouse, "1m")


@pytest.mark.parametrize(
    ("instrument", "interval", "told"),
    [
        ("BTC-USDT", "7m", "'7m' is not an interval"),
        ("BTC-USDT", "soon", "'soon' is not an interval"),
        (
            "BTC-USDT",
            "30s",
            "nothing is collected of BTC-USDT at binance that makes candles of 30s",
        ),
        (
            "DOGE-USDT",
            "1h",
            "nothing is collected of DOGE-USDT at binance that makes candles of 1h",
        ),
    ],
)
def test_what_cannot_be_made_is_said(
    warehouse: Warehouse, instrument: str, interval: str, told: str
) -> None:
    """An empty answer would look like a market without trades."""
    query = "select * from market.candles('binance', %s, %s, %s, %s)"
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=told):
        warehouse.select(query, instrument, interval, SINCE, SINCE + DAY)


def test_a_window_holds_the_candles_that_open_in_it(warehouse: Warehouse) -> None:
    """Whole ones, though the window begins and ends within others."""
    store = hourly(warehouse.database)
    store.store(*(candle(SINCE + number * HOUR) for number in range(24)))
    query = "select open_time, present from market.candles('binance', 'BTC-USDT', '4h', %s, %s)"
    found = store.select(query, SINCE + HOUR, SINCE + 9 * HOUR)

    assert [(SINCE + number * HOUR, 4) for number in (4, 8)] == found
