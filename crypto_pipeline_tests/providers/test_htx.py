"""HTX's protocol: what is asked, what its documented replies say, and what its refusals mean."""

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
from crypto_pipeline.providers.htx import HTX
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert HTX.candles is not None
CANDLES = HTX.candles
NAMES = ("open", "high", "low", "close", "amount", "vol")


def test_sampled_rows_are_read_as_they_were_printed(corpus: Path) -> None:
    """Amount is the volume of the base, vol that of the quote; every number keeps its digits."""
    body = (corpus / "htx/ccxtdoc_fetch_ohlcv_1.json").read_bytes()
    expected = [
        (row["id"], *(Decimal(row[name]) for name in NAMES), row["count"])
        for row in json.loads(body, parse_float=str)["data"]
    ]
    read = candles_in(HTX, body)

    assert expected == [((row[0] - EPOCH) // timedelta(seconds=1), *row[1:]) for row in read]


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (200, "invalid-parameter", "invalid symbol", RequestRejected),
        (200, "bad-request", "invalid size", RequestRejected),
        (429, "too-many-requests", "exceeded rate limit", RateLimited),
        (200, "too-many-requests", "exceeded rate limit", RateLimited),
        (200, "base-system-busy", "try later", TransientError),
        (200, "gateway-internal-error", "try later", TransientError),
        (504, "new", "gateway", TransientError),
    ],
)
def test_error_means_what_its_code_says(
    status: int, code: str, message: str, kind: type[ProviderError]
) -> None:
    """Errors come with HTTP 200: what is not known to pass is a rejection."""
    body = {"status": "error", "err-code": code, "err-msg": message, "ts": 1}
    fault = fault_of(HTX, body, status)

    assert kind is type(fault)
    assert f"{code}: {message}" in str(fault)


def test_newest_rows_are_asked_for_whatever_the_window() -> None:
    """There is no parameter for a time, and it promises no more than those rows."""
    window = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC))
    asked = CANDLES.params("btcusdt", "1min", window, 1)

    assert {"symbol": "btcusdt", "period": "1min", "size": 2000} == asked
    assert CANDLES.depth_slots == 2000


def test_pairs_are_listed_with_what_became_of_them() -> None:
    """A pair that is not online is halted; one that is not spelt as its two assets is left out."""
    pair = {"sc": "ethusdt", "bc": "eth", "qc": "usdt", "state": "online"}
    halted = {**pair, "sc": "ethbtc", "qc": "btc", "state": "suspend"}

    assert [
        Listed(Instrument("ETH", "USDT"), "ethusdt", "trading"),
        Listed(Instrument("ETH", "BTC"), "ethbtc", "halted"),
    ] == listed_in(HTX, {"status": "ok", "data": [pair, halted, {**pair, "sc": "eth3lusdt"}]})
