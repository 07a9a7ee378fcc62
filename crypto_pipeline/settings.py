"""The settings: one TOML file and the environment over it; the only reader of both.

Every key can be set as ``CRYPTO_PIPELINE_<KEY>``, a nested one with ``__`` between its parts.
Secrets come from the environment alone.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from crypto_pipeline.errors import PipelineError, SettingsError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import midnight
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.declaration import Limits, Provider
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

DEFAULT_FILE = "crypto_pipeline.toml"
DEFAULT_HISTORY = timedelta(days=365)
_CRON = re.compile(r"\S+(\s+\S+){4}")


def _listed(value: object) -> object:
    """The environment may give a list as words with commas between."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _checked(parse: Any, name: str) -> str:
    try:
        return str(parse(name))
    except PipelineError as error:
        raise ValueError(str(error)) from None


def _venue(name: str) -> str:
    if name not in PROVIDERS or PROVIDERS[name].candles is None:
        known = ", ".join(sorted(one for one in PROVIDERS if PROVIDERS[one].candles))
        msg = f"{name!r} is not a venue: expected one of {known}"
        raise ValueError(msg)
    return name


def _url(text: str) -> str:
    AnyHttpUrl(text)
    return text.rstrip("/")


def _cron(text: str) -> str:
    if not _CRON.fullmatch(text):
        msg = "expected a cron expression of five fields, like '*/5 * * * *'"
        raise ValueError(msg)
    return text


Url = Annotated[str, AfterValidator(_url)]
Port = Annotated[int, Field(ge=1, le=65535)]
InstrumentName = Annotated[str, AfterValidator(lambda name: _checked(Instrument.parse, name))]
IntervalName = Annotated[str, AfterValidator(lambda name: _checked(Interval.parse, name))]
VenueName = Annotated[str, AfterValidator(_venue)]
Cron = Annotated[str, AfterValidator(_cron)]


class Section(BaseModel):
    """A part of the settings: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OhlcSettings(Section):
    """Which candles are collected."""

    venues: Annotated[tuple[VenueName, ...], BeforeValidator(_listed), Field(min_length=1)] = (
        "binance",
    )
    instruments: Annotated[
        tuple[InstrumentName, ...], BeforeValidator(_listed), Field(min_length=1)
    ] = (
        "BTC-USDT",
        "ETH-USDT",
        "BNB-USDT",
        "SOL-USDT",
        "XRP-USDT",
    )
    interval: IntervalName = "1m"


class LimitSettings(Section):
    """How fast a provider's hosts may be asked."""

    weight_per_minute: Annotated[int, Field(ge=1)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=64)] | None = None


class ProviderSettings(Section):
    """What differs from a provider's declaration; a ``base_url`` of one's own has no mirrors but one's own."""

    base_url: Url | None = None
    mirrors: Annotated[tuple[Url, ...] | None, BeforeValidator(_listed)] = None
    enabled: bool = True
    limits: LimitSettings = LimitSettings()
    api_key_env: str | None = None

    def applied(self, provider: Provider) -> Provider:
        """The provider with these changes."""
        mirrors = () if self.base_url else provider.mirrors
        changes = self.limits.model_dump(exclude_none=True)
        limits: Limits = replace(provider.limits, **changes)
        return replace(
            provider,
            base_url=self.base_url or provider.base_url,
            mirrors=mirrors if self.mirrors is None else self.mirrors,
            limits=limits,
        )


class WebserverSettings(Section):
    """Where the Dagster page is."""

    host: str = "127.0.0.1"
    port: Port = 3000


class PostgresSettings(Section):
    """The embedded server; without effect when ``database_url`` is set."""

    port: Port = 54329


class ScheduleSettings(Section):
    """How often what is collected; cron expressions in UTC."""

    fast: Cron = "*/5 * * * *"
    full: Cron = "*/15 * * * *"
    nightly: Cron = "40 0 * * *"


class RepairSettings(Section):
    """How the gap sensor works: how often it looks, how many days one backfill takes, what counts as late."""

    every_seconds: Annotated[int, Field(ge=5)] = 30
    max_days: Annotated[int, Field(ge=1, le=366)] = 31
    late_after_seconds: Annotated[int, Field(ge=60)] = 660


class SandboxSettings(Section):
    """The local stand-in for the providers."""

    port: Port = 8787
    seed: int = 7
    latency_ms: Annotated[int, Field(ge=0)] = 0


class Settings(Section):
    """Everything that can be set."""

    data_dir: Path = Path(".crypto_pipeline")
    database_url: Annotated[SecretStr | None, BeforeValidator(lambda url: url or None)] = None
    since: date | None = None
    ohlc: OhlcSettings = OhlcSettings()
    providers: Mapping[str, ProviderSettings] = {}
    webserver: WebserverSettings = WebserverSettings()
    postgres: PostgresSettings = PostgresSettings()
    schedules: ScheduleSettings = ScheduleSettings()
    repair: RepairSettings = RepairSettings()
    sandbox: SandboxSettings = SandboxSettings()

    def series(self) -> tuple[CandleSeries, ...]:
        """Every series that the settings name and an enabled provider serves."""
        interval = Interval.parse(self.ohlc.interval)
        return tuple(
            CandleSeries(venue, Instrument.parse(name), interval)
            for venue in self.ohlc.venues
            if venue in self.enabled_providers()
            for name in self.ohlc.instruments
        )

    def enabled_providers(self) -> dict[str, Provider]:
        """The providers that are on, with the settings applied."""
        untouched = ProviderSettings()
        return {
            name: self.providers.get(name, untouched).applied(provider)
            for name, provider in PROVIDERS.items()
            if self.providers.get(name, untouched).enabled
        }

    def first_day(self, now: datetime) -> date:
        """The first day kept: as set, or one year before the first start, which is remembered."""
        if self.since is not None:
            return self.since
        remembered = self.data_dir / "since"
        if remembered.exists():
            return date.fromisoformat(remembered.read_text(encoding="utf-8").strip())
        first = (now - DEFAULT_HISTORY).date()
        if self.data_dir.is_dir():
            remembered.write_text(f"{first}\n", encoding="utf-8")
        return first

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
    return settings


def _require_sense(settings: Settings, places: Places) -> None:
    """What no single key shows: unknown providers, an interval no venue has, a secret in the file."""
    unknown = settings.providers.keys() - PROVIDERS.keys()
    if unknown:
        name = min(unknown)
        place = place_of(("providers", name), places)
        msg = f"{place}: there is no provider {name}; expected one of {', '.join(PROVIDERS)}"
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
