"""KuCoin's protocol: what is asked, what recorded replies say, and what its refusals mean."""

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
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.providers.kucoin import KUCOIN
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Browser
from crypto_pipeline_tests.providers.paging import lost_of_a_full_page
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert KUCOIN.candles is not None
CANDLES = KUCOIN.candles
ORDER = [1, 3, 4, 2, 5, 6]
"""Where open, high, low, close, volume and quote volume stand in a row."""
HOUR = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, 1, tzinfo=UTC))


def row(symbol: str, base: str, state: bool) -> dict[str, object]:
    """A pair in USDT as KuCoin lists it."""
    return {"symbol": symbol, "baseCurrency": base, "quoteCurrency": "USDT", "enableTrading": state}


@pytest.mark.parametrize(
    "name",
    [
        "kucoin/ccxtdoc_fetch_spot_ohlcv_1.json",
    ],
)
def test_recorded_rows_are_read_as_they_were_printed(corpus: Path, name: str) -> None:
    """Every number keeps its digits and its place; how many trades there were is not told."""
    body = (corpus / name).read_bytes()
    rows = json.loads(body)["data"]
    expected = [(int(one[0]), *(Decimal(one[at]) for at in ORDER), None) for one in rows]
    read = candles_in(KUCOIN, body)

    assert expected == [((one[0] - EPOCH) // timedelta(seconds=1), *one[1:]) for one in read]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"code": "400100", "msg": "Unsupported trading pair."}, RequestRejected),
        (400, {"code": "400100", "msg": "Unsupported trading pair."}, RequestRejected),
        (429, {"code": "429000", "msg": "Too many requests"}, RateLimited),
        (200, {"code": "429000", "msg": "Too many requests"}, RateLimited),
        (200, {"code": "500000", "msg": "Internal server error"}, TransientError),
        (400, {"code": "400302", "msg": "currently unavailable in the U.S."}, HostRefused),
    ],
)
def test_error_holds_the_venues_words(
    status: int, body: dict[str, object], kind: type[ProviderError]
) -> None:
    """Code and status say which kind it is, the message why."""
    fault = fault_of(KUCOIN, body, status)

    assert kind is type(fault)
    assert str(body["msg"]) in str(fault)


def test_window_is_asked_for_with_its_bounds() -> None:
    """Inclusive or not, the window's rows come; one too many at either end is cut off."""
    asked = CANDLES.params("BTC-USDT", "1min", HOUR, 60)

    assert {
        "symbol": "BTC-USDT",
        "type": "1min",
        "startAt": 1709251199,
        "endAt": 1709254800,
    } == asked


def test_full_page_comes_whole(sandbox: Sandbox, browser: Browser) -> None:
    """The page limit is one that the venue keeps to."""
    assert [] == lost_of_a_full_page(KUCOIN, sandbox, browser)


def test_empty_pool_is_waited_for() -> None:
    """A header tells in milliseconds when it is full again."""
    often = {"code": "429000", "msg": "Too many requests"}
    fault = fault_of(KUCOIN, often, 429, gw_ratelimit_reset="14999")

    assert isinstance(fault, RateLimited)
    assert fault.retry_after == 14.999


def test_pairs_are_listed_with_what_became_of_them() -> None:
    """A pair that does not trade is halted."""
    assert [
        Listed(Instrument("ETH", "USDT"), "ETH-USDT", "trading"),
        Listed(Instrument("XRP", "USDT"), "XRP-USDT", "halted"),
    ] == listed_in(
        KUCOIN,
        {"code": "200000", "data": [row("ETH-USDT", "ETH", True), row("XRP-USDT", "XRP", False)]},
    )
