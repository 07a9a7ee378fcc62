"""``crypto-pipeline database …``: where it is, starting and stopping ours, and its schema."""

from shlex import quote
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import embedded_server, open_database
from crypto_pipeline.errors import UsageError
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.revisions import is_older, known_revisions, revision_of
from crypto_pipeline.warehouse.server import EmbeddedServer

NEWEST = "head"

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
def env() -> None:
    """Print the environment that Dagster, dbt and psql need.

    For who runs them without 'up': eval "$(crypto-pipeline database env)"; dagster dev -w workspace.yaml
    """
    from crypto_pipeline.cli.dagster_home import dagster_environment

    settings = load_settings()
    wanted = dagster_environment(settings) | open_database(settings).client_environment
    for name, value in wanted.items():
        typer.echo(f"export {name}={quote(value)}")


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
