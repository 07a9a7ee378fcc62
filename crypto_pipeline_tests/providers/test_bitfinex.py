"""Bitfinex' protocol: what is asked, what recorded replies say, and what its refusals mean."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected, TransientError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.bitfinex import BITFINEX
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert BITFINEX.candles is not None
CANDLES = BITFINEX.candles


@pytest.mark.parametrize(
    "file", ["candles_1m_tBTCUSD_2025-08-10.json", "ccxtdoc_fetch_ohlcv_1.json"]
)
def test_recorded_rows_are_read_as_they_were_printed(corpus: Path, file: str) -> None:
    """Close stands before high and low; every number keeps its digits."""
    body = (corpus / "bitfinex" / file).read_bytes()
    expected = [
        (row[0], *map(Decimal, (row[1], row[3], row[4], row[2], row[5])), None, None)
        for row in json.loads(body, parse_float=str)
    ]
    read = candles_in(BITFINEX, body)

    assert expected == [(round((row[0] - EPOCH).total_seconds() * 1000), *row[1:]) for row in read]
    assert len(read) >= 3


def test_recorded_error_is_told_in_its_words(corpus: Path) -> None:
    """An array that begins with "error" is never a page; HTTP 500 of unknown code may pass."""
    fault = fault_of(BITFINEX, (corpus / "bitfinex/errors/500_error_array.json").read_bytes(), 500)

    assert type(fault) is TransientError
    assert str(fault) == "HTTP 500: 10001 This currency cannot be used in margin funding"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, ["error", 10020, "symbol: invalid"], RequestRejected),
        (200, ["error", 10020, "symbol: invalid"], RequestRejected),
        (429, ["error", 11010, "ratelimit: error"], RateLimited),
        (500, ["error", 11010, "ratelimit: error"], RateLimited),
        (200, ["error", 20060, "maintenance"], TransientError),
        (500, ["error", None, "temporarily_unavailable"], TransientError),
    ],
)
def test_error_means_what_its_code_says(
    status: int, body: list[object], kind: type[ProviderError]
) -> None:
    """The code counts more than the status, for nearly all errors come with HTTP 500."""
    fault = fault_of(BITFINEX, body, status)

    assert kind is type(fault)
    assert str(body[2]) in str(fault)


def test_rate_limit_is_a_minute_unless_told() -> None:
    """An address that asked too often is let in again after a minute."""
    body = ["error", 11010, "ratelimit: error"]
    faults = [fault_of(BITFINEX, body, 429), fault_of(BITFINEX, body, 429, retry_after="7")]

    assert [60.0, 7.0] == [fault.retry_after for fault in faults if isinstance(fault, RateLimited)]


def test_window_is_asked_for_oldest_first_without_its_end() -> None:
    """Both bounds are inclusive at Bitfinex, so the end is a millisecond before ours."""
    window = Window(datetime(2025, 8, 10, tzinfo=UTC), datetime(2025, 8, 10, 0, 5, tzinfo=UTC))
    expected = {"start": 1754784000000, "end": 1754784299999, "limit": 10_000, "sort": 1}

    assert expected == CANDLES.params("tBTCUSD", "1m", window, 10_000)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTC-USD", "tBTCUSD"),
        ("BTC-USDT", "tBTCUST"),
        ("DOGE-USD", "tDOGE:USD"),
        ("AVAX-USDT", "tAVAX:UST"),
        ("ETH-XAUT", "tETH:XAUT"),
        ("DASH-BTC", "tDSHBTC"),
    ],
)
def test_instrument_is_spelt_as_there(name: str, symbol: str) -> None:
    """Tether is UST; a colon stands between names of which one has more than three letters."""
    assert symbol == BITFINEX.symbol(Instrument.parse(name))


def test_pairs_are_listed_by_our_names() -> None:
    """What is not spelt as pairs are is left out; all else trades, and is asked for as it is spelt."""
    pairs = ["BTCUSD", "BTCUST", "DOGE:USD", "BTC:USD", "a", "USTUSD"]

    assert [
        Listed(Instrument("BTC", "USD"), "tBTCUSD", "trading"),
        Listed(Instrument("BTC", "USDT"), "tBTCUST", "trading"),
        Listed(Instrument("DOGE", "USD"), "tDOGE:USD", "trading"),
        Listed(Instrument("USDT", "USD"), "tUSTUSD", "trading"),
    ] == listed_in(BITFINEX, [pairs])
