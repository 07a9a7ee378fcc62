"""CoinPaprika's protocol: what its recorded replies say, and what its errors mean."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from crypto_pipeline.errors import HostRefused, RequestRejected
from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.coinpaprika import COINPAPRIKA
from crypto_pipeline.providers.replies import REFUSAL_PAUSE
from crypto_pipeline_tests.providers.observing import present_in, question_of
from crypto_pipeline_tests.providers.saying import fault_of

RECORDED = Price(
    datetime(2022, 1, 30, 18, 23, 8, tzinfo=UTC),
    Decimal("38054.559249568"),
    Decimal(720916758464),
    Decimal("16010948942.9"),
    Decimal("0.9"),
)


def test_ticker_is_read_as_it_was_printed(corpus: Path) -> None:
    """One ticker and a list of them hold the same row."""
    body = (corpus / "coinpaprika/ticker_btc-bitcoin.json").read_bytes()

    assert {"btc-bitcoin": RECORDED} == present_in(COINPAPRIKA, body)
    assert {"btc-bitcoin": RECORDED} == present_in(COINPAPRIKA, b"[" + body + b"]")


def test_one_is_asked_for_alone_and_many_all_at_once() -> None:
    """Whatever is asked for costs one request, and no path ends with a slash, which is a redirect."""
    assert "/v1/tickers/btc-bitcoin" == question_of(COINPAPRIKA, "btc-bitcoin").path
    assert "/v1/tickers" == question_of(COINPAPRIKA, "btc-bitcoin", "eth-ethereum").path


def test_used_up_month_is_left_alone() -> None:
    """402 is a month's allowance used up: the host is left alone; an unknown coin is refused for good."""
    used_up = fault_of(COINPAPRIKA, {"error": "payment required"}, 402)
    unknown = fault_of(COINPAPRIKA, {"error": "id not found"}, 404)

    assert isinstance(used_up, HostRefused)
    assert REFUSAL_PAUSE == used_up.retry_after
    assert type(unknown) is RequestRejected
    assert "HTTP 404: id not found" == str(unknown)
