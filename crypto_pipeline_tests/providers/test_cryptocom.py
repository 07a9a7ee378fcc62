"""Crypto.com's protocol: what is asked, what its documented replies say, and what its refusals mean."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected, TransientError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.cryptocom import CRYPTOCOM
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline_tests.providers.saying import candles_in, fault_of, listed_in

assert CRYPTOCOM.candles is not None
CANDLES = CRYPTOCOM.candles


def test_sampled_rows_are_read_as_they_were_printed(corpus: Path) -> None:
    """Every number of a row keeps its digits, and its place by letter."""
    body = (corpus / "cryptocom/ccxtdoc_fetch_ohlcv_1.json").read_bytes()
    expected = [
        (row["t"], *(Decimal(row[letter]) for letter in "ohlcv"), None, None)
        for row in json.loads(body)["result"]["data"]
    ]
    read = candles_in(CRYPTOCOM, body)

    assert expected == [(round((row[0] - EPOCH).total_seconds() * 1000), *row[1:]) for row in read]


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, 30003, "SYMBOL_NOT_FOUND", RequestRejected),
        (500, 206, "INSTRUMENT_EXPIRED", RequestRejected),
        (200, 40401, "NOT_FOUND", RequestRejected),
        (200, 99999, "NEW", RequestRejected),
        (429, 42901, "TOO_MANY_REQUESTS", RateLimited),
        (200, 42901, "TOO_MANY_REQUESTS", RateLimited),
        (400, 50001, "ERR_INTERNAL", TransientError),
        (408, 40801, "REQUEST_TIMEOUT", TransientError),
        (500, 99999, "NEW", TransientError),
    ],
)
def test_error_means_what_its_code_says(
    status: int, code: int, message: str, kind: type[ProviderError]
) -> None:
    """A code counts more than the status, which is 500 for what is wrong for ever, too."""
    fault = fault_of(CRYPTOCOM, {"id": -1, "code": code, "message": message}, status)

    assert kind is type(fault)
    assert f"{code} {message}" in str(fault)


def test_window_is_asked_for_with_room_at_both_ends() -> None:
    """Whether its bounds are inclusive is not known: a row outside never costs one inside."""
    window = Window(datetime(2023, 6, 20, tzinfo=UTC), datetime(2023, 6, 20, 1, tzinfo=UTC))

    assert {
        "instrument_name": "BTC_USDT",
        "timeframe": "1m",
        "start_ts": 1687219199999,
        "end_ts": 1687222800000,
        "count": 300,
    } == CANDLES.params("BTC_USDT", "1m", window, CANDLES.page_limit)


def test_pairs_are_listed_with_what_became_of_them() -> None:
    """Derivatives are left out; what is not tradable is halted."""
    pair = {"symbol": "BTC_USDT", "base_ccy": "BTC", "quote_ccy": "USDT", "inst_type": "CCY_PAIR"}
    perpetual = {**pair, "symbol": "BTCUSD-PERP", "inst_type": "PERPETUAL_SWAP", "tradable": True}
    halted = {**pair, "symbol": "BTC_USD", "quote_ccy": "USD", "tradable": False}
    body = {"code": 0, "result": {"data": [{**pair, "tradable": True}, perpetual, halted]}}

    assert [
        Listed(Instrument("BTC", "USDT"), "BTC_USDT", "trading"),
        Listed(Instrument("BTC", "USD"), "BTC_USD", "halted"),
    ] == listed_in(CRYPTOCOM, body)
