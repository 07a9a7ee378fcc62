"""Observations: what a row must keep to be stored."""

from decimal import Decimal

import pytest

from crypto_pipeline.frames.observations import GasPrice, IndexValue, Observation, Price

D = Decimal
SOUND = [
    Price(None, D("0.00000001")),
    Price(None, D(1), D(0), D(0), D("-99.5")),
    IndexValue(None, D(0), "Extreme Fear"),
    GasPrice(None, base_fee_gwei=D(0)),
    GasPrice(None, fast_sat_vb=D(7)),
]
BROKEN = [
    (Price(None, D(0)), "the price is not positive"),
    (Price(None, D(-1)), "the price is not positive"),
    (Price(None, D(1), D(-1)), "a cap or volume is negative"),
    (Price(None, D(1), None, D(-1)), "a cap or volume is negative"),
    (Price(None, D("NaN")), "a number is beyond all measure"),
    (Price(None, D(1), None, None, D("Infinity")), "a number is beyond all measure"),
    (Price(None, D("1e31")), "a number is beyond all measure"),
    (Price(None, D("1e-31")), "a number is beyond all measure"),
    (IndexValue(None, D("NaN")), "a number is beyond all measure"),
    (GasPrice(None), "there is no fee in it"),
    (GasPrice(None, slow_gwei=D("-0.1")), "a fee is negative"),
    (GasPrice(None, base_fee_gwei=D("NaN")), "a number is beyond all measure"),
]


@pytest.mark.parametrize("row", SOUND, ids=str)
def test_what_a_source_can_mean_is_sound(row: Observation) -> None:
    """Small, quiet and falling are no faults."""
    assert row.broken_promise() is None


@pytest.mark.parametrize(("row", "reason"), BROKEN, ids=str)
def test_what_no_source_can_mean_is_told(row: Observation, reason: str) -> None:
    """Each broken promise has its own sentence."""
    assert reason == row.broken_promise()
