"""Bitstamp's protocol: what is asked, what recorded replies say, and what its refusals mean."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected, TransientError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.bitstamp import BITSTAMP
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert BITSTAMP.candles is not None
CANDLES = BITSTAMP.candles
START = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("file", ["ohlc_btcusd_1d_2019.json", "ccxtdoc_fetch_ohlcv_1.json"])
def test_recorded_rows_are_read_as_they_were_printed(corpus: Path, file: str) -> None:
    """Every number of every row keeps its digits, and its place by name."""
    body = (corpus / "bitstamp" / file).read_bytes()
    names = ("open", "high", "low", "close", "volume")
    expected = [
        (int(row["timestamp"]), *(Decimal(row[name]) for name in names), None, None)
        for row in json.loads(body)["data"]["ohlc"]
    ]

    read = candles_in(BITSTAMP, body)
    assert expected == [((row[0] - EPOCH) // timedelta(seconds=1), *row[1:]) for row in read]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"code": "not_found", "errors": ["Invalid currency pair."]}, RequestRejected),
        (200, {"code": "not_found", "errors": ["Invalid currency pair."]}, RequestRejected),
        (400, {"code": "400.002", "errors": ["Request rate limit exceeded."]}, RateLimited),
        (429, {"code": "400.002", "reason": "Request rate limit exceeded."}, RateLimited),
        (200, {"status": "error", "reason": "Invalid currency pair."}, RequestRejected),
        (503, {"code": "503", "errors": ["Service Unavailable"]}, TransientError),
    ],
)
def test_error_means_what_it_says(status: int, body: object, kind: type[ProviderError]) -> None:
    """The rate limit has a code; all else is as the status says, and an error with 200 is one."""
    fault = fault_of(BITSTAMP, body, status)

    assert kind is type(fault)
    assert any(word in str(fault) for word in ("currency pair", "rate limit", "Unavailable"))


@pytest.mark.parametrize(
    ("slots", "limit", "expected"), [(5, 1000, 5), (1000, 1000, 1000), (2000, 1000, 1000)]
)
def test_start_is_never_sent(slots: int, limit: int, expected: int) -> None:
    """A page is the newest rows up to the end, no more of them than the window has slots."""
    window = Window(START, START + slots * timedelta(minutes=1))

    assert {
        "step": "60",
        "limit": expected,
        "end": 1709251200 + slots * 60 - 1,
        "exclude_current_candle": "true",
    } == CANDLES.params("btcusd", "60", window, limit)


def test_end_between_two_seconds_keeps_the_second_before() -> None:
    """The end is inclusive in whole seconds: one before it where it is whole, the second it is in if not."""
    ends = [timedelta(minutes=1), timedelta(minutes=1, milliseconds=1)]
    asked = [
        CANDLES.params("btcusd", "60", Window(START, START + end), 1000)["end"] for end in ends
    ]

    assert [1709251259, 1709251260] == asked


def test_markets_are_listed_with_what_became_of_them() -> None:
    """Derivatives are left out; a disabled market is halted."""
    market = {"base_currency": "BTC", "counter_currency": "USD", "market_symbol": "btcusd"}
    body = [
        {**market, "trading": "Enabled", "market_type": "SPOT"},
        {
            **market,
            "trading": "Enabled",
            "market_type": "PERPETUAL",
            "market_symbol": "btcusd-perp",
        },
        {**market, "trading": "Disabled", "counter_currency": "EUR", "market_symbol": "btceur"},
    ]

    assert [
        Listed(Instrument("BTC", "USD"), "btcusd", "trading"),
        Listed(Instrument("BTC", "EUR"), "btceur", "halted"),
    ] == listed_in(BITSTAMP, body)
