"""``crypto-pipeline database …``: where it is, starting and stopping ours, and its schema."""

from datetime import UTC, date, datetime
from shlex import quote
from time import monotonic
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import embedded_server, open_database
from crypto_pipeline.cli.console import say
from crypto_pipeline.cli.database_backup import backup, restore
from crypto_pipeline.cli.database_reader import grant_reader, revoke_reader
from crypto_pipeline.errors import UsageError
from crypto_pipeline.settings import Settings, load_settings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.revisions import (
    is_older,
    known_revisions,
    require_migrated,
    revision_of,
)
from crypto_pipeline.warehouse.server import EmbeddedServer

NEWEST = "head"
MB = 1_000_000

database = typer.Typer(add_completion=False, help="Look after the database and its schema.")


@database.command()
def url() -> None:
    """Print its address, password included."""
    typer.echo(open_database(load_settings()).url)


@database.command()
def start() -> None:
    """Start the embedded one and migrate it.

    It runs until 'database stop'.
    """
    server = _ours("start")
    running = Database(server.start())
    typer.echo(f"The database runs at {running.place}, schema revision {_move(running, NEWEST)}.")


@database.command()
def stop() -> None:
    """Stop the embedded one."""
    server = _ours("stop")
    was_running = server.is_running()
    server.stop()
    typer.echo("The database is stopped." if was_running else "The database was not running.")


@database.command()
def migrate(
    revision: Annotated[
        str, typer.Option(help="A newer or older one; going back drops what came after it.")
    ] = NEWEST,
    yes: Annotated[
        bool, typer.Option("--yes", help="Go back although that drops what came after it.")
    ] = False,
) -> None:
    """Bring the schema to a revision, or the newest."""
    running = open_database(load_settings())
    before = revision_of(running)
    if revision != NEWEST and is_older(revision, than=before) and not yes:
        msg = f"going back from {before} to {revision} drops what came after it: add --yes to do so"
        raise UsageError(msg)
    typer.echo(f"{running.place}: revision {before} -> {_move(running, revision)}")


@database.command()
def pack(
    before: Annotated[
        str, typer.Option(help="The first month that stays as it is, like 2025-01.")
    ] = "",
) -> None:
    """Pack old months of candles into an eighth of their room, as every night does.

    Nothing else changes: they are read, corrected and filled as before.
    """
    from crypto_pipeline.warehouse.packing import pack as pack_months

    settings = load_settings()
    running = require_migrated(open_database(settings))
    began = monotonic()
    done = pack_months(running, _first_kept(before, settings), _say_one)
    saved = (done.bytes_before - done.bytes_after) / MB
    typer.echo(
        f"Packed {done.candles:,} candles of {done.days:,} days in {monotonic() - began:.0f} s: "
        f"{done.bytes_before / MB:,.0f} MB are {done.bytes_after / MB:,.0f} MB now, {saved:,.0f} MB less."
    )


@database.command()
def docs() -> None:
    """Have dbt describe every mart, its columns and what it is made of, on a page; print its place."""
    from crypto_pipeline.orchestration.dbt_project import project_in

    settings = load_settings()
    running = require_migrated(open_database(settings))
    typer.echo(project_in(settings.data_dir).write_docs(running.client_environment))


@database.command()
def env() -> None:
    """Print the environment that Dagster, dbt and psql need.

    For who runs them without 'up': eval "$(crypto-pipeline database env)"; dagster dev -w workspace.yaml
    """
    from crypto_pipeline.cli.dagster_home import dagster_environment

    settings = load_settings()
    wanted = dagster_environment(settings) | open_database(settings).client_environment
    for name, value in wanted.items():
        typer.echo(f"export {name}={quote(value)}")


database.command()(grant_reader)
database.command()(revoke_reader)
database.command()(backup)
database.command()(restore)


def _first_kept(before: str, settings: Settings) -> date:
    """The month that was named, or the one that the settings mean."""
    from crypto_pipeline.warehouse.packing import months_before

    today = datetime.now(UTC).date()
    if not before and not settings.storage.pack_after_months:
        msg = "storage.pack_after_months is 0, so no month is old: name one with --before YYYY-MM"
        raise UsageError(msg)
    try:
        named = date.fromisoformat(f"{before}-01") if before else None
    except ValueError:
        msg = f"--before is {before!r}: expected a month like 2025-01"
        raise UsageError(msg) from None
    if named and named > today.replace(day=1):
        msg = f"--before {before} lies in the future: the month that runs cannot be packed"
        raise UsageError(msg)
    return named or months_before(today, settings.storage.pack_after_months)


def _say_one(told: str, done: int, planned: int) -> None:
    say(f"packing {told}, month {done + 1} of {planned}")


def _ours(verb: str) -> EmbeddedServer:
    server = embedded_server(load_settings())
    if server is None:
        msg = f"database_url is set: that server is yours, and not ours to {verb}"
        raise UsageError(msg)
    return server


def _move(running: Database, revision: str) -> str:
    # Alembic and SQLAlchemy take 0.3 s to import, and only a migration needs them.
    from crypto_pipeline.warehouse.migrate import downgrade, upgrade

    wanted = known_revisions()[-1] if revision == NEWEST else revision
    move = downgrade if is_older(wanted, than=revision_of(running)) else upgrade
    return move(running, wanted)
