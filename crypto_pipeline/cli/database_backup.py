"""``crypto-pipeline database backup`` and ``restore``: everything into one file, and back."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from crypto_pipeline.bootstrap import embedded_server, open_database
from crypto_pipeline.cli.consent import require_consent
from crypto_pipeline.cli.supervisor import only_one
from crypto_pipeline.errors import UsageError
from crypto_pipeline.settings import Settings, load_settings
from crypto_pipeline.warehouse.database import Database

MB = 1_000_000


def backup(
    file: Annotated[
        Path | None,
        typer.Argument(help="A new file; by default one with the time in data_dir/backups."),
    ] = None,
) -> None:
    """Write all of the database into a file, Dagster's runs included.

    It may run beside everything else. A server of your own is backed up too.
    """
    from crypto_pipeline.warehouse.backup import backup as back_up

    settings, began = load_settings(), monotonic()
    name = f"crypto_pipeline-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.dump"
    wanted = (file or settings.data_dir / "backups" / name).absolute()
    with _running(settings) as database, _progress("written") as told:
        size = back_up(database, wanted, told)
    typer.echo(f"{wanted}: {size / MB:,.1f} MB in {monotonic() - began:.0f} s")


def restore(
    file: Annotated[Path, typer.Argument(help="What 'database backup' has written.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Replace what the database holds now.")
    ] = False,
) -> None:
    """Have the embedded database hold what a backup holds.

    What it holds now is replaced when all of the file is restored, and stays if that fails. A backup of
    an older release is brought to this one's schema.
    """
    from crypto_pipeline.warehouse.backup import first_wanted, is_empty, revision_in
    from crypto_pipeline.warehouse.backup import restore as restore_all

    settings, began = load_settings(), monotonic()
    server = embedded_server(settings)
    if server is None:
        msg = (
            "database_url is set: that server is yours, and not ours to replace; "
            f"run pg_restore --no-owner --dbname=<a new database> {file}"
        )
        raise UsageError(msg)
    revision_in(file)
    with only_one(settings.data_dir / "up.lock"):
        was_running = server.is_running()
        try:
            database = Database(server.start())
            if not is_empty(database):
                require_consent(f"Replace what {database.place} holds?", yes=yes)
            with _progress("restored") as told:
                revision = restore_all(database, file.absolute(), told)
            # Elsewhere it goes on from the day that it began with here.
            if (first := first_wanted(database)) is not None:
                settings.remember(first)
        finally:
            if not was_running:
                server.stop()
    typer.echo(f"{file} is restored, schema revision {revision}, in {monotonic() - began:.0f} s")


@contextmanager
def _running(settings: Settings) -> Iterator[Database]:
    """The database; ours is started for as long as it is needed, and nobody else starts it meanwhile."""
    server = embedded_server(settings)
    if server is None or server.is_running() or not settings.data_dir.is_dir():
        yield open_database(settings)
        return
    with only_one(settings.data_dir / "up.lock"):
        try:
            yield Database(server.start())
        finally:
            server.stop()


@contextmanager
def _progress(done: str) -> Iterator[Callable[[int], None]]:
    """Megabytes on standard error, in a terminal only, gone when it ends."""
    console = Console(file=sys.stderr)
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("", total=None)
        yield lambda size: progress.update(task, description=f"{size / MB:,.0f} MB {done}")
