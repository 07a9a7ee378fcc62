"""The parts of the settings: what each key may be, and what it is when nobody says.

Reading them from the file and the environment is done in ``settings``.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, BeforeValidator, ConfigDict, Field

from crypto_pipeline.errors import PipelineError
from crypto_pipeline.market.assets import asset
from crypto_pipeline.market.datasets import (
    FIVE_MINUTES,
    GAS_PRICES,
    INDICES,
    MARKET_PRICES,
    NEWS,
    ONE_DAY,
    SENTIMENT,
)
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries, ObservedSeries
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.declaration import Limits, Provider
from crypto_pipeline.providers.ethereum_rpc import rpc_provider
from crypto_pipeline.providers.trust import TRUSTED

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


def _instrument(name: str) -> str:
    """``BTC-USDT`` on every venue, or ``kraken/BTC-USD`` on that one."""
    venue, _, pair = name.rpartition("/")
    if venue:
        _venue(venue)
    return f"{name.removesuffix(pair)}{_checked(Instrument.parse, pair)}"


def _index(name: str) -> str:
    if name not in INDICES:
        msg = f"{name!r} is no index: expected one of {', '.join(INDICES)}"
        raise ValueError(msg)
    return name


def _provider(name: str) -> str:
    if name not in PROVIDERS:
        msg = f"{name!r} is no provider: 'crypto-pipeline providers' lists them"
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
InstrumentName = Annotated[str, AfterValidator(_instrument)]
IntervalName = Annotated[str, AfterValidator(lambda name: _checked(Interval.parse, name))]
AssetName = Annotated[str, AfterValidator(lambda name: _checked(asset, name))]
ProviderNames = Annotated[
    tuple[Annotated[str, AfterValidator(_provider)], ...], BeforeValidator(_listed)
]
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

    def series(self) -> tuple[CandleSeries, ...]:
        """Each instrument on each venue; one that is named with its venue on that venue alone."""
        named = [one.rpartition("/") for one in self.instruments]
        pairs = [
            (venue, Instrument.parse(name))
            for own, _, name in named
            for venue in ([own] if own else self.venues)
        ]
        interval = Interval.parse(self.interval)
        return tuple(CandleSeries(*pair, interval) for pair in dict.fromkeys(pairs))


class MarketPriceSettings(Section):
    """Whose prices are kept; ``providers`` are asked in this order, each for what is still lacking."""

    assets: Annotated[tuple[AssetName, ...], BeforeValidator(_listed)] = (
        "bitcoin",
        "ethereum",
        "binancecoin",
        "solana",
        "ripple",
    )
    providers: ProviderNames = TRUSTED[MARKET_PRICES.name]

    def series(self) -> tuple[ObservedSeries, ...]:
        """A series an asset."""
        names = dict.fromkeys(asset(name).asset_id for name in self.assets)
        return tuple(ObservedSeries(MARKET_PRICES.name, name, FIVE_MINUTES) for name in names)


class SentimentSettings(Section):
    """Which indices are kept."""

    indices: Annotated[
        tuple[Annotated[str, AfterValidator(_index)], ...], BeforeValidator(_listed)
    ] = tuple(INDICES)
    providers: ProviderNames = TRUSTED[SENTIMENT.name]

    def series(self) -> tuple[ObservedSeries, ...]:
        """A series an index."""
        return tuple(
            ObservedSeries(SENTIMENT.name, name, ONE_DAY, INDICES[name]) for name in self.indices
        )


class GasPriceSettings(Section):
    """Of which chains; ``rpc`` gives a chain of one's own the JSON-RPC addresses to ask."""

    chains: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ("ethereum", "bitcoin")
    rpc: Mapping[str, Annotated[tuple[Url, ...], BeforeValidator(_listed)]] = {}
    providers: ProviderNames = TRUSTED[GAS_PRICES.name]

    def series(self) -> tuple[ObservedSeries, ...]:
        """Of each chain the fees of its blocks, and what is recommended now."""
        chains = dict.fromkeys((*self.chains, *self.rpc))
        return tuple(
            ObservedSeries(GAS_PRICES.name, f"{chain}/{kind}", FIVE_MINUTES, grace)
            for chain in chains
            for kind, grace in (("fees", GAS_PRICES.grace), ("tiers", -FIVE_MINUTES.step))
        )

    def own_providers(self) -> dict[str, Provider]:
        """The providers of the chains that are given addresses of their own."""
        return {
            one.name: one
            for chain, urls in self.rpc.items()
            for number, url in enumerate(urls, 1)
            for one in [rpc_provider(chain, url, f"{chain}_rpc_{number}")]
        }


class NewsSettings(Section):
    """Whose articles are read."""

    providers: ProviderNames = tuple(name for name, one in PROVIDERS.items() if one.news)

    def series(self, enabled: Mapping[str, Provider]) -> tuple[ObservedSeries, ...]:
        """One for each of them that can be asked; those without their key are left out."""
        asked = [enabled[name] for name in dict.fromkeys(self.providers) if name in enabled]
        return tuple(
            ObservedSeries(NEWS.name, one.name, Interval.parse(one.news.interval), one.news.grace)
            for one in asked
            if one.news and not one.needs_key
        )


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

    def applied(self, provider: Provider, environment: Mapping[str, str]) -> Provider:
        """The provider with these changes, and its key where the environment has one."""
        key = provider.key
        if key and self.api_key_env:
            key = replace(key, env=self.api_key_env)
        mirrors = () if self.base_url else provider.mirrors
        changes = self.limits.model_dump(exclude_none=True)
        limits: Limits = replace(provider.limits, **changes)
        archive = provider.archive
        if archive and self.base_url:
            archive = replace(archive, listing_url=self.base_url)
        return replace(
            provider,
            base_url=self.base_url or provider.base_url,
            mirrors=mirrors if self.mirrors is None else self.mirrors,
            limits=limits,
            archive=archive,
            key=key,
            secret=(environment.get(key.env, "").strip() or None) if key else None,
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
    max_days: Annotated[int, Field(ge=1, le=366)] = 366
    late_after_seconds: Annotated[int, Field(ge=60)] = 660


class StorageSettings(Section):
    """How old a month of candles is when it is packed; 0 is never."""

    pack_after_months: Annotated[int, Field(ge=0)] = 13


class SandboxSettings(Section):
    """The local stand-in for the providers."""

    port: Port = 8787
    seed: int = 7
    latency_ms: Annotated[int, Field(ge=0)] = 0
