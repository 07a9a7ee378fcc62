"""Bitget's protocol: what is asked, what recorded replies say, and what its refusals mean."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected, TransientError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.bitget import BITGET
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Browser
from crypto_pipeline_tests.providers.paging import lost_of_a_full_page
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert BITGET.candles is not None
CANDLES = BITGET.candles
ORDER = [1, 2, 3, 4, 5, 6]
"""Where open, high, low, close, volume and quote volume stand in a row."""
HOUR = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, 1, tzinfo=UTC))


def row(symbol: str, base: str, state: str) -> dict[str, object]:
    """A pair in USDT as Bitget lists it."""
    return {"symbol": symbol, "baseCoin": base, "quoteCoin": "USDT", "status": state}


@pytest.mark.parametrize(
    "name",
    [
        "bitget/candles_spot_v2.json",
    ],
)
def test_recorded_rows_are_read_as_they_were_printed(corpus: Path, name: str) -> None:
    """Every number keeps its digits and its place; how many trades there were is not told."""
    body = (corpus / name).read_bytes()
    rows = json.loads(body)["data"]
    expected = [(int(one[0]), *(Decimal(one[at]) for at in ORDER), None) for one in rows]
    read = candles_in(BITGET, body)

    assert expected == [((one[0] - EPOCH) // timedelta(milliseconds=1), *one[1:]) for one in read]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            {"code": "40034", "msg": "Parameter NOSUCH does not exist", "data": None},
            RequestRejected,
        ),
        (200, {"code": "40034", "msg": "Parameter NOSUCH does not exist"}, RequestRejected),
        (429, {"code": "429", "msg": "Too Many Requests"}, RateLimited),
        (200, {"code": "40015", "msg": "System is abnormal"}, TransientError),
        (400, {"code": "40725", "msg": "service return an error"}, TransientError),
    ],
)
def test_error_holds_the_venues_words(
    status: int, body: dict[str, object], kind: type[ProviderError]
) -> None:
    """Code and status say which kind it is, the message why."""
    fault = fault_of(BITGET, body, status)

    assert kind is type(fault)
    assert str(body["msg"]) in str(fault)


def test_window_is_asked_for_with_its_bounds() -> None:
    """Only the end can be named; were it inclusive, the row too many has its place."""
    asked = CANDLES.params("BTCUSDT", "1min", HOUR, 199)

    assert {
        "symbol": "BTCUSDT",
        "granularity": "1min",
        "endTime": 1709254800000,
        "limit": 200,
    } == asked


def test_full_page_comes_whole(sandbox: Sandbox, browser: Browser) -> None:
    """The page limit is one that the venue keeps to."""
    assert [] == lost_of_a_full_page(BITGET, sandbox, browser)


def test_pairs_are_listed_with_what_became_of_them() -> None:
    """A pair that does not trade is halted."""
    assert [
        Listed(Instrument("ETH", "USDT"), "ETHUSDT", "trading"),
        Listed(Instrument("XRP", "USDT"), "XRPUSDT", "halted"),
    ] == listed_in(
        BITGET,
        {"code": "00000", "data": [row("ETHUSDT", "ETH", "online"), row("XRPUSDT", "XRP", "halt")]},
    )
