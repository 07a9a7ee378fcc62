"""Gemini's prices in dollars: what its recorded reply says."""

from decimal import Decimal
from pathlib import Path

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.gemini_ticker import GEMINI_TICKER
from crypto_pipeline_tests.providers.observing import present_in, question_of


def test_ticker_is_read_as_it_was_printed(corpus: Path) -> None:
    """The last price, whose time and change are not told."""
    body = (corpus / "gemini/v2_ticker_BTCUSD.json").read_bytes()

    assert {"BTCUSD": Price(None, Decimal("9662.94"))} == present_in(GEMINI_TICKER, body)
    assert "/v2/ticker/BTCUSD" == question_of(GEMINI_TICKER, "BTCUSD").path
