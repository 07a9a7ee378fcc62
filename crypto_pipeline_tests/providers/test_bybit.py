"""Bybit's protocol: what is asked, what recorded replies say, and what its refusals mean."""

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
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.bybit import BYBIT
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.providers.replies import REFUSAL_PAUSE
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Browser
from crypto_pipeline_tests.providers.paging import lost_of_a_full_page
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert BYBIT.candles is not None
CANDLES = BYBIT.candles
ORDER = [1, 2, 3, 4, 5, 6]
"""Where open, high, low, close, volume and quote volume stand in a row."""
HOUR = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, 1, tzinfo=UTC))


def row(symbol: str, base: str, state: str) -> dict[str, object]:
    """A pair in USDT as Bybit lists it."""
    return {"symbol": symbol, "baseCoin": base, "quoteCoin": "USDT", "status": state}


@pytest.mark.parametrize(
    "name",
    [
        "bybit/kline_spot.json",
        "bybit/officialdoc_kline_1.json",
        "bybit/ccxtdoc_fetch_ohlcv_1.json",
    ],
)
def test_recorded_rows_are_read_as_they_were_printed(corpus: Path, name: str) -> None:
    """Every number keeps its digits and its place; how many trades there were is not told."""
    body = (corpus / name).read_bytes()
    rows = json.loads(body)["result"]["list"]
    expected = [(int(one[0]), *(Decimal(one[at]) for at in ORDER), None) for one in rows]
    read = candles_in(BYBIT, body)

    assert expected == [((one[0] - EPOCH) // timedelta(milliseconds=1), *one[1:]) for one in read]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"retCode": 10001, "retMsg": "Not supported symbols"}, RequestRejected),
        (200, {"retCode": 10006, "retMsg": "Too many visits!"}, RateLimited),
        (200, {"retCode": 10018, "retMsg": "IP rate limit"}, RateLimited),
        (200, {"retCode": 10016, "retMsg": "Server error."}, TransientError),
        (200, {"retCode": 10024, "retMsg": "Compliance rules triggered"}, HostRefused),
        (200, {"retCode": 10009, "retMsg": "IP has been banned"}, HostRefused),
    ],
)
def test_error_holds_the_venues_words(
    status: int, body: dict[str, object], kind: type[ProviderError]
) -> None:
    """Code and status say which kind it is, the message why."""
    fault = fault_of(BYBIT, body, status)

    assert kind is type(fault)
    assert str(body["retMsg"]) in str(fault)


def test_window_is_asked_for_with_its_bounds() -> None:
    """The end is inclusive, so it is the last millisecond of the window."""
    asked = CANDLES.params("BTCUSDT", "1", HOUR, 1000)

    assert {
        "category": "spot",
        "symbol": "BTCUSDT",
        "interval": "1",
        "start": 1709251200000,
        "end": 1709254799999,
        "limit": 1000,
    } == asked


def test_full_page_comes_whole(sandbox: Sandbox, browser: Browser) -> None:
    """The page limit is one that the venue keeps to."""
    assert [] == lost_of_a_full_page(BYBIT, sandbox, browser)


def test_address_that_asked_too_often_is_let_in_again_after_ten_minutes() -> None:
    """A refused country is left alone for longer; both come with status 403."""
    often = fault_of(BYBIT, b"403, access too frequent", 403)
    elsewhere = fault_of(BYBIT, b"<html>The Amazon CloudFront distribution", 403)

    assert isinstance(often, HostRefused)
    assert isinstance(elsewhere, HostRefused)
    assert (600.0, REFUSAL_PAUSE) == (often.retry_after, elsewhere.retry_after)


def test_pairs_are_listed_with_what_became_of_them() -> None:
    """A pair that does not trade is halted."""
    assert [
        Listed(Instrument("ETH", "USDT"), "ETHUSDT", "trading"),
        Listed(Instrument("XRP", "USDT"), "XRPUSDT", "halted"),
    ] == listed_in(
        BYBIT,
        {
            "retCode": 0,
            "result": {"list": [row("ETHUSDT", "ETH", "Trading"), row("XRPUSDT", "XRP", "Closed")]},
        },
    )
