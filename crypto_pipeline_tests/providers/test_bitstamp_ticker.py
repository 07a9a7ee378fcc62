"""Bitstamp's prices in dollars: what its recorded reply says."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.providers.bitstamp_ticker import BITSTAMP_TICKER
from crypto_pipeline_tests.providers.observing import present_in, question_of


def test_ticker_is_read_as_it_was_printed(corpus: Path) -> None:
    """Price, time and the pair's own change of a row of many; other money than dollars is left out."""
    ticker = json.loads((corpus / "bitstamp/ticker_btcusd.json").read_text())
    rows = [{**ticker, "pair": "BTC/USD"}, {**ticker, "pair": "BTC/EUR"}]
    moment = EPOCH + timedelta(seconds=1643640186)
    expected = Price(moment, Decimal("2211.00"), change_24h_pct=Decimal("13.57"))

    assert {"BTC/USD": expected} == present_in(BITSTAMP_TICKER, rows)
    assert "/api/v2/ticker/" == question_of(BITSTAMP_TICKER, "BTC/USD").path
