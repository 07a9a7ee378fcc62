"""Upbit's protocol: what is asked, what recorded replies say, and what its refusals mean."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import (
    HostRefused,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.providers.upbit import UPBIT
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert UPBIT.candles is not None
CANDLES = UPBIT.candles
START = datetime(2024, 3, 1, tzinfo=UTC)
NAMES = (
    *("opening_price", "high_price", "low_price", "trade_price"),
    *("candle_acc_trade_volume", "candle_acc_trade_price"),
)


def test_recorded_rows_are_read_as_they_were_printed(corpus: Path) -> None:
    """Times without a zone are UTC; every number keeps its digits."""
    body = (corpus / "upbit/ccxtdoc_fetch_ohlcv_1.json").read_bytes()
    expected = [
        (f"{row['candle_date_time_utc']}+00:00", *(Decimal(row[name]) for name in NAMES), None)
        for row in json.loads(body, parse_float=str)
    ]

    assert expected == [(row[0].isoformat(), *row[1:]) for row in candles_in(UPBIT, body)]


@pytest.mark.parametrize(
    ("status", "name", "message", "kind"),
    [
        (404, 404, "Code not found", RequestRejected),
        (200, 404, "Code not found", RequestRejected),
        (400, "invalid_parameter", "to", RequestRejected),
        (429, "too_many_requests", "Too many API requests.", RateLimited),
        (418, "too_many_requests", "Too many API requests.", HostRefused),
        (500, "server_error", "Internal Server Error", TransientError),
    ],
)
def test_error_means_what_it_says(
    status: int, name: object, message: str, kind: type[ProviderError]
) -> None:
    """The status tells, 418 being a ban; a name can be a number."""
    fault = fault_of(UPBIT, {"error": {"name": name, "message": message}}, status)

    assert kind is type(fault)
    assert f"{name} {message}" in str(fault)


@pytest.mark.parametrize(
    ("interval", "span", "to", "count"),
    [
        ("minutes/1", timedelta(minutes=5), "2024-03-01T00:05:00Z", 5),
        ("minutes/240", timedelta(days=1), "2024-03-02T00:00:00Z", 6),
        ("days", timedelta(days=300), "2024-12-26T00:00:00Z", 200),
        ("minutes/1", timedelta(minutes=5, milliseconds=1), "2024-03-01T00:05:01Z", 6),
    ],
)
def test_window_is_asked_for_up_to_its_end(
    interval: str, span: timedelta, to: str, count: int
) -> None:
    """``to`` is exclusive, as our end is; no more rows than the window has slots."""
    window = Window(START, START + span)

    assert {"market": "KRW-BTC", "to": to, "count": count} == CANDLES.params(
        "KRW-BTC", interval, window, 200
    )


def test_markets_are_listed_money_last() -> None:
    """The money stands first there, and last here; what has no name here is left out."""
    body = [{"market": market} for market in ("KRW-BTC", "USDT-ETH", "BTC-XRP", "KRW-比特")]

    assert [
        Listed(Instrument("BTC", "KRW"), "KRW-BTC", "trading"),
        Listed(Instrument("ETH", "USDT"), "USDT-ETH", "trading"),
        Listed(Instrument("XRP", "BTC"), "BTC-XRP", "trading"),
    ] == listed_in(UPBIT, body)
