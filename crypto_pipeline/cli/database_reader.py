"""``crypto-pipeline database grant-reader`` and ``revoke-reader``: who may query, and no more."""

import os
import secrets
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.errors import UsageError
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.reader import READER, Reader
from crypto_pipeline.warehouse.revisions import require_migrated

PASSWORD = "CRYPTO_READER_PASSWORD"  # noqa: S105 - the variable's name
_RANDOM_BYTES = 24

Name = Annotated[str, typer.Option("--name", help="The role.")]


def grant_reader(
    name: Name = READER,
    timeout: Annotated[
        str, typer.Option(help="How long a statement may run, like 500ms, 30s or 5min.")
    ] = "30s",
    new_password: Annotated[
        bool, typer.Option("--new-password", help="Give it another password than it has.")
    ] = False,
) -> None:
    """Let a role read what is public, and nothing else; prints the address it connects to.

    Its password is taken from CRYPTO_READER_PASSWORD, or made up and shown this once.
    Repeating it renews the grants, and leaves a password that was made up as it is.
    """
    given = os.environ.get(PASSWORD) or None
    if given and new_password:
        msg = f"{PASSWORD} is set, so there is no other password to make up: unset one of both"
        raise UsageError(msg)
    reader = Reader(require_migrated(open_database(load_settings())), name)
    made_up = None
    if given is None and (new_password or not reader.exists()):
        made_up = secrets.token_urlsafe(_RANDOM_BYTES)
    reader.grant(timeout, given or made_up)
    typer.echo(reader.address(made_up))
    if made_up:
        typer.echo("The password is shown this once: it is kept nowhere.", err=True)


def revoke_reader(name: Name = READER) -> None:
    """Take away all that a reader may do, and the role."""
    reader = Reader(open_database(load_settings()), name)
    held_by = reader.revoke()
    where = reader.database.place
    if held_by:
        others = ", ".join(held_by.splitlines())
        typer.echo(f"{name} reads nothing in {where} any more; the role stays for {others}.")
    else:
        typer.echo(f"{name} is gone from {where}.")
