"""``crypto-pipeline providers probe``: what a provider says to this address, right now."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from crypto_pipeline.cli.output import Format, minute_of, print_csv, print_json, print_table
from crypto_pipeline.cli.providers_listing import samples
from crypto_pipeline.cli.providers_parsing import provider_named
from crypto_pipeline.errors import UsageError
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.connecting import http_client
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.providers.probing import Probe, probed
from crypto_pipeline.settings import Settings, load_settings

NUMBERS = ("ms", "rows")


def probe(
    provider: Annotated[str, typer.Argument(help="Whom to ask.")],
    format_: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TABLE,
) -> None:
    """Ask a provider one small question a dataset, and say what works from here.

    Exits with 1 when nothing works.
    """
    settings = load_settings()
    found = asyncio.run(_probed(_enabled(provider, settings), settings))
    if format_ is Format.JSON:
        print_json(Probe._fields, found)
    elif format_ is Format.CSV:
        print_csv(Probe._fields, found)
    else:
        print_table(Probe._fields, ([*one[:-1], minute_of(one.newest)] for one in found), NUMBERS)
    if not any(one.works for one in found):
        raise typer.Exit(1)


def _enabled(name: str, settings: Settings) -> Provider:
    enabled = settings.enabled_providers()
    provider_named(name, {**PROVIDERS, **enabled})
    if name not in enabled:
        msg = f"{name} is disabled: set providers.{name}.enabled to true to ask it"
        raise UsageError(msg)
    return enabled[name]


async def _probed(provider: Provider, settings: Settings) -> list[Probe]:
    async with http_client() as http:
        return await probed(provider, http, datetime.now(UTC), samples(settings))
