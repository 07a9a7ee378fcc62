"""``crypto-pipeline providers list``: the catalogue, for people, for programs, and as a page."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import typer

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.cli.output import minute_of, print_csv, print_json, print_table
from crypto_pipeline.errors import PipelineError, UsageError
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.catalogue import SAMPLES, SERVED, Offer, auth, limit, offers
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.providers.hiding import host_of
from crypto_pipeline.settings import Settings, load_settings

PAGE = """\
# Providers

Who can be asked what. Made from the declarations by `crypto-pipeline providers --format markdown`;
`crypto-pipeline providers` adds what the settings change and how each does now, and
`crypto-pipeline providers probe NAME` asks one from where you are."""


class CatalogueFormat(StrEnum):
    """How the catalogue is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class Entry(NamedTuple):
    """One line of the catalogue."""

    provider: str
    dataset: str
    endpoint: str
    auth: str
    limit: str
    status: str
    history: str


def list_providers(
    dataset: Annotated[
        str | None, typer.Option(metavar="D", help="Only who serves this dataset.")
    ] = None,
    format_: Annotated[
        CatalogueFormat, typer.Option("--format", help="How to print it.")
    ] = CatalogueFormat.TABLE,
) -> None:
    """Show which provider serves what, by which endpoint, key and limit, and how it does.

    'markdown' is the page docs/providers.md, which knows no settings.
    """
    if dataset is not None and dataset not in SERVED:
        msg = f"there is no dataset {dataset!r}: expected one of {', '.join(SERVED)}"
        raise UsageError(msg)
    if format_ is CatalogueFormat.MARKDOWN:
        typer.echo(page(PROVIDERS.values(), dataset), nl=False)
        return
    entries = list(_entries(load_settings(), dataset))
    if format_ is CatalogueFormat.JSON:
        print_json(Entry._fields, entries)
    elif format_ is CatalogueFormat.CSV:
        print_csv(Entry._fields, entries)
    else:
        print_table(Entry._fields, entries)


def page(providers: Iterable[Provider], dataset: str | None = None) -> str:
    """The catalogue as Markdown, a table a dataset."""
    listed = [(provider, offer) for provider in providers for offer in offers(provider)]
    parts = [PAGE]
    for name in SERVED:
        lines = [_line(*one) for one in listed if one[1].dataset == name]
        if lines and dataset in (None, name):
            parts.append(f"\n## {name}\n")
            parts.append("| Provider | Endpoint | Key | Limit | Reaches back |")
            parts.append("| --- | --- | --- | --- | --- |")
            parts += lines
    return "\n".join(parts) + "\n"


def samples(settings: Settings) -> dict[str, list[str]]:
    """Series to ask about, by dataset: the usual ones, and those that the settings name."""
    found = {dataset: list(names) for dataset, names in SAMPLES.items()}
    for part in (settings.market_prices, settings.sentiment, settings.gas_prices):
        for one in part.series():
            found[one.dataset].append(one.name)
    return found


def _line(provider: Provider, offer: Offer) -> str:
    cells = (
        f"[{provider.title}]({provider.docs}) `{provider.name}`",
        f"`{endpoint(provider, offer)}`",
        auth(provider),
        limit(provider, offer),
        offer.reach,
    )
    return f"| {' | '.join(one.replace('|', chr(92) + '|') for one in cells)} |"


def endpoint(provider: Provider, offer: Offer) -> str:
    """Method and path, the path of the base URL included."""
    method = "GET" if offer.question.body is None else "POST"
    return f"{method} {urlsplit(provider.base_url).path}{offer.question.path}"


def _entries(settings: Settings, dataset: str | None) -> Iterator[Entry]:
    enabled, until, known = settings.enabled_providers(), _resting(settings), samples(settings)
    for name, provider in sorted({**PROVIDERS, **enabled}.items()):
        status = _status(provider, until) if name in enabled else "disabled"
        for offer in offers(provider, known):
            if dataset in (None, offer.dataset):
                yield Entry(
                    name,
                    offer.dataset,
                    endpoint(provider, offer),
                    auth(provider),
                    limit(provider, offer),
                    status,
                    offer.reach,
                )


def _status(provider: Provider, until: Mapping[tuple[str, str], datetime]) -> str:
    """Whether it can be asked now: a host whose breaker is closed is enough."""
    if provider.needs_key:
        return f"needs key {provider.needs_key}"
    rests = [until.get((provider.name, host_of(url))) for url in provider.hosts]
    times = [one for one in rests if one is not None]
    if len(times) < len(rests):
        return "ready"
    return f"open breaker until {minute_of(min(times))}"


def _resting(settings: Settings) -> dict[tuple[str, str], datetime]:
    """Until when whose host is left alone; nothing where no database runs that could tell."""
    from crypto_pipeline.warehouse.health import resting
    from crypto_pipeline.warehouse.revisions import require_migrated

    try:
        database = require_migrated(open_database(settings))
        return {(one.provider, one.host): one.until for one in resting(database)}
    except PipelineError:
        return {}
