"""``crypto-pipeline import``: candles out of other programs' files, where the warehouse lacks them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crypto_pipeline.bootstrap import open_line
from crypto_pipeline.cli.progress import bar
from crypto_pipeline.errors import ShortfallError, UsageError
from crypto_pipeline.ingestion.ingest import Progress
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.revisions import require_migrated

if TYPE_CHECKING:
    from crypto_pipeline.ingestion.importing import Imported

importing = typer.Typer(
    add_completion=False, help="Read candles from other programs' files into the warehouse."
)


@importing.callback()
def _only_commands() -> None:
    """Keep ``freqtrade`` a word of the command line, for there may be others."""


@importing.command()
def freqtrade(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Like user_data/data.")],
    venue: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this one; DIR may be its own folder then."),
    ] = None,
) -> None:
    """Fill what is missing with the candles of FreqTrade's files.

    Only series that are collected; what a venue said itself stays as it is. A file is stored whole
    or not at all. Exit code 1 when one is refused.
    """
    if not directory.is_dir():
        msg = f"{directory} is no directory: name FreqTrade's data folder, like user_data/data"
        raise UsageError(msg)
    from crypto_pipeline.ingestion.importing import found_files, import_files

    line, now = open_line(load_settings()), datetime.now(UTC)
    require_migrated(line.database)
    files = found_files(line, directory, venue)
    for file, series in files:
        if series is None:
            msg = f"passed over: {file.path} is of no series of candles that is collected"
            typer.echo(msg, err=True)
    wanted = [(file, series) for file, series in files if series]
    with bar("import", "files") as shown:

        def on_progress(done: int, rows: int) -> None:
            shown.update(Progress(done, len(wanted), rows))

        told = list(import_files(line, wanted, now, on_progress))
    for one in told:
        if not one.refused:
            typer.echo(f"{one.series} from {one.file.path}: {', '.join(_said(one))}")
    refused = [f"{one.file.path} is refused: {one.refused}" for one in told if one.refused]
    if refused:
        raise ShortfallError("\n".join([*refused, "nothing of a refused file is stored"]))


def _said(one: "Imported") -> Iterator[str]:
    """What became of the candles of a file."""
    yield f"{one.read:,} candles"
    yield f"{one.stored.inserted:,} new"
    if one.stored.updated:
        yield f"{one.stored.updated:,} changed"
    if one.known:
        yield f"{one.known:,} known"
    if one.contradicted:
        yield f"{one.contradicted:,} that differ from what is stored, which stays"
    if one.outside:
        yield f"{one.outside:,} outside the time that is kept"
    for reason, count in one.reasons.items():
        yield f"{count:,} set aside ({reason})"
