"""Observed values as typed rows, one class a dataset, and what each must keep to be stored.

An observation has no slot of its own: it belongs to the one that its time lies in, or, when it is
asked for as the present value, to the present one.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

MOST_DIGITS = 30
"""Before the point, and zeros after it: more than any market has, and fewer than a database refuses."""


class Price(NamedTuple):
    """What one unit of an asset costs; cap and volume are those of all markets together."""

    observed_at: datetime | None
    price_usd: Decimal
    market_cap_usd: Decimal | None = None
    volume_24h_usd: Decimal | None = None
    change_24h_pct: Decimal | None = None

    def broken_promise(self) -> str | None:
        """Why it may not be stored, or None."""
        amounts = [self.market_cap_usd, self.volume_24h_usd]
        if not _is_measurable(self.price_usd, *amounts, self.change_24h_pct):
            return "a number is beyond all measure"
        if self.price_usd <= 0:
            return "the price is not positive"
        if any(one is not None and one < 0 for one in amounts):
            return "a cap or volume is negative"
        return None


class IndexValue(NamedTuple):
    """One publication of an index; ``classification`` is the publisher's own word for it."""

    observed_at: datetime | None
    value: Decimal
    classification: str | None = None

    def broken_promise(self) -> str | None:
        """Why it may not be stored, or None."""
        return None if _is_measurable(self.value) else "a number is beyond all measure"


class GasPrice(NamedTuple):
    """What a transaction costs on a chain: fees of the slot's blocks, or what somebody recommends."""

    observed_at: datetime | None
    base_fee_gwei: Decimal | None = None
    priority_fee_p10_gwei: Decimal | None = None
    priority_fee_p50_gwei: Decimal | None = None
    priority_fee_p90_gwei: Decimal | None = None
    slow_gwei: Decimal | None = None
    standard_gwei: Decimal | None = None
    fast_gwei: Decimal | None = None
    slow_sat_vb: Decimal | None = None
    standard_sat_vb: Decimal | None = None
    fast_sat_vb: Decimal | None = None
    first_block: int | None = None
    last_block: int | None = None

    def broken_promise(self) -> str | None:
        """Why it may not be stored, or None."""
        fees = self[1:11]
        if not _is_measurable(*fees):
            return "a number is beyond all measure"
        if all(one is None for one in fees):
            return "there is no fee in it"
        if any(one is not None and one < 0 for one in fees):
            return "a fee is negative"
        return None


Observation = Price | IndexValue | GasPrice


def _is_measurable(*numbers: Decimal | int | None) -> bool:
    """Finite, and neither longer nor smaller than anything real."""
    decimals = [Decimal(one) for one in numbers if one is not None]
    return all(one.is_finite() and abs(one.adjusted()) <= MOST_DIGITS for one in decimals)
