"""What venues list: the newest list as it is, and every change from one to the next."""

from datetime import datetime, timedelta

import pytest

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.instruments import (
    GONE,
    InstrumentRow,
    instruments_read_at,
    keep_instruments,
    statuses,
)
from crypto_pipeline_tests.warehouse.storing import NOW, SINCE, Row, Warehouse

LATER = NOW + timedelta(days=1)
BTC = InstrumentRow("BTC-USDT", "BTCUSDT", "trading")
ETH = InstrumentRow("ETH-USDT", "ETHUSDT", "trading")
LUNA = InstrumentRow("LUNA-USDT", "LUNAUSDT", "halted")


def keep(database: Database, *listed: InstrumentRow, now: datetime = LATER) -> int:
    """Make this the venue's list."""
    return keep_instruments(database, "binance", listed, now)


def changes(database: Database) -> list[Row]:
    """All that ever changed."""
    return Warehouse(database, []).select(
        """
        select changed_at, venue, instrument, field, old_value, new_value
        from market.instrument_changes
        order by changed_at, instrument, field desc
        """
    )


@pytest.fixture
def listed(database: Database) -> Database:
    """A database that has the first list of a venue."""
    assert 0 == keep(database, BTC, LUNA, now=NOW)
    return database


def test_first_list_is_no_change(listed: Database) -> None:
    """All of it is new to us and nothing of it is news; another venue's first list neither."""
    keep_instruments(listed, "kraken", [BTC], LATER)

    assert [] == changes(listed)
    assert {"BTC-USDT": "trading", "LUNA-USDT": "halted"} == statuses(listed, "binance")


def test_same_list_again_changes_nothing(listed: Database) -> None:
    """It is only known to hold for longer."""
    assert 0 == keep(listed, LUNA, BTC)
    assert [] == changes(listed)
    assert [(NOW, LATER)] == Warehouse(listed, []).select(
        "select distinct first_seen_at, last_seen_at from market.instruments"
    )


@pytest.mark.parametrize(
    ("changed", "field", "old", "new"),
    [
        (InstrumentRow("BTC-USDT", "XBTUSDT", "trading"), "symbol", "BTCUSDT", "XBTUSDT"),
        (InstrumentRow("BTC-USDT", "BTCUSDT", "halted"), "status", "trading", "halted"),
    ],
    ids=["renamed", "halted"],
)
def test_changed_instrument_is_logged(
    listed: Database, changed: InstrumentRow, field: str, old: str, new: str
) -> None:
    """What it was and what it is, once."""
    assert 1 == keep(listed, changed, LUNA)
    assert 0 == keep(listed, changed, LUNA, now=LATER + timedelta(days=1))
    assert [(LATER, "binance", "BTC-USDT", field, old, new)] == changes(listed)
    assert [(changed.symbol, changed.status)] == Warehouse(listed, []).select(
        "select symbol, status from market.instruments where instrument = 'BTC-USDT'"
    )


def test_instrument_that_vanished_is_gone(listed: Database) -> None:
    """A venue that lists it no more said so on that day; what it was called is kept."""
    assert 1 == keep(listed, BTC)
    assert 0 == keep(listed, BTC, now=LATER + timedelta(days=1))
    assert [(LATER, "binance", "LUNA-USDT", "status", "halted", GONE)] == changes(listed)
    assert [("LUNAUSDT", GONE, NOW)] == Warehouse(listed, []).select(
        "select symbol, status, last_seen_at from market.instruments where status = 'gone'"
    )


def test_instrument_that_comes_back_or_is_new_is_logged(listed: Database) -> None:
    """One that had gone has another status; one that was never there had nothing before."""
    keep(listed, BTC, now=NOW + timedelta(hours=1))
    keep(listed, BTC, LUNA, ETH)

    assert [
        (LATER, "binance", "ETH-USDT", "symbol", None, "ETHUSDT"),
        (LATER, "binance", "ETH-USDT", "status", None, "trading"),
        (LATER, "binance", "LUNA-USDT", "status", GONE, "halted"),
    ] == changes(listed)[1:]


def test_venues_do_not_know_each_other(listed: Database) -> None:
    """One venue's list says nothing about another's."""
    keep_instruments(listed, "kraken", [ETH], LATER)

    assert {"BTC-USDT": "trading", "LUNA-USDT": "halted"} == statuses(listed, "binance")
    assert {"ETH-USDT": "trading"} == statuses(listed, "kraken")
    assert (NOW, LATER, None) == tuple(
        instruments_read_at(listed, venue) for venue in ("binance", "kraken", "okx")
    )


def test_list_shows_what_is_collected(listed: Database, warehouse: Warehouse) -> None:
    """Beside what a venue lists: whether its candles are collected, and when they begin and end."""
    warehouse.listed(SINCE, NOW)

    assert [
        ("binance", "BTC-USDT", SINCE, NOW, True),
        ("binance", "LUNA-USDT", None, None, False),
    ] == warehouse.select(
        """
        select venue, instrument, listed_at, delisted_at, is_collected
        from market.instruments
        order by instrument
        """
    )
    assert warehouse.database is listed
