"""Binance USD-M: spot's protocol, of which only the paths, the weights and the list are its own."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH, INTERVALS
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.providers.binance_usdm import BINANCE_USDM
from crypto_pipeline.providers.candles import candle_question
from crypto_pipeline.providers.client import Ask
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.providers.instruments import listed_instruments
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import START, Asking, Browser, window_of
from crypto_pipeline_tests.providers.saying import candles_in, listed_in

assert BINANCE_USDM.candles is not None
CANDLES = BINANCE_USDM.candles
SERIES = series_of(venue=BINANCE_USDM.name)
ORDER = [1, 2, 3, 4, 5, 7]
"""Where open, high, low, close, volume and quote volume stand in a row."""


def at(sandbox: Sandbox, browser: Browser) -> Asking:
    """The provider at the sandbox."""
    url = sandbox.base_url(BINANCE_USDM.name)
    return Asking(replace(BINANCE_USDM, base_url=url), browser)


def contract(symbol: str, kind: str, status: str = "TRADING") -> dict[str, object]:
    """A contract of bitcoin as the venue lists it."""
    named = {"symbol": symbol, "baseAsset": "BTC", "quoteAsset": "USDT"}
    return {**named, "contractType": kind, "status": status}


def test_recorded_rows_are_read_as_they_were_printed(corpus: Path) -> None:
    """Every number keeps its digits and its place, and the number of trades is told."""
    body = (corpus / "binance_futures/klines_BTCUSDT_1d_116rows_2019.json").read_bytes()
    expected = [(row[0], *(Decimal(row[at]) for at in ORDER), row[8]) for row in json.loads(body)]
    read = candles_in(BINANCE_USDM, body)

    assert expected == [((one[0] - EPOCH) // timedelta(milliseconds=1), *one[1:]) for one in read]


def test_window_is_asked_for_as_at_spot() -> None:
    """The same parameters under a path of its own."""
    window = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, 1, tzinfo=UTC))
    question = candle_question(BINANCE_USDM, SERIES, window)

    assert "/fapi/v1/klines" == question.path
    assert {**candle_question(BINANCE, series_of(), window).params, "limit": 99} == question.params


@pytest.mark.parametrize(
    ("slots", "limit", "weight"),
    [(1, 99, 1), (99, 99, 1), (100, 499, 2), (499, 499, 2), (500, 499, 2), (20_000, 499, 2)],
)
def test_page_is_as_light_as_its_window_allows(slots: int, limit: int, weight: int) -> None:
    """A minute costs 1, and a long run is read by the page with the most rows for its weight."""
    question = candle_question(BINANCE_USDM, SERIES, window_of(slots))

    assert (limit, weight) == (question.params["limit"], question.weight)


@pytest.mark.parametrize(
    ("limit", "weight"),
    [(1, 1), (99, 1), (100, 2), (499, 2), (500, 5), (1000, 5), (1001, 10), (1500, 10)],
)
def test_weight_is_what_the_venue_counts(
    sandbox: Sandbox, browser: Browser, limit: int, weight: int
) -> None:
    """What is taken from the allowance is what the host says was used."""
    window = window_of(5)
    question = candle_question(BINANCE_USDM, SERIES, window, limit)
    asking = at(sandbox, browser)
    asking.ask(Ask(question, SERIES, window, CANDLES.rows))

    assert [weight] == [weight for _, weight, _ in asking.pacing.reserved]
    assert [weight] == [one.weight for one in sandbox.requests()]


def test_run_is_paged_by_weight(sandbox: Sandbox, browser: Browser) -> None:
    """A thousand minutes and a few cost two heavy pages and a light one."""
    asking = at(sandbox, browser)
    asking.pages(SERIES, window_of(1005, start=START - timedelta(days=2)))

    assert [(499, 2), (499, 2), (99, 1)] == [
        (int(one.query["limit"]), one.weight) for one in sandbox.requests()
    ]
    assert [2, 2, 1] == [weight for _, weight, _ in asking.pacing.reserved]


def test_only_contracts_without_an_end_are_instruments() -> None:
    """A quarterly one would have the name of the perpetual one."""
    listed = listed_in(
        BINANCE_USDM,
        {
            "symbols": [
                contract("BTCUSDT_240329", "CURRENT_QUARTER"),
                contract("BTCUSDT", "PERPETUAL"),
                contract("BTCUSDT", "PERPETUAL", "SETTLING"),
            ]
        },
    )
    bitcoin = Instrument("BTC", "USDT")

    assert [
        Listed(bitcoin, "BTCUSDT", "trading"),
        Listed(bitcoin, "BTCUSDT", "halted"),
    ] == listed


def test_list_costs_little(sandbox: Sandbox, browser: Browser) -> None:
    """Unlike spot's, which is twenty times as heavy."""
    listed = at(sandbox, browser).run(listed_instruments)

    assert "BTCUSDT" in [one.symbol for one in listed]
    assert [1] == [one.weight for one in sandbox.requests()]


def test_intervals_are_spots_without_seconds() -> None:
    """There are no candles of a second."""
    assert {*INTERVALS} - {"1s"} == {*CANDLES.intervals}
