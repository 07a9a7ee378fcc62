"""``crypto-pipeline export``: rows of any dataset as files, exact, and with what they lack said."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.cli.arguments import End, Start, dataset_named, window_between
from crypto_pipeline.cli.export_files import (
    name_of,
    require_free,
    said_of,
    target_of,
    whole_file,
)
from crypto_pipeline.cli.export_writing import Asked, Export, FileFormat, Steps
from crypto_pipeline.cli.progress import MB, bar
from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import Window
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.exporting import Completeness, Extract, Snapshot, snapshot
from crypto_pipeline.warehouse.exporting_choice import Choice, extracts
from crypto_pipeline.warehouse.revisions import require_migrated

STDOUT = Path("-")


def export(  # noqa: PLR0913, PLR0917 - each is an option
    dataset: Annotated[str, typer.Argument(help="What to export, like 'ohlc'.")],
    format_: Annotated[FileFormat, typer.Option("--format", help="What kind of file.")],
    start: Start = None,
    end: End = None,
    interval: Annotated[
        str | None,
        typer.Option(metavar="I", help="Of candles, like 1h; of freqtrade several: 1m,5m."),
    ] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="BTC-USDT, an asset, an index, a chain; repeatable."),
    ] = None,
    venue: Annotated[str | None, typer.Option(metavar="NAME", help="Of candles.")] = None,
    out: Annotated[
        Path, typer.Option(metavar="PATH", help="A file or a directory; '-' prints CSV.")
    ] = Path(),
    as_float: Annotated[
        bool, typer.Option("--float", help="Doubles instead of exact decimals.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
) -> None:
    """Write rows to a file, and say what they lack.

    Numbers are exact: decimals in Parquet and Feather, the stored digits in CSV. A file gets its
    name when it is whole. --format freqtrade writes FreqTrade's data folder under --out.
    """
    wanted, settings, now = dataset_named(dataset), load_settings(), datetime.now(UTC)
    until_today = Window(settings.starts_at(now), Window.of_day(now.date()).end)
    window = window_between(start, end, until_today)
    asked = Asked(wanted, window, format_, now, as_float)
    intervals: list[str | None] = [*dict.fromkeys(interval.split(","))] if interval else [None]
    _require_sense(asked, intervals, out)
    names = [name for part in instrument or () for name in part.split(",") if name]
    choices = [Choice(names, venue, one) for one in intervals]
    with snapshot(require_migrated(open_database(settings))) as taken:
        found = [one for choice in choices for one in _found(taken, asked, choice)]
        if format_ is FileFormat.FREQTRADE:
            _export_freqtrade(taken, asked, found, out, force=force)
        else:
            _export_table(Export(taken, asked, found), out, force=force)


def _require_sense(asked: Asked, intervals: Sequence[str | None], out: Path) -> None:
    """A UsageError for what cannot be had together."""
    is_freqtrade = asked.form is FileFormat.FREQTRADE
    if is_freqtrade and asked.dataset != OHLC:
        msg = f"FreqTrade reads candles: --format freqtrade is for {OHLC.name} alone"
        raise UsageError(msg)
    if not is_freqtrade and len(intervals) > 1:
        msg = "one file has candles of one --interval: only --format freqtrade takes several"
        raise UsageError(msg)
    if out == STDOUT and asked.form is not FileFormat.CSV:
        msg = f"standard output takes --format csv alone: name a place with --out for {asked.form}"
        raise UsageError(msg)


def _found(taken: Snapshot, asked: Asked, choice: Choice) -> list[Extract]:
    found = extracts(taken, asked.dataset, choice)
    if not found:
        msg = f"there is nothing of {asked.dataset.name} yet: 'crypto-pipeline backfill' brings it"
        raise UsageError(msg)
    return found


def _export_table(whole: Export, out: Path, *, force: bool) -> None:
    """All into one file."""
    asked = whole.asked
    if out == STDOUT:
        with bar(asked.dataset.name, "pieces") as shown:
            steps = Steps(shown, whole.pieces)
            whole.write(sys.stdout.buffer, steps)
        typer.echo(_summary(asked, steps.rows, "standard output", whole.held), err=True)
        return
    target = target_of(out, name_of(_common(whole), asked.window, asked.form))
    require_free([target], force=force)
    with bar(asked.dataset.name, "pieces") as shown, whole_file(target) as file:
        steps = Steps(shown, whole.pieces)
        whole.write(file, steps)
    typer.echo(_summary(asked, steps.rows, str(target), whole.held, target.stat().st_size))


def _common(whole: Export) -> list[str]:
    """The dataset, and what all that is exported of it has in common."""
    parts = [whole.asked.dataset.name]
    for key in ("venue", "instrument", "interval", "name"):
        values = {str(one.parameters.get(key, "")) for one in whole.found}
        if len(values) == 1:
            parts += filter(None, values)
    return parts


def _export_freqtrade(
    taken: Snapshot, asked: Asked, found: Sequence[Extract], out: Path, *, force: bool
) -> None:
    """A file for each market and interval."""
    from crypto_pipeline.frames.freqtrade import file_of

    markets = {
        out / file_of(*(one.said(part) for part in ("venue", "instrument", "interval"))): one
        for one in found
    }
    require_free(list(markets), force=force)
    exports = {path: Export(taken, asked, [one]) for path, one in markets.items()}
    whole = Export(taken, asked, found)
    with bar("freqtrade", "pieces") as shown:
        steps = Steps(shown, whole.pieces)
        for path, one in exports.items():
            with whole_file(path) as file:
                one.write_freqtrade(file, steps)
            steps.bytes_before += path.stat().st_size
    left_out = sum(count for one in exports.values() for count in one.left_out)
    where = f"{len(exports)} files under {out}" if len(exports) > 1 else str(next(iter(exports)))
    typer.echo(_summary(asked, steps.rows, where, whole.held, steps.bytes_before))
    if left_out:
        typer.echo(
            f"{left_out:,} candles are left out: they are not over, or slots of theirs are missing"
        )


def _summary(
    asked: Asked, rows: int, where: str, held: Completeness, size: int | None = None
) -> str:
    """The last line: what was written, and what it lacks."""
    told = f"{rows:,} rows" if size is None else f"{rows:,} rows, {size / MB:,.1f} MB"
    return f"{asked.dataset.name} {said_of(asked.window)}: {told} in {where}; {_lack(asked, held)}"


def _lack(asked: Asked, held: Completeness) -> str:
    # Cut, not rounded: what lacks a slot is never 100 %.
    share = 10_000 * (held.expected - held.missing) // max(held.expected, 1) / 100
    told = [
        "the ledger expects nothing of it" if not held.expected else "",
        "complete" if held.expected and not held.missing else "",
        f"{share:.2f} % complete, {_slots(held.missing)} missing" if held.missing else "",
        f"see 'crypto-pipeline gaps {asked.dataset.name}'" if held.missing else "",
        f"{_slots(held.explained)} explained" if held.explained else "",
        f"{_slots(held.expired)} expired" if held.expired else "",
    ]
    return ", ".join(filter(None, told))


def _slots(count: int) -> str:
    return f"{count:,} slot{'s' * (count != 1)}"
