"""Poloniex' protocol: what is asked, what recorded replies say, and what its refusals mean."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected, TransientError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.providers.poloniex import POLONIEX
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert POLONIEX.candles is not None
CANDLES = POLONIEX.candles


@pytest.mark.parametrize("file", ["candles_BTC_USDT_5m_2024.json", "ccxtdoc_fetch_ohlcv_1.json"])
def test_recorded_rows_are_read_as_they_were_printed(corpus: Path, file: str) -> None:
    """Low stands before high and open; the volume of the base comes after that of the quote."""
    body = (corpus / "poloniex" / file).read_bytes()
    expected = [
        (row[12], *(Decimal(row[at]) for at in (2, 1, 0, 3, 5, 4)), row[8])
        for row in json.loads(body)
    ]
    read = candles_in(POLONIEX, body)

    assert expected == [(round((row[0] - EPOCH).total_seconds() * 1000), *row[1:]) for row in read]


def test_recorded_volume_is_the_quote_over_the_price(corpus: Path) -> None:
    """Amount is the quote's, quantity the base's: their ratio lies between low and high."""
    body = (corpus / "poloniex/candles_BTC_USDT_5m_2024.json").read_bytes()
    rows = candles_in(POLONIEX, body)
    averages = [round((row.quote_volume or 0) / row.volume, 9) for row in rows]

    assert all(row.low <= paid <= row.high for row, paid in zip(rows, averages, strict=True))


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, 24101, "Invalid symbol", RequestRejected),
        (200, 24101, "Invalid symbol", RequestRejected),
        (200, 24201, "Service busy. Try again later", TransientError),
        (500, 500, "Internal System Error", TransientError),
        (429, 429, "Too many requests", RateLimited),
        (200, 429, "Too many requests", RateLimited),
    ],
)
def test_error_means_what_it_says(
    status: int, code: int, message: str, kind: type[ProviderError]
) -> None:
    """An object with a code is never a page, whatever its status."""
    fault = fault_of(POLONIEX, {"code": code, "message": message}, status)

    assert kind is type(fault)
    assert f"{code} {message}" in str(fault)


def test_window_is_asked_for_without_its_end() -> None:
    """A millisecond before our end excludes the next candle, be the bound inclusive or not."""
    window = Window(datetime(2024, 7, 4, 19, 20, tzinfo=UTC), datetime(2024, 7, 4, 21, tzinfo=UTC))

    assert {
        "interval": "MINUTE_5",
        "startTime": 1720120800000,
        "endTime": 1720126799999,
        "limit": 500,
    } == CANDLES.params("BTC_USDT", "MINUTE_5", window, 500)


def test_markets_are_listed_with_what_became_of_them() -> None:
    """A market that is not in its normal state is halted; one without a name here is left out."""
    market = {"baseCurrencyName": "BTS", "quoteCurrencyName": "BTC", "symbol": "BTS_BTC"}
    body = [
        {**market, "state": "NORMAL"},
        {**market, "quoteCurrencyName": "USDT", "symbol": "BTS_USDT", "state": "PAUSE"},
        {**market, "baseCurrencyName": "比特", "symbol": "比特_BTC", "state": "NORMAL"},
    ]

    assert [
        Listed(Instrument("BTS", "BTC"), "BTS_BTC", "trading"),
        Listed(Instrument("BTS", "USDT"), "BTS_USDT", "halted"),
    ] == listed_in(POLONIEX, body)
