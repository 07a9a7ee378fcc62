"""Coinbase's prices in dollars: what its documented reply says."""

from decimal import Decimal

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.coinbase_ticker import COINBASE_TICKER
from crypto_pipeline_tests.providers.observing import present_in, question_of

PRODUCT = {
    "product_id": "BTC-USD",
    "price": "50000.10",
    "price_percentage_change_24h": "2.0408163265306123",
    "is_disabled": False,
}


def test_product_is_read_as_it_is_printed() -> None:
    """Price and the pair's own change; cap and volume are those of all markets, and not told here."""
    expected = Price(None, Decimal("50000.10"), None, None, Decimal("2.0408163265306123"))

    assert {"BTC-USD": expected} == present_in(COINBASE_TICKER, PRODUCT)
    assert (
        "/api/v3/brokerage/market/products/BTC-USD" == question_of(COINBASE_TICKER, "BTC-USD").path
    )


def test_closed_product_has_no_price() -> None:
    """What was paid when a product was still traded is no present price; no change is none."""
    open_again = {**PRODUCT, "price_percentage_change_24h": ""}

    assert {} == present_in(COINBASE_TICKER, {**PRODUCT, "is_disabled": True})
    assert {"BTC-USD": Price(None, Decimal("50000.10"))} == present_in(COINBASE_TICKER, open_again)
