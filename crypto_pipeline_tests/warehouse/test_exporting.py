"""What is exported: the digits as they are stored, in pieces that leave nothing out, of one instant."""

from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.datasets import DATASETS, GAS_PRICES, MARKET_PRICES, NEWS, OHLC, Dataset
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.exporting import Extract, snapshot
from crypto_pipeline.warehouse.exporting_choice import Choice, extracts
from crypto_pipeline.warehouse.packing import pack
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import (
    ALL,
    BTC,
    FEB_28,
    MINUTE,
    NOW,
    SINCE,
    Warehouse,
    hourly,
)

PRINTED = "16570.14,16574.97,16564.09,16568.60,2622.14355,43448487.21898430"
HOUR = timedelta(hours=1)


def chosen(database: Database, dataset: str, choice: Choice) -> list[str]:
    """The series that a choice means."""
    with snapshot(database) as taken:
        return [one.name for one in extracts(taken, DATASETS[dataset], choice)]


def read(database: Database, choice: Choice, window: Window, *columns: str) -> list[str]:
    """Some columns of candles as they are written, a line each."""
    with snapshot(database) as taken:
        lines = []
        for extract in extracts(taken, OHLC, choice):
            known = [one for one in taken.columns(extract, window) if one.name in columns]
            for part in extract.pieces(window):
                piece = taken.piece(extract, known, part)
                assert piece.rows == piece.text.count(b"\n")
                lines += piece.text.decode().splitlines()
        return lines


def look(database: Database, dataset: Dataset, choice: Choice) -> None:
    """Find out what would be exported."""
    with snapshot(database) as taken:
        for extract in extracts(taken, dataset, choice):
            taken.columns(extract, ALL)


@pytest.mark.parametrize("step", [timedelta(seconds=1), MINUTE, timedelta(days=1)])
@pytest.mark.parametrize("span", [timedelta(hours=1), DAY, 100 * DAY, 365 * DAY + HOUR])
def test_pieces_leave_nothing_out(step: timedelta, span: timedelta) -> None:
    """One begins where the last one ends, and none is longer than a month."""
    window = Window(SINCE, SINCE + span)
    parts = Extract(OHLC, "ohlc", {}, (), step).pieces(window)

    assert (window.start, window.end) == (parts[0].start, parts[-1].end)
    assert [one.end for one in parts[:-1]] == [one.start for one in parts[1:]]
    assert max(one.span for one in parts) <= 31 * DAY


def test_digits_and_times_are_written_as_they_are(warehouse: Warehouse) -> None:
    """Trailing zeros stay, an instant has its zone, nothing is nothing; what is later is not there."""
    late = candle(SINCE + DAY + timedelta(microseconds=1), quote_volume=None, trades=None)
    warehouse.store(candle(SINCE), late, candle(SINCE + 2 * DAY))
    told = ("open_time", "open", "high", "low", "close", "volume", "quote_volume", "trade_count")
    window = Window(SINCE, SINCE + 2 * DAY)

    assert [
        f"2024-02-28T00:00:00Z,{PRINTED},90705",
        f"2024-02-29T00:00:00.000001Z,{PRINTED.rpartition(',')[0]},,",
    ] == read(warehouse.database, Choice(), window, *told)


def test_digits_of_every_value_are_enough(warehouse: Warehouse) -> None:
    """By column, of rows and of packed days; a candle that is made of them has no more."""
    warehouse.store(candle(SINCE, low="16564.0912"), candle(SINCE + MINUTE, volume="1.123456789"))
    warehouse.store(candle(SINCE + 2 * DAY, high="20000.12345"))
    expected = {"open": 2, "high": 5, "low": 4, "close": 2, "volume": 9, "quote_volume": 8}
    pack(warehouse.database, FEB_28 + timedelta(days=2))
    with snapshot(warehouse.database) as taken:
        for interval in (None, "1h"):
            found = extracts(taken, OHLC, Choice(["BTC-USDT"], None, interval))
            columns = taken.columns(found[0], ALL)
            scales = taken.scales(found, columns, ALL)
            assert expected.keys() == scales.keys()
            assert all(scales[name] >= digits for name, digits in expected.items())
            assert scales["volume"] == expected["volume"]


