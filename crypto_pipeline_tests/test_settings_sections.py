"""What the sections of the settings come to: which series are collected, and whom they are asked of."""

from collections.abc import Callable, Iterable

import pytest

from crypto_pipeline.errors import SettingsError
from crypto_pipeline.market.series import Series
from crypto_pipeline.settings import Settings, load_settings

Load = Callable[..., Settings]
KEY = "COINCAP_API_KEY"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Loads the settings of variables without their prefix; ``keys`` have none."""
    monkeypatch.chdir(tmp_path_factory.mktemp("nothing"))

    def loaded(keys: dict[str, str] | None = None, **environment: str) -> Settings:
        named = {f"CRYPTO_PIPELINE_{key}": text for key, text in environment.items()}
        return load_settings({**named, **(keys or {})})

    return loaded


def names(series: Iterable[Series], dataset: str = "ohlc") -> list[str]:
    """The names of a dataset's series."""
    return [one.name for one in series if one.dataset == dataset]


def test_every_dataset_is_collected_without_any_setting_or_key(load: Load) -> None:
    """The default set works with no key at all; what only a keyed provider serves is not expected."""
    observed = load().observed_series()

    assert ["bitcoin", "ethereum", "binancecoin", "solana", "ripple"] == names(
        observed, "market_prices"
    )
    assert ["fear_greed", "bitcoin_pageviews"] == names(observed, "sentiment")
    assert ["ethereum/fees", "ethereum/tiers", "bitcoin/tiers"] == names(observed, "gas_prices")


def test_assets_are_named_by_id_or_symbol(load: Load) -> None:
    """Whatever a person types, the series is the asset's id, once."""
    settings = load(MARKET_PRICES__ASSETS="BTC,bitcoin,eth")

    assert ["bitcoin", "ethereum"] == names(settings.observed_series(), "market_prices")


def test_instrument_can_be_named_for_one_venue(load: Load) -> None:
    """Venues quote in different currencies, so a pair may be one venue's alone."""
    settings = load(OHLC__VENUES="binance,bybit", OHLC__INSTRUMENTS="BTC-USDT,kraken/BTC-USD")

    assert ["binance/BTC-USDT/1m", "bybit/BTC-USDT/1m", "kraken/BTC-USD/1m"] == names(
        settings.series()
    )


def test_chain_of_ones_own_is_one_line(load: Load) -> None:
    """A chain with an address is collected, and its nodes are asked first."""
    settings = load(GAS_PRICES__RPC__ZORA="https://rpc.zora.energy,https://zora.drpc.org/v1?key=7")
    (first, second, *_) = settings.trusted_providers()["gas_prices"]

    assert "zora/fees" in names(settings.observed_series(), "gas_prices")
    assert ["zora_rpc_1", "zora_rpc_2"] == [first.name, second.name]
    assert second.base_url == "https://zora.drpc.org"


def test_provider_without_its_key_is_skipped(load: Load) -> None:
    """It is named with the variable it lacks, and asked as soon as that is set."""
    without, with_key = load(), load({KEY: "sesame"})

    assert without.enabled_providers()["coincap"].needs_key == KEY
    assert "coincap" not in [one.name for one in without.trusted_providers()["market_prices"]]
    assert "coincap" in [one.name for one in with_key.trusted_providers()["market_prices"]]


def test_key_can_have_another_name_and_is_never_shown(load: Load) -> None:
    """The variable is a setting; its value is in no text of the settings or of the provider."""
    settings = load({"MINE": "sesame"}, PROVIDERS__COINCAP__API_KEY_ENV="MINE")
    provider = settings.enabled_providers()["coincap"]

    assert provider.secret == "sesame"
    assert "sesame" not in repr(settings) + repr(provider) + settings.model_dump_json()


def test_index_of_a_keyed_provider_is_expected_once_it_has_its_key(load: Load) -> None:
    """Nothing is expected that nobody can be asked for."""
    settings = load({"COINMARKETCAP_API_KEY": "sesame"})

    assert "cmc_fear_greed" in names(settings.observed_series(), "sentiment")


def test_order_of_trust_is_a_setting(load: Load) -> None:
    """Whom to ask first is the person's to say; who is not named is not asked."""
    settings = load(MARKET_PRICES__PROVIDERS="defillama,coingecko")

    assert ["defillama", "coingecko"] == [
        one.name for one in settings.trusted_providers()["market_prices"]
    ]


@pytest.mark.parametrize(
    ("environment", "kept"),
    [
        ({}, {"ohlc": 366}),
        ({"OHLC__INTERVAL": "1h"}, {}),
        ({"SINCE": "2020-01-01"}, {}),
        ({"SINCE": "2020-01-01", "RETENTION__OHLC": "90"}, {"ohlc": 90}),
        ({"RETENTION__OHLC": "0", "RETENTION__NEWS": "32"}, {"news": 32}),
    ],
    ids=str,
)
def test_candles_of_minutes_are_kept_for_a_year_and_others_for_ever(
    load: Load, environment: dict[str, str], kept: dict[str, int]
) -> None:
    """No default drops what lies after a first day that somebody named; 0 is for ever."""
    assert kept == load(**environment).retention_days()


@pytest.mark.parametrize("days", ["31", "-1", "99999", "a year"])
def test_retention_of_less_than_a_month_is_refused(load: Load, days: str) -> None:
    """The sentence names the key, the value and what was expected."""
    with pytest.raises(
        SettingsError, match=rf"RETENTION__OHLC: retention.ohlc = '{days}': .*(0 |integer)"
    ):
        load(RETENTION__OHLC=days)
