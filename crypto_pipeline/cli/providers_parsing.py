"""``crypto-pipeline providers parse``: what a saved reply becomes, rows or an error."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from crypto_pipeline.cli.output import TableOrJson, print_json, print_table
from crypto_pipeline.errors import (
    HostRefused,
    ProviderError,
    RateLimited,
    ShortfallError,
    UsageError,
)
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.catalogue import SERVED
from crypto_pipeline.providers.declaration import Provider, Reply
from crypto_pipeline.providers.parsing import Row, parsed

TYPES = {
    ".json": "application/json",
    ".xml": "application/xml",
    ".rss": "application/rss+xml",
    ".html": "text/html",
}
"""What a file is taken for by its name, where nothing beside it says."""


def parse(
    provider: Annotated[str, typer.Argument(help="Whose reply it is.")],
    dataset: Annotated[str, typer.Argument(help=f"What it is about: {', '.join(SERVED)}.")],
    file: Annotated[Path, typer.Argument(help="The body of the reply, as it came.")],
    status: Annotated[int | None, typer.Option(help="Its HTTP status, 200 if unknown.")] = None,
    content_type: Annotated[str | None, typer.Option(help="Its media type.")] = None,
    format_: Annotated[
        TableOrJson, typer.Option("--format", help="How to print the rows.")
    ] = TableOrJson.TABLE,
) -> None:
    """Show the rows that a saved reply holds, or the error it means.

    A FILE.meta beside it, JSON with 'status' and 'headers', tells what the options do not.
    """
    reply = reply_of(file, status, content_type)
    try:
        rows = parsed(provider_named(provider), dataset, reply)
    except ProviderError as error:
        raise ShortfallError(meaning(error)) from None
    columns = list(rows[0]) if rows else []
    if format_ is TableOrJson.JSON:
        print_json(columns, _cells(rows))
    elif rows:
        print_table(columns, _cells(rows))
    else:
        typer.echo("The reply holds no rows.")


def provider_named(name: str, known: Mapping[str, Provider] = PROVIDERS) -> Provider:
    """The provider of a name; a UsageError where there is none."""
    if name not in known:
        msg = f"there is no provider {name!r}: 'crypto-pipeline providers' lists them"
        raise UsageError(msg)
    return known[name]


def reply_of(file: Path, status: int | None = None, content_type: str | None = None) -> Reply:
    """A saved reply, with what is told beside it; a UsageError where that cannot be read."""
    beside = file.with_name(f"{file.name}.meta")
    try:
        told = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        headers = {name.lower(): str(text) for name, text in told.get("headers", {}).items()}
        known = int(told.get("status", 200))
    except (ValueError, TypeError, AttributeError):
        msg = f"{beside} cannot be read: expected JSON with 'status' and 'headers'"
        raise UsageError(msg) from None
    body = file.read_bytes()
    kind = content_type or headers.get("content-type") or TYPES.get(file.suffix, "text/plain")
    return Reply(status or known, {**headers, "content-type": kind}, body)


def meaning(error: ProviderError) -> str:
    """An error with its class, and the pause it asks for."""
    told = f"{type(error).__name__}: {error}"
    if isinstance(error, RateLimited | HostRefused):
        return f"{told} (to be asked again in {error.retry_after:.0f} s)"
    return told


def _cells(rows: list[Row]) -> list[list[object]]:
    return [[_cell(one) for one in row.values()] for row in rows]


def _cell(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
