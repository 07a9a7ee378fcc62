"""Bitfinex's prices in dollars: what its recorded reply says."""

import json
from decimal import Decimal
from pathlib import Path

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.bitfinex_ticker import BITFINEX_TICKER
from crypto_pipeline_tests.providers.observing import present_in, question_of


def test_ticker_is_read_as_it_was_printed(corpus: Path) -> None:
    """The last price of a row of many, which begins with its name; funding is no price."""
    ticker = json.loads((corpus / "bitfinex/ticker_tBTCUSD_2025.json").read_text())
    rows = [["tBTCUSD", *ticker], ["fUSD", *ticker]]

    assert {"tBTCUSD": Price(None, Decimal(118270))} == present_in(BITFINEX_TICKER, rows)


def test_pairs_are_spelt_as_the_venue_does() -> None:
    """A colon sets off longer symbols, and some have names of the venue's own."""
    name = BITFINEX_TICKER.snapshots["market_prices"].name

    assert ["tBTCUSD", "tAVAX:USD", "tUSTUSD"] == [*map(name, ("bitcoin", "avalanche-2", "tether"))]
    assert "tBTCUSD,tETHUSD" == question_of(BITFINEX_TICKER, "tBTCUSD", "tETHUSD").params["symbols"]
