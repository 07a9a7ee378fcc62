"""Instruments: one spelling, BASE-QUOTE."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.instruments import Instrument

assets = st.text("ABCXYZ0123456789", min_size=1, max_size=20)


@given(assets, assets)
def test_name_survives_parsing(base: str, quote: str) -> None:
    """What an instrument is called parses to the same instrument."""
    instrument = Instrument(base, quote)

    assert instrument == Instrument.parse(str(instrument))


@pytest.mark.parametrize(
    "name", ["", "BTC", "BTCUSDT", "BTC/USDT", "btc-usdt", "BTC-USDT-SWAP", "-USDT", "BTC-USDT\n"]
)
def test_other_spellings_are_refused_with_the_right_one(name: str) -> None:
    """The error shows what was written and how it should be."""
    with pytest.raises(UsageError) as refused:
        Instrument.parse(name)

    assert f"{name!r} is not an instrument" in str(refused.value)
    assert "like BTC-USDT" in str(refused.value)
