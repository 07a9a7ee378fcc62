"""OKX's protocol: what is asked, what recorded replies say, and what its refusals mean."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected, TransientError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.providers.okx import OKX
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Browser
from crypto_pipeline_tests.providers.paging import lost_of_a_full_page
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert OKX.candles is not None
CANDLES = OKX.candles
ORDER = [1, 2, 3, 4, 5, 7]
"""Where open, high, low, close, volume and quote volume stand in a row."""
HOUR = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, 1, tzinfo=UTC))


def row(symbol: str, base: str, state: str) -> dict[str, object]:
    """A pair in USDT as OKX lists it."""
    return {"instId": symbol, "baseCcy": base, "quoteCcy": "USDT", "state": state}


@pytest.mark.parametrize(
    "name",
    [
        "okx/candles_spot_1h.json",
    ],
)
def test_recorded_rows_are_read_as_they_were_printed(corpus: Path, name: str) -> None:
    """Every number keeps its digits and its place; how many trades there were is not told."""
    body = (corpus / name).read_bytes()
    rows = json.loads(body)["data"]
    expected = [(int(one[0]), *(Decimal(one[at]) for at in ORDER), None) for one in rows]
    read = candles_in(OKX, body)

    assert expected == [((one[0] - EPOCH) // timedelta(milliseconds=1), *one[1:]) for one in read]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            200,
            {"code": "51001", "msg": "Instrument ID does not exist", "data": []},
            RequestRejected,
        ),
        (429, {"code": "50011", "msg": "Too Many Requests"}, RateLimited),
        (200, {"code": "50011", "msg": "Too Many Requests"}, RateLimited),
        (200, {"code": "50013", "msg": "Systems are busy"}, TransientError),
        (503, {"code": "50001", "msg": "Service temporarily unavailable"}, TransientError),
    ],
)
def test_error_holds_the_venues_words(
    status: int, body: dict[str, object], kind: type[ProviderError]
) -> None:
    """Code and status say which kind it is, the message why."""
    fault = fault_of(OKX, body, status)

    assert kind is type(fault)
    assert str(body["msg"]) in str(fault)


def test_window_is_asked_for_with_its_bounds() -> None:
    """Both bounds are exclusive: the one is a millisecond before the window, the other its end."""
    asked = CANDLES.params("BTC-USDT", "1m", HOUR, 300)

    assert {
        "instId": "BTC-USDT",
        "bar": "1m",
        "before": 1709251199999,
        "after": 1709254800000,
        "limit": 300,
    } == asked


def test_full_page_comes_whole(sandbox: Sandbox, browser: Browser) -> None:
    """The page limit is one that the venue keeps to."""
    assert [] == lost_of_a_full_page(OKX, sandbox, browser)


def test_running_candle_is_left_out() -> None:
    """The last field says whether a candle is closed."""
    row = ["1709251200000", "2", "4", "1", "3", "5", "10", "15", "1"]
    running = ["1709251260000", *row[1:8], "0"]
    read = candles_in(OKX, {"code": "0", "data": [running, row]})

    assert [EPOCH + timedelta(seconds=1709251200)] == [one.open_time for one in read]


def test_long_slots_begin_at_midnight_utc() -> None:
    """Their plain spelling would be that of slots which begin in Hong Kong."""
    assert ["6Hutc", "12Hutc", "1Dutc"] == [CANDLES.intervals[one] for one in ("6h", "12h", "1d")]


def test_pairs_are_listed_with_what_became_of_them() -> None:
    """A pair that does not trade is halted."""
    assert [
        Listed(Instrument("ETH", "USDT"), "ETH-USDT", "trading"),
        Listed(Instrument("XRP", "USDT"), "XRP-USDT", "halted"),
    ] == listed_in(
        OKX,
        {"code": "0", "data": [row("ETH-USDT", "ETH", "live"), row("XRP-USDT", "XRP", "suspend")]},
    )
