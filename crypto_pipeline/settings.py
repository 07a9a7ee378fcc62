"""The settings: one TOML file and the environment over it; the only reader of both.

Every key can be set as ``CRYPTO_PIPELINE_<KEY>``, a nested one with ``__`` between its parts.
Secrets come from the environment alone.
"""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, PrivateAttr, SecretStr, ValidationError

from crypto_pipeline.errors import SettingsError
from crypto_pipeline.market.datasets import GAS_PRICES, MARKET_PRICES, OHLC, SENTIMENT, Dataset
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries, ObservedSeries
from crypto_pipeline.market.windows import midnight
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.settings_reading import (
    CONFIG,
    PREFIX,
    Places,
    from_environment,
    from_file,
    paths,
    place_of,
    set_at,
    told,
)
from crypto_pipeline.settings_sections import (
    GasPriceSettings,
    MarketPriceSettings,
    NewsSettings,
    OhlcSettings,
    PostgresSettings,
    ProviderSettings,
    RepairSettings,
    SandboxSettings,
    ScheduleSettings,
    Section,
    SentimentSettings,
    StorageSettings,
    WebserverSettings,
)

DEFAULT_FILE = "crypto_pipeline.toml"
DEFAULT_HISTORY = timedelta(days=365)
DEFAULT_RETENTION_DAYS = 366
"""Of candles shorter than an hour."""
FEWEST_DAYS_KEPT, MOST_DAYS_KEPT = 32, 36_500


def _days(number: int | None) -> int | None:
    if number and not FEWEST_DAYS_KEPT <= number <= MOST_DAYS_KEPT:
        msg = (
            f"expected 0 (for ever) or {FEWEST_DAYS_KEPT} to {MOST_DAYS_KEPT} days: "
            "what is dropped is whole months"
        )
        raise ValueError(msg)
    return number


Days = Annotated[int | None, AfterValidator(_days)]


class RetentionSettings(Section):
    """For how many days the rows of each dataset are kept; 0 is for ever, nothing is the default."""

    ohlc: Days = None
    market_prices: Days = None
    sentiment: Days = None
    gas_prices: Days = None
    news: Days = None


