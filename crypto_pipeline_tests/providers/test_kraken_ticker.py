"""Kraken's prices in dollars: what its recorded reply says."""

import json
from decimal import Decimal
from pathlib import Path

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.kraken_ticker import KRAKEN_TICKER
from crypto_pipeline_tests.providers.observing import present_in, question_of


def test_tickers_are_read_as_they_were_printed(corpus: Path) -> None:
    """All pairs against the dollar, and no others, with the digits of their last trade."""
    body = (corpus / "kraken/ticker_all_assetVersion1_2026.json").read_bytes()
    told = json.loads(body)["result"]
    expected = {
        pair: Price(None, Decimal(row["c"][0]))
        for pair, row in told.items()
        if pair.partition("/")[2] == "USD"
    }

    assert 695 == len(expected)
    assert expected == present_in(KRAKEN_TICKER, body)
    assert {"BTC/USD", "DOGE/USD"} <= expected.keys()


def test_new_spelling_is_asked_for() -> None:
    """Without it Bitcoin would be XXBTZUSD."""
    assert {"assetVersion": 1} == question_of(KRAKEN_TICKER, "BTC/USD").params
