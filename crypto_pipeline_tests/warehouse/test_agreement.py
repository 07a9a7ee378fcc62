"""Which candles a price is held against, and what is left of one that is quarantined."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.agreement import NEARBY, TOLERANCE, Told
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import MARKET_PRICES
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.agreement import Doubt, compared, quarantine
from crypto_pipeline.warehouse.audit import audit
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.ledger import Ledger
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.pricing import (
    ALL,
    BINANCE,
    BITCOIN,
    ETHEREUM,
    KRAKEN,
    MINUTE,
    NOON,
    NOW,
    SLOT,
    Exchange,
)
from crypto_pipeline_tests.warehouse.storing import over_postgres


@pytest.fixture
def exchange(database: Database) -> Exchange:
    """A warehouse without any price."""
    return Exchange(database)


def doubts(exchange: Exchange) -> list[Doubt]:
    """The prices that differ from a candle."""
    return compared(exchange.database, ALL).doubts


def shown(one: Doubt) -> dict[str, str]:
    """Who says what of a slot."""
    return {told.source: str(told.price) for told in one.prices}


def test_price_is_held_against_every_venue(exchange: Exchange) -> None:
    """One candle a market, whether it is quoted in dollars or in a coin that is worth one."""
    exchange.venues(["100", "101", "102"])
    exchange.price("110", "coinpaprika", 3)
    (found,) = doubts(exchange)

    assert ("bitcoin", NOON, Told("coinpaprika", Decimal(110), 3)) == (
        found.asset,
        found.slot,
        found.kept,
    )
    assert {
        "coinpaprika": "110",
        "binance/BTC-USDT/1m": "100",
        "coinbase/BTC-USDC/1m": "102",
        "kraken/BTC-USD/1m": "101",
    } == shown(found)


@pytest.mark.parametrize(
    ("seen", "closes"),
    [(None, "100"), (0.9, "100"), (1, "101"), (3.5, "103"), (12, "103"), (14, None)],
)
def test_newest_candle_that_had_closed_is_taken(
    exchange: Exchange, seen: float | None, closes: str | None
) -> None:
    """The one that closed at or before the source's own time, the slot's beginning without; none too old."""
    exchange.candles(BINANCE, {-1: "99", 0: "100", 1: "101", 3: "103"})
    exchange.price("200", seen=seen)
    found = compared(exchange.database, ALL)

    assert (1 if closes else 0) == found.slots
    assert [closes] * found.slots == [str(one.candles[0].price) for one in found.doubts]


def test_candles_of_other_things_are_not_compared(exchange: Exchange) -> None:
    """Another asset's, and those quoted in euros or in another asset."""
    for name in ("ETH-USDT", "BTC-EUR", "ETH-BTC", "USDT-BTC"):
        exchange.candles(series_of(name), {0: "1"})
    exchange.price("100")

    assert 0 == compared(exchange.database, ALL).slots


def test_two_intervals_of_a_market_are_one_source(exchange: Exchange) -> None:
    """A venue does not outvote others because its candles were once collected by the hour."""
    exchange.candles(series_of(interval="1h"), {0: "50"})
    exchange.candles(BINANCE, {0: "100"})
    exchange.price("200")
    (found,) = doubts(exchange)

    assert ["binance/BTC-USDT/1m"] == [one.source for one in found.candles]


def test_prices_that_agree_are_counted_and_not_told(exchange: Exchange) -> None:
    """Each asset and slot is compared on its own, within the window alone."""
    exchange.venues(["100", "101", "100.5"])
    exchange.candles(series_of("ETH-USDT"), {0: "10", 5: "10"})
    exchange.price("102")
    exchange.price("10", series=ETHEREUM)
    exchange.price("12", series=ETHEREUM, at=5)
    found = compared(exchange.database, ALL)

    assert (3, [("ethereum", NOON + SLOT)]) == (
        found.slots,
        [(one.asset, one.slot) for one in found.doubts],
    )
    assert 2 == compared(exchange.database, Window(NOON, NOON + SLOT)).slots
    assert 0 == compared(exchange.database, Window(NOON - DAY, NOON)).slots


@over_postgres
@given(
    st.integers(9_500, 10_500),
    st.dictionaries(st.integers(-12, 1), st.integers(9_500, 10_500), max_size=4),
    st.dictionaries(st.integers(-12, 1), st.integers(9_500, 10_500), max_size=4),
)
def test_postgres_and_python_doubt_the_same(
    exchange: Exchange, price: int, first: dict[int, int], second: dict[int, int]
) -> None:
    """A price is doubtful when it and the newest closed candles lie further apart than the tolerance."""
    with exchange.database.connect() as connection:
        connection.execute("delete from warehouse.ohlc")
        connection.execute("delete from warehouse.market_prices")
        connection.execute("delete from warehouse.coverage")
    known: dict[str, Decimal] = {}
    for series, closes in ((BINANCE, first), (KRAKEN, second)):
        exchange.candles(series, {minute: str(close) for minute, close in closes.items()})
        near = [one for one in closes if timedelta() <= -one * MINUTE <= NEARBY]
        known |= {series.name: Decimal(closes[max(near)])} if near else {}
    exchange.price(str(price))
    prices = [*known.values(), Decimal(price)]
    is_doubtful = max(prices) > min(prices) * (1 + TOLERANCE)
    found = compared(exchange.database, ALL)

    assert bool(known) == bool(found.slots)
    assert is_doubtful == bool(found.doubts)
    assert all(known == {told.source: told.price for told in one.candles} for one in found.doubts)


