"""Whether what several sources tell of one price at one time agrees, and who stands apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import median

TOLERANCE = Decimal("0.02")
"""How far off a price may be: dollar coins stray by a percent, and minutes move a market by another."""
NEARBY = timedelta(minutes=10)
"""How long before a price a candle may have closed to be compared with it."""

PAIR = 2


@dataclass(frozen=True, slots=True)
class Told:
    """A price and who tells it; ``trust`` is 0 for a venue's own candle, and greater the less it is trusted."""

    source: str
    price: Decimal
    trust: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is made of some prices: the one they are measured by, and those too far off it.

    Where it is not ``settled`` they disagree, and nobody can say who is wrong.
    """

    reference: Decimal
    far: tuple[Told, ...] = ()
    is_settled: bool = True

    @property
    def outliers(self) -> tuple[Told, ...]:
        """Those that are wrong as far as one can tell."""
        return self.far if self.is_settled else ()

    def deviation(self, one: Told) -> Decimal:
        """How far off a price is, as a share of the reference."""
        return abs(one.price - self.reference) / self.reference


def judged(prices: Sequence[Told]) -> Judgement:
    """Who of one or more stands apart, whatever order they come in.

    Of three and more the median is the measure, and more than half must be near it; of two it is
    the more trusted one, and where neither is, neither is wrong.
    """
    reference = _reference(prices)
    near = [one for one in prices if abs(one.price - reference) <= TOLERANCE * reference]
    far = tuple(one for one in prices if one not in near)
    by_trust = len(prices) == PAIR and prices[0].trust != prices[1].trust
    return Judgement(reference, far, not far or by_trust or 2 * len(near) > len(prices))


def _reference(prices: Sequence[Told]) -> Decimal:
    if len(prices) > PAIR:
        return median(one.price for one in prices)
    return min(prices, key=lambda one: (one.trust, one.price)).price
