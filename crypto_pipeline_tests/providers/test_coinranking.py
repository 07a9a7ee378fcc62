"""Coinranking's protocol: what its documented reply says, and what its errors mean."""

from decimal import Decimal

import pytest

from crypto_pipeline.errors import MalformedReply, ProviderError, RateLimited, RequestRejected
from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.coinranking import COINRANKING
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline_tests.providers.observing import present_in
from crypto_pipeline_tests.providers.saying import fault_of

ROW = {
    "symbol": "BTC",
    "price": "9370.90",
    "marketCap": "159393",
    "24hVolume": "6818",
    "change": "-0.52",
}


def test_coin_is_read_as_it_is_printed() -> None:
    """Texts are exact numbers; one without a price has no row."""
    rows = [ROW, {**ROW, "symbol": "X", "price": None}]
    found = present_in(COINRANKING, {"status": "success", "data": {"coins": rows}})
    numbers = (Decimal(text) for text in ("9370.90", "159393", "6818", "-0.52"))

    assert {"BTC": Price(None, *numbers)} == found


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, {"status": "fail", "type": "A", "message": "b"}, RequestRejected, "A b"),
        (429, {"status": "fail", "type": "A", "message": "b"}, RateLimited, "A b"),
        (200, {"status": "fail", "message": "b"}, RequestRejected, "b"),
        (200, {"status": "fail"}, RequestRejected, "failure"),
    ],
)
def test_failure_is_told_in_its_words(
    status: int, body: object, kind: type[ProviderError], said: str
) -> None:
    """What calls itself a failure is one, whatever the status."""
    fault = fault_of(COINRANKING, body, status)

    assert kind is type(fault)
    assert said in str(fault)


def test_html_is_malformed() -> None:
    """A page for people under a 200 is no answer."""
    fault = COINRANKING.fault(Reply(200, {"content-type": "text/html"}, b"<html>"))

    assert isinstance(fault, MalformedReply)
