"""Lists of pairs: what is listed, what is passed over, and that nothing is not a list."""

import pytest

from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.providers.declaration import Listed
from crypto_pipeline.providers.pairs import pairs

NAMES = ("id", "of", "in")


def read(*rows: tuple[str, str, str]) -> list[Listed]:
    """Pairs of so many fields; those in EUR are halted."""
    named = [dict(zip(NAMES, row, strict=True)) for row in rows]
    return pairs(named, NAMES, str, lambda row: row["in"] != "EUR")


def test_pairs_are_listed_with_what_became_of_them() -> None:
    """Both those that trade and those that do not."""
    assert [
        Listed(Instrument("BTC", "USD"), "BTC-USD", "trading"),
        Listed(Instrument("BTC", "EUR"), "BTC-EUR", "halted"),
    ] == read(("BTC-USD", "BTC", "USD"), ("BTC-EUR", "BTC", "EUR"))


@pytest.mark.parametrize("row", [("bé-USD", "bé", "USD"), ("OLD-USD", "NEW", "USD")])
def test_pair_that_nobody_could_ask_for_is_passed_over(row: tuple[str, str, str]) -> None:
    """An asset without a name here, or a spelling that is not that of the assets."""
    assert ["BTC-USD"] == [one.symbol for one in read(row, ("BTC-USD", "BTC", "USD"))]


def test_list_without_pairs_is_none() -> None:
    """A venue that lists nothing is never read as one that delisted everything."""
    with pytest.raises(ValueError, match=r"^$"):
        read()