class Settings(Section):
    """Everything that can be set."""

    data_dir: Path = Path(".crypto_pipeline")
    database_url: Annotated[SecretStr | None, BeforeValidator(lambda url: url or None)] = None
    since: date | None = None
    ohlc: OhlcSettings = OhlcSettings()
    market_prices: MarketPriceSettings = MarketPriceSettings()
    sentiment: SentimentSettings = SentimentSettings()
    gas_prices: GasPriceSettings = GasPriceSettings()
    news: NewsSettings = NewsSettings()
    providers: Mapping[str, ProviderSettings] = {}
    webserver: WebserverSettings = WebserverSettings()
    postgres: PostgresSettings = PostgresSettings()
    schedules: ScheduleSettings = ScheduleSettings()
    repair: RepairSettings = RepairSettings()
    storage: StorageSettings = StorageSettings()
    retention: RetentionSettings = RetentionSettings()
    sandbox: SandboxSettings = SandboxSettings()

    _environment: Mapping[str, str] = PrivateAttr(default_factory=dict)

    def with_keys_of(self, environment: Mapping[str, str]) -> Self:
        """The same settings, whose providers have the keys that the environment holds."""
        changed = self.model_copy()
        changed._environment = environment  # noqa: SLF001 - its own class's
        return changed

    def series(self) -> tuple[CandleSeries, ...]:
        """Every series of candles that the settings name and an enabled provider serves."""
        enabled = self.enabled_providers()
        return tuple(one for one in self.ohlc.series() if one.venue in enabled)

    def observed_series(self) -> tuple[ObservedSeries, ...]:
        """Every other series that the settings name and a provider that can be asked serves."""
        named = (
            *self.market_prices.series(),
            *self.sentiment.series(),
            *self.gas_prices.series(),
        )
        trusted = self.trusted_providers()
        served = [one for one in named if _is_served(one, trusted[one.dataset])]
        return (*served, *self.news.series(self.enabled_providers()))

    def enabled_providers(self) -> dict[str, Provider]:
        """The providers that are on, with the settings applied."""
        untouched = ProviderSettings()
        known = {**PROVIDERS, **self.gas_prices.own_providers()}
        return {
            name: self.providers.get(name, untouched).applied(provider, self._environment)
            for name, provider in known.items()
            if self.providers.get(name, untouched).enabled
        }

    def trusted_providers(self) -> dict[str, list[Provider]]:
        """By dataset, the providers that can be asked, the most trusted first."""
        enabled, own = self.enabled_providers(), self.gas_prices.own_providers()
        named: dict[Dataset, tuple[str, ...]] = {
            MARKET_PRICES: self.market_prices.providers,
            SENTIMENT: self.sentiment.providers,
            GAS_PRICES: (*own, *self.gas_prices.providers),
        }
        return {
            dataset.name: [
                enabled[name] for name in names if name in enabled and not enabled[name].needs_key
            ]
            for dataset, names in named.items()
        }

    def first_day(self, now: datetime) -> date:
        """The first day kept: as set, or one year before the first start, which is remembered."""
        if self.since is not None:
            return self.since
        remembered = self.data_dir / "since"
        if remembered.exists():
            return date.fromisoformat(remembered.read_text(encoding="utf-8").strip())
        first = (now - DEFAULT_HISTORY).date()
        self.remember(first)
        return first

    def remember(self, first: date) -> None:
        """Have this be the first day kept, unless one is remembered already."""
        remembered = self.data_dir / "since"
        if self.data_dir.is_dir() and not remembered.exists():
            remembered.write_text(f"{first}\n", encoding="utf-8")

    def retention_days(self) -> dict[str, int]:
        """For how many days rows are kept, by dataset; those that are kept for ever are not named.

        Who names the first day kept has said what is wanted, and no default goes against that.
        """
        named: dict[str, int | None] = self.retention.model_dump()
        if named[OHLC.name] is None and self.since is None and self._are_fine():
            named[OHLC.name] = DEFAULT_RETENTION_DAYS
        return {name: days for name, days in named.items() if days}

    def _are_fine(self) -> bool:
        """Whether the candles are shorter than an hour, hence many."""
        return Interval.parse(self.ohlc.interval).step < timedelta(hours=1)

    def starts_at(self, now: datetime) -> datetime:
        """The first instant kept."""
        return midnight(self.first_day(now))


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the file and the environment; a SettingsError names each wrong key, its place and what is due."""
    file = Path(environment.get(CONFIG, DEFAULT_FILE))
    if CONFIG in environment and not file.is_file():
        msg = f"{CONFIG} names {file}, and there is no such file"
        raise SettingsError(msg)
    values = from_file(file) if file.is_file() else {}
    places = {path: str(file) for path in paths(values)}
    for name, path, text in from_environment(environment):
        set_at(values, path, text)
        places[path] = name
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(told(error, Settings, places, file)) from None
    _require_sense(settings, places)
    return settings.with_keys_of(environment)


def _is_served(series: ObservedSeries, providers: list[Provider]) -> bool:
    kinds = [kind for one in providers for kind in (one.snapshots, one.histories)]
    asked = [kind[series.dataset] for kind in kinds if series.dataset in kind]
    return any(one.name(series.name) is not None for one in asked)


def _require_sense(settings: Settings, places: Places) -> None:
    """What no single key shows: unknown providers, an interval no venue has, a secret in the file."""
    unknown = (
        settings.providers.keys() - PROVIDERS.keys() - settings.gas_prices.own_providers().keys()
    )
    if unknown:
        name = min(unknown)
        place = place_of(("providers", name), places)
        near = get_close_matches(name, PROVIDERS, 1)
        hint = f"did you mean {near[0]}?" if near else "'crypto-pipeline providers' lists them"
        msg = f"{place}: there is no provider {name}: {hint}"
        raise SettingsError(msg)
    if settings.database_url and not places[("database_url",)].startswith(PREFIX):
        msg = (
            f"{places[('database_url',)]}: database_url can hold a password, so it is read from "
            f"the environment only: set {PREFIX}DATABASE_URL"
        )
        raise SettingsError(msg)
    if settings.since and settings.since > datetime.now(UTC).date():
        msg = (
            f"{places[('since',)]}: since = {settings.since}: the first day kept lies in the future"
        )
        raise SettingsError(msg)
