"""Who stands apart: the median rules where there are three, trust where there are two."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.agreement import TOLERANCE, Judgement, Told, judged

PRICES = st.decimals("0.0001", "100000", places=4)
TOLD = st.builds(Told, st.sampled_from("abcdef"), PRICES, st.integers(0, 3))
NEAR = st.decimals("0", "0.0199", places=4)


def told(*prices: str, trust: int = 0) -> list[Told]:
    """These prices by sources a, b, c, …, the first one trusted so much."""
    return [
        Told(source, Decimal(price), 0 if number else trust)
        for number, (source, price) in enumerate(zip("abcdef", prices, strict=False))
    ]


def names(judgement: Judgement) -> str:
    """The outliers' sources."""
    return "".join(sorted(one.source for one in judgement.outliers))


@pytest.mark.parametrize(
    ("prices", "outliers"),
    [
        (["100", "101.9", "102.1"], ""),
        (["100", "100", "102.1"], "c"),
        (["100", "100", "97.9"], "c"),
        (["100", "102", "98"], ""),
        (["100", "1", "100", "100", "1000"], "be"),
    ],
)
def test_the_median_is_the_measure(prices: list[str], outliers: str) -> None:
    """Of three and more, those further off the median than the tolerance are named, whoever they are."""
    assert outliers == names(judged(told(*prices)))
    assert outliers == names(judged(told(*prices, trust=1)))


def test_of_two_the_less_trusted_is_the_outlier() -> None:
    """One other source is enough when it is more trusted."""
    fallback, venue = told("110", "100", trust=1)

    assert Judgement(Decimal(100), (fallback,)) == judged([fallback, venue])
    assert Decimal("0.1") == judged([fallback, venue]).deviation(fallback)


@pytest.mark.parametrize(
    "prices", [["100", "110"], ["100", "100", "110", "110"], ["100", "105", "110"]]
)
def test_nobody_is_wrong_where_nobody_is_right(prices: list[str]) -> None:
    """Two of equal trust, two against two, all apart: the disagreement is seen, and no one named."""
    found = judged(told(*prices))

    assert found.far
    assert (False, ()) == (found.is_settled, found.outliers)


def test_one_price_agrees_with_itself() -> None:
    """With nothing to compare there is nothing to tell."""
    assert Judgement(Decimal(7)) == judged(told("7"))


@given(st.lists(TOLD, min_size=1, max_size=7).flatmap(st.permutations))
def test_order_does_not_matter(prices: list[Told]) -> None:
    """The same prices are judged alike, however they come."""
    found, ordered = judged(prices), judged(sorted(prices, key=str))

    assert (found.reference, found.is_settled) == (ordered.reference, ordered.is_settled)
    assert sorted(found.far, key=str) == sorted(ordered.far, key=str)


@given(PRICES, st.lists(NEAR, min_size=1, max_size=7), st.data())
def test_prices_close_together_are_never_in_doubt(
    price: Decimal, offsets: list[Decimal], data: st.DataObject
) -> None:
    """Where the highest is within the tolerance of the lowest nobody is far: no such slot need be read."""
    trusts = data.draw(st.lists(st.integers(0, 3), min_size=7, max_size=7))
    prices = [
        Told(str(number), price * (1 + offset), trust)
        for number, (offset, trust) in enumerate(zip(offsets, trusts, strict=False))
    ]
    assert max(offsets) < TOLERANCE

    assert judged(prices).far == ()


@given(PRICES, st.lists(NEAR, min_size=2, max_size=6), TOLD)
def test_one_wrong_price_is_named_and_no_other(
    price: Decimal, offsets: list[Decimal], wrong: Told
) -> None:
    """However many agree and whatever the one says: when it is far off them all, it alone is named."""
    agreed = [Told(f"v{number}", price * (1 + one)) for number, one in enumerate(offsets)]
    lowest, highest = min(offsets) + 1, max(offsets) + 1
    is_far = wrong.price < price * lowest * Decimal("0.97") or (
        wrong.price > price * highest * Decimal("1.03")
    )
    found = judged([*agreed, wrong])

    assert (wrong in found.outliers) >= is_far
    assert not is_far or found.outliers == (wrong,)


@given(st.lists(TOLD, min_size=3, max_size=7))
def test_outliers_are_fewer_than_the_others(prices: list[Told]) -> None:
    """Of three and more, whoever is named stands against more than half."""
    assert len(judged(prices).outliers) * 2 < len(prices)


@given(st.lists(TOLD, min_size=1, max_size=7), st.integers(-6, 6))
def test_the_unit_does_not_matter(prices: list[Told], power: int) -> None:
    """A coin of a millionth of a dollar is judged as one of a hundred thousand."""
    scale = Decimal(10) ** power
    scaled = [Told(one.source, one.price * scale, one.trust) for one in prices]

    assert [one.source for one in judged(prices).far] == [one.source for one in judged(scaled).far]
