"""CoinGecko's protocol: what its recorded replies say, and what its errors mean."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected, TransientError
from crypto_pipeline.frames.observations import Price
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.coingecko import COINGECKO
from crypto_pipeline_tests.providers.observing import (
    FIVE_MINUTES,
    Answers,
    present_in,
    question_of,
)
from crypto_pipeline_tests.providers.saying import fault_of

RECORDED_AT = datetime(2021, 5, 15, 14, 42, 25, tzinfo=UTC)


def test_price_is_read_as_it_was_printed(corpus: Path) -> None:
    """Every number keeps its digits, and the time is the source's own."""
    body = (corpus / "coingecko/oas_simple_price.json").read_bytes()
    expected = Price(
        EPOCH + timedelta(seconds=1779092258),
        Decimal(76975),
        Decimal("1542226908349.8406"),
        Decimal("29096603418.89408"),
        Decimal("-1.4093297098441402"),
    )

    assert {"bitcoin": expected} == present_in(COINGECKO, body)


@pytest.mark.parametrize("name", ["simple_price_one", "simple_price_multi", "pro_simple_price"])
def test_coin_without_a_dollar_price_has_no_row(corpus: Path, name: str) -> None:
    """A coin that is known and has no price in dollars is not there."""
    assert {} == present_in(COINGECKO, (corpus / f"coingecko/{name}.json").read_bytes())


def test_null_is_no_number() -> None:
    """What is null is not told; without a price there is no row."""
    told = {"usd": 1.5, "usd_market_cap": None, "usd_24h_change": None, "last_updated_at": 60}
    body = {"a": told, "b": {**told, "usd": None}}

    assert {"a": Price(EPOCH + timedelta(seconds=60), Decimal("1.5"))} == present_in(
        COINGECKO, body
    )


def test_chart_is_read_as_it_was_printed(corpus: Path) -> None:
    """All points of the last day have their own times, off the grid, and the newest is the present."""
    body = (corpus / "coingecko/market_chart_bitcoin_usd_1d_5min.json").read_bytes()
    told = json.loads(body, parse_float=Decimal)
    expected = [
        (EPOCH + timedelta(milliseconds=price[0]), price[1], cap[1], volume[1], None)
        for price, cap, volume in zip(*told.values(), strict=True)
    ]
    window = Window(RECORDED_AT - timedelta(hours=1), RECORDED_AT)
    answers = Answers(COINGECKO, [body])
    rows = answers.past("bitcoin", window, FIVE_MINUTES)

    assert 288 == len(rows)
    assert expected == [tuple(row) for row in rows]
    assert ["/coins/bitcoin/market_chart"] == [question.path for question in answers.asked]
    assert {"vs_currency": "usd", "days": 1} == answers.asked[0].params


def test_all_is_asked_for_in_one_request() -> None:
    """Many coins are one question, with everything that a row holds."""
    question = question_of(COINGECKO, "bitcoin", "ethereum")

    assert "/simple/price" == question.path
    assert "bitcoin,ethereum" == question.params["ids"]
    assert {"true"} == {value for name, value in question.params.items() if "include" in name}


@pytest.mark.parametrize("name", ["simple_price", "coins_markets", "coins_bitcoin_market_chart"])
def test_recorded_rejection_is_told_in_its_words(corpus: Path, name: str) -> None:
    """A wrong question is refused for good, and it is told why."""
    body = (corpus / f"coingecko/errors/422_{name}.json").read_bytes()
    fault = fault_of(COINGECKO, body, 422)

    assert type(fault) is RequestRejected
    assert "HTTP 422: Missing parameter" in str(fault)


def test_recorded_failure_may_pass(corpus: Path) -> None:
    """Its own trouble is worth another try."""
    body = (corpus / "coingecko/errors/500_coins_bitcoin_ohlc.json").read_bytes()

    assert type(fault_of(COINGECKO, body, 500)) is TransientError


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, {"status": {"error_code": 429, "error_message": "slow"}}, RateLimited),
        (200, {"status": {"error_code": 429, "error_message": "slow"}}, RateLimited),
        (401, {"status": {"error_code": 10002, "error_message": "no key"}}, RequestRejected),
        (400, {"error_code": 10010, "status": {"error_message": "pro url"}}, RequestRejected),
        (403, {"error_code": 10011, "status": {"error_message": "demo url"}}, RequestRejected),
        (404, {"error": "coin not found"}, RequestRejected),
        (200, {"error": "coin not found"}, RequestRejected),
    ],
)
def test_error_means_what_its_code_says(
    status: int, body: object, kind: type[ProviderError]
) -> None:
    """A wrong key stops nothing but the question; too many questions stop for as long as is said."""
    fault = fault_of(COINGECKO, body, status, retry_after="7")

    assert kind is type(fault)
    assert 7 == getattr(fault, "retry_after", 7)
    assert any(words in str(fault) for words in ("slow", "no key", "url", "coin not found"))