def test_ledger_says_what_is_lacking(warehouse: Warehouse) -> None:
    """Of the window alone: slots expected, there, explained, missing, and expired."""
    warehouse.store(*(candle(SINCE + number * MINUTE) for number in range(3)))
    warehouse.prove_absent(Window(SINCE + 3 * MINUTE, SINCE + 5 * MINUTE))
    with snapshot(warehouse.database) as taken:
        found = extracts(taken, OHLC, Choice(["BTC-USDT"]))
        held = taken.completeness(found, Window(SINCE, SINCE + 10 * MINUTE))

    assert (10, 3, 2, 5, 0) == held


def test_other_intervals_are_made_of_the_base(database: Database) -> None:
    """The base interval comes as it is stored, any other rolled up, and says whether it is whole."""
    warehouse = hourly(database)
    warehouse.store(*(candle(SINCE + number * HOUR) for number in range(6)))
    told = ("interval", "open_time", "volume", "is_complete")
    window = Window(SINCE, SINCE + DAY)

    assert 6 == len(read(database, Choice(interval="1h"), window, *told))
    assert [
        "4h,2024-02-28T00:00:00Z,10488.57420,true",
        "4h,2024-02-28T04:00:00Z,5244.28710,false",
    ] == read(database, Choice(interval="4h"), window, *told)


@pytest.mark.parametrize(
    ("dataset", "choice", "said"),
    [
        ("ohlc", Choice(["DOGE-USDT"]), "ohlc has no DOGE-USDT: there is BTC-USDT, ETH-USDT"),
        ("ohlc", Choice(venue="kraken"), "ohlc has no kraken: there is binance"),
        ("ohlc", Choice(interval="7x"), "'7x' is not an interval: "),
        ("ohlc", Choice(interval="30s"), "nothing is collected of BTC-USDT at binance that makes"),
        ("sentiment", Choice(["fear"]), "sentiment has no fear: there is nothing yet"),
        ("news", Choice(["nocoin"]), "there is no asset 'nocoin': market.assets lists them"),
        ("news", Choice(venue="kraken"), "--venue and --interval are for ohlc"),
    ],
)
def test_unknown_name_is_told_what_there_is(
    warehouse: Warehouse, dataset: str, choice: Choice, said: str
) -> None:
    """A sentence, before anything is written."""
    with pytest.raises(UsageError, match=f"^{said}"):
        look(warehouse.database, DATASETS[dataset], choice)


def test_series_are_found_by_what_people_call_them(warehouse: Warehouse) -> None:
    """Instruments in any case, assets by their symbols, a chain for all its kinds, news by assets."""
    since = datetime(2026, 1, 1, tzinfo=UTC)
    for dataset, names in (
        (MARKET_PRICES, ("bitcoin",)),
        (GAS_PRICES, ("base/fees", "base/tiers")),
    ):
        assert dataset.interval
        series = [ObservedSeries(dataset.name, name, dataset.interval) for name in names]
        register(warehouse.database, dataset, series, since, NOW)

    assert [BTC.name] == chosen(warehouse.database, "ohlc", Choice(["btc-usdt"]))
    assert ["bitcoin"] == chosen(warehouse.database, "market_prices", Choice(["BTC"]))
    assert ["base/fees", "base/tiers"] == chosen(warehouse.database, "gas_prices", Choice(["base"]))
    assert [""] == chosen(warehouse.database, NEWS.name, Choice(["BTC"]))


def test_snapshot_does_not_move(warehouse: Warehouse) -> None:
    """What is stored meanwhile is not in it, nor in what the ledger says; and nothing can be written."""
    with snapshot(warehouse.database) as taken:
        found = extracts(taken, OHLC, Choice(["BTC-USDT"]))
        warehouse.store(candle(SINCE))

        assert 0 == taken.completeness(found, ALL).present
        assert 0 == taken.piece(found[0], taken.columns(found[0], ALL), ALL).rows
        assert "on" == taken.connection.execute("show transaction_read_only").fetchone()[0]  # type: ignore[index]
