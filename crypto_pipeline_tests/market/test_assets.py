"""The registry of assets: one name each, and help for whoever mistypes it."""

import json
from pathlib import Path

import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.assets import ASSETS, Asset, asset
from crypto_pipeline.sandbox.listings import LISTINGS


def test_every_asset_has_an_id_of_its_own() -> None:
    """Two assets never share an id, nor the name that any provider has for them."""
    assert len(ASSETS) >= 100
    for column in ("asset_id", "coincap", "coinmarketcap", "coinpaprika"):
        names = [name for one in ASSETS if (name := getattr(one, column))]
        assert len({*names}) == len(names)


def test_every_asset_answers_to_its_id_and_an_asset_to_its_symbol() -> None:
    """An id means one asset, and a symbol the largest that has it, in any case."""
    first = {one.symbol: one for one in reversed(ASSETS)}

    assert [*ASSETS] == [asset(one.asset_id.upper()) for one in ASSETS]
    assert first == {symbol: asset(symbol.lower()) for symbol in first}


@pytest.mark.parametrize("text", ["bitcoin", "BTC", "btc", " Bitcoin "])
def test_id_and_symbol_mean_the_same_asset(text: str) -> None:
    """Whoever types either gets the asset."""
    expected = Asset("bitcoin", "BTC", "Bitcoin", "bitcoin", "1", "btc-bitcoin")

    assert expected == asset(text)
    assert "bitcoin" == str(asset(text))


def test_unknown_asset_is_told_with_what_is_near() -> None:
    """A typo is answered with what may have been meant, and where the names are to be written."""
    with pytest.raises(UsageError, match=r"'bitcion'.*did you mean bitcoin.*market_prices\.assets"):
        asset("bitcion")
    with pytest.raises(UsageError, match=r"'\?\?\?' is no asset we know: market_prices\.assets"):
        asset("???")


def test_coinpaprika_names_begin_with_the_symbol() -> None:
    """CoinPaprika's ids hold the symbol, so none of another asset has slipped in."""
    wrong = [
        one
        for one in ASSETS
        if one.coinpaprika and not one.coinpaprika.startswith(f"{one.symbol.lower()}-")
    ]

    assert [] == wrong


def test_the_synthetic_market_trades_assets_we_know() -> None:
    """Every base of the sandbox is an asset, so that its price can be asked for there."""
    assert [listing.base for listing in LISTINGS] == [
        asset(listing.base).symbol for listing in LISTINGS
    ]


def test_names_are_the_recorded_ones(corpus: Path) -> None:
    """What CoinGecko and CoinMarketCap answered under these names are these assets."""
    gecko = json.loads((corpus / "coingecko/cg_markets_2026-07.json").read_text())
    listing = json.loads(
        (corpus / "coinmarketcap/public_dataapi_cmc-listing_2026.json").read_text()
    )
    ours = {one.asset_id: one.symbol.lower() for one in ASSETS}
    numbers = {one.coinmarketcap: one.symbol for one in ASSETS}

    assert [] == [row["id"] for row in gecko if ours.get(row["id"], row["symbol"]) != row["symbol"]]
    assert [] == [
        row["symbol"]
        for row in listing["data"]["cryptoCurrencyList"]
        if numbers.get(str(row["id"])) != row["symbol"].upper()
    ]