def set_aside(exchange: Exchange, run_id: str | None = None) -> list[int]:
    """Quarantine all that is in doubt; how often that befell each slot by now."""
    reasons = dict.fromkeys(doubts(exchange), "too dear")
    return list(quarantine(exchange.database, reasons, run_id).values())


def rejected(exchange: Exchange) -> list[tuple[Any, ...]]:
    """What is set aside."""
    return exchange.select("select slot, source, reason, source_row from warehouse.rejected_rows")


def missing(exchange: Exchange) -> Runs:
    """What the bitcoin series lacks of the slots that hold prices here."""
    window = Window(NOON, NOON + 3 * SLOT)
    found = Ledger(exchange.database).missing(MARKET_PRICES, window, NOW)
    return found.get(BITCOIN.name, Runs())


def test_quarantined_price_is_not_served_and_its_slot_is_missing(exchange: Exchange) -> None:
    """The row lies with the rejected ones, the slots around it stay, and ledger and rows agree."""
    exchange.candles(BINANCE, {0: "100", 5: "100", 10: "100"})
    for minute, price in ((0, "100"), (5, "150"), (10, "101")):
        exchange.price(price, at=minute)

    assert [1] == set_aside(exchange)
    assert [0, 10] == [row[1] for row in exchange.served()]
    ((slot, source, reason, row),) = rejected(exchange)
    assert (NOON + SLOT, "coinpaprika", "too dear") == (slot, source, reason)
    assert (150, False) == (row["price_usd"], row["is_refilled"])
    assert Runs((Window(NOON + SLOT, NOON + 2 * SLOT),)) == missing(exchange)
    assert [] == audit(exchange.database, MARKET_PRICES, ALL, repair=False).differences


def test_what_was_served_meanwhile_stays_known(exchange: Exchange) -> None:
    """A quarantined row is a revision that nothing replaced, and which run did it is told."""
    exchange.candles(BINANCE, {0: "100"})
    exchange.price("150")
    set_aside(exchange, "run-7")

    assert [("150", "coinpaprika", "cross_check", "run-7")] == [
        (str(price), *others)
        for price, *others in exchange.select(
            "select price_usd, former.source, better.source, better.run_id"
            " from warehouse.market_prices_revisions as kept"
            " join warehouse.loads as former using (load_id)"
            " join warehouse.loads as better on better.load_id = kept.replaced_by"
        )
    ]


def test_another_source_settles_it(exchange: Exchange) -> None:
    """Any source may fill the slot, even a less trusted one; then nothing is set aside any more."""
    exchange.candles(BINANCE, {0: "100"})
    exchange.price("150", "coinpaprika", 1)
    set_aside(exchange)
    exchange.price("100", "coinlore", 5)

    assert [("bitcoin", 0, "100", "coinlore")] == exchange.served()
    assert [] == rejected(exchange)
    assert [] == set_aside(exchange)


def test_times_are_counted_by_slot(exchange: Exchange) -> None:
    """Who comes again with the same is quarantined again, and it is known how often that was."""
    exchange.candles(BINANCE, {0: "100", 5: "100"})
    counts = []
    for _ in range(3):
        exchange.price("150")
        counts.append(set_aside(exchange))
    exchange.price("150", at=5)

    assert [[1], [2], [3], [1]] == [*counts, set_aside(exchange)]


def test_row_that_was_replaced_since_is_left_alone(exchange: Exchange) -> None:
    """What was judged is what goes: a better answer that came between is kept."""
    exchange.candles(BINANCE, {0: "100"})
    exchange.price("150", trust=2)
    reasons = dict.fromkeys(doubts(exchange), "too dear")
    exchange.price("100", "coingecko", 0)

    assert {} == quarantine(exchange.database, reasons)
    assert [("bitcoin", 0, "100", "coingecko")] == exchange.served()
    assert Runs() == missing(exchange) & Runs((Window(NOON, NOON + SLOT),))


def test_nothing_to_set_aside_writes_nothing(exchange: Exchange) -> None:
    """Not even a load."""
    assert {} == quarantine(exchange.database, {})
    assert [] == exchange.select("select from warehouse.loads")
