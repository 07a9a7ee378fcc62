"""Mentions: assets are found where a text names them, and nowhere else."""

import pytest

from crypto_pipeline.frames.mentions import Mentions
from crypto_pipeline.market.assets import ASSETS

FEW = Mentions(
    [
        ("bitcoin", "BTC", "Bitcoin"),
        ("bitcoin-cash", "BCH", "Bitcoin Cash"),
        ("harmony", "ONE", "Harmony"),
        ("gas", "GAS", "Gas"),
        ("chainlink", "LINK", "Chainlink"),
        ("sui", "SUI", "Sui"),
        ("impostor", "BTC", "Bitcoin"),
    ]
)
ALL = Mentions((one.asset_id, one.symbol, one.name) for one in ASSETS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bitcoin and bitcoin's BTC", ("bitcoin",)),
        ("Bitcoin Cash forks", ("bitcoin-cash",)),
        ("Bitcoin and Bitcoin Cash", ("bitcoin", "bitcoin-cash")),
        ("Bitcoiners like btc", ()),
        ("No ONE pays for GAS in harmony", ()),
        ("$ONE and (GAS)", ("gas", "harmony")),
        ("(one) $gas", ()),
        ("LINK in bio", ()),
        ("Chainlink ($LINK)", ("chainlink",)),
        ("Sui generis", ("sui",)),
        ("a lawsui, sui generis", ()),
        ("", ()),
    ],
)
def test_only_what_is_named_is_mentioned(text: str, expected: tuple[str, ...]) -> None:
    """Names and long tickers count as whole words; short ones only with a mark, for they are words."""
    assert expected == FEW.of(text)


def test_tickers_of_the_source_count() -> None:
    """What the source's editors say counts, where the ticker is known; the first of two alike owns it."""
    assert ("bitcoin", "harmony") == FEW.of("Nothing", ["btc", "ONE", "NOSUCH"])


def test_assets_are_known_by_what_people_call_them() -> None:
    """Ether is what Ethereum's coin is called; together it is not ethereal."""
    assert (("ethereum",), ()) == (ALL.of("Funds sit in ether."), ALL.of("ethereal, together"))


def test_ordinary_english_mentions_no_asset() -> None:
    """A sentence made of words that are also assets speaks of none of them."""
    text = "Optimism: the story of one maker near the flow of gas, in harmony with the cosmos, on a dash"

    assert () == ALL.of(text + "; the graph of render, quant, stacks and mantle in the sandbox")


def test_no_assets_are_never_mentioned() -> None:
    """Without assets nothing is found, and nothing breaks."""
    assert () == Mentions([]).of("Bitcoin $BTC (BTC)")
