"""Gate's protocol: what is asked, what recorded replies say, and what its refusals mean."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected, TransientError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.providers.gate import GATE
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import Asking, Browser, ask_of
from crypto_pipeline_tests.providers.paging import lost_of_a_full_page
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert GATE.candles is not None
CANDLES = GATE.candles
ORDER = [5, 3, 4, 2, 6, 1]
"""Where open, high, low, close, volume and quote volume stand in a row."""
HOUR = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, 1, tzinfo=UTC))


def row(symbol: str, base: str, state: str) -> dict[str, object]:
    """A pair in USDT as Gate lists it."""
    return {"id": symbol, "base": base, "quote": "USDT", "trade_status": state}


@pytest.mark.parametrize(
    "name",
    [
        "gateio/candlesticks_spot.json",
    ],
)
def test_recorded_rows_are_read_as_they_were_printed(corpus: Path, name: str) -> None:
    """Every number keeps its digits and its place; how many trades there were is not told."""
    body = (corpus / name).read_bytes()
    rows = json.loads(body)
    expected = [(int(one[0]), *(Decimal(one[at]) for at in ORDER), None) for one in rows]
    read = candles_in(GATE, body)

    assert expected == [((one[0] - EPOCH) // timedelta(seconds=1), *one[1:]) for one in read]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            {"label": "INVALID_CURRENCY_PAIR", "message": "Invalid currency pair"},
            RequestRejected,
        ),
        (
            400,
            {"label": "INVALID_PARAM_VALUE", "message": "Candlestick too long ago."},
            RequestRejected,
        ),
        (
            429,
            {"label": "TOO_MANY_REQUESTS", "message": "Request Rate Limit Exceeded"},
            RateLimited,
        ),
        (
            200,
            {"label": "TOO_MANY_REQUESTS", "message": "Request Rate Limit Exceeded"},
            RateLimited,
        ),
        (500, {"label": "SERVER_ERROR", "message": "Internal server error"}, TransientError),
        (400, {"label": "TOO_BUSY", "message": "Server is busy"}, TransientError),
    ],
)
def test_error_holds_the_venues_words(
    status: int, body: dict[str, object], kind: type[ProviderError]
) -> None:
    """Code and status say which kind it is, the message why."""
    fault = fault_of(GATE, body, status)

    assert kind is type(fault)
    assert str(body["message"]) in str(fault)


def test_window_is_asked_for_with_its_bounds() -> None:
    """The end is inclusive, so it is the last second of the window; a limit would be refused."""
    asked = CANDLES.params("BTC_USDT", "1m", HOUR, 999)

    assert {
        "currency_pair": "BTC_USDT",
        "interval": "1m",
        "from": 1709251200,
        "to": 1709254799,
    } == asked


def test_full_page_comes_whole(sandbox: Sandbox, browser: Browser) -> None:
    """The page limit is one that the venue keeps to."""
    assert [] == lost_of_a_full_page(GATE, sandbox, browser)


def test_running_candle_is_left_out() -> None:
    """The eighth field says whether a candle is closed; older replies had none."""
    row = ["1709251200", "15", "3", "4", "1", "2", "5"]
    read = candles_in(GATE, [row, [*row, "true"], [*row, "false"]])

    assert [Decimal(2), Decimal(2)] == [one.open for one in read]


def test_no_more_is_promised_than_the_venue_keeps() -> None:
    """Ten thousand slots, with room for those that grow too old while a request waits."""
    assert CANDLES.depth_slots == 9900


def test_pairs_are_listed_with_what_became_of_them() -> None:
    """A pair that does not trade is halted."""
    assert [
        Listed(Instrument("ETH", "USDT"), "ETH_USDT", "trading"),
        Listed(Instrument("XRP", "USDT"), "XRP_USDT", "halted"),
    ] == listed_in(GATE, [row("ETH_USDT", "ETH", "tradable"), row("XRP_USDT", "XRP", "untradable")])


def test_older_slots_are_not_asked_for_in_vain(sandbox: Sandbox, browser: Browser) -> None:
    """What lies beyond the depth is refused as too long ago, which is no unknown pair."""
    gate = replace(GATE, base_url=sandbox.base_url("gate"))
    start = datetime.now(UTC) - timedelta(minutes=10_005)

    with pytest.raises(RequestRejected, match="Candlestick too long ago"):
        Asking(gate, browser).ask(
            ask_of(gate, Window(start, start + timedelta(minutes=5)), series_of(venue="gate"))
        )
