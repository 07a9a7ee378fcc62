"""``crypto-pipeline gaps``: what is missing, where, and why."""

from dataclasses import astuple, fields
from datetime import UTC, datetime
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.cli.arguments import End, Start, dataset_named, window_between
from crypto_pipeline.cli.output import Format, minute_of, print_csv, print_json, print_table
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.gaps import Gap, expects_anything
from crypto_pipeline.warehouse.gaps import gaps as read_gaps
from crypto_pipeline.warehouse.revisions import require_migrated

SHOWN = 50
COLUMNS = [field.name for field in fields(Gap)]


def gaps(
    dataset: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    start: Start = None,
    end: End = None,
    format_: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.TABLE,
) -> None:
    """List every hole, newest first.

    A hole is a run of due slots that are neither there nor explained.
    """
    wanted = dataset_named(dataset) if dataset else None
    window = window_between(start, end, Window(EPOCH, datetime.now(UTC) + DAY))
    database = require_migrated(open_database(load_settings()))
    found = read_gaps(database, window, wanted)
    if format_ is Format.CSV:
        print_csv(COLUMNS, map(astuple, found))
    elif format_ is Format.JSON:
        print_json(COLUMNS, map(astuple, found))
    elif found:
        _print(found)
    else:
        typer.echo(_why_none(wanted, is_expected=expects_anything(database, wanted)))


def _print(found: list[Gap]) -> None:
    columns = ["dataset", "series", "start (UTC)", "end (UTC)", "slots", "why"]
    print_table(columns, map(_row, found[:SHOWN]), right={"slots"})
    if len(found) > SHOWN:
        typer.echo(f"and {len(found) - SHOWN:,} more (--format csv or json lists all)")
    slots = sum(gap.slots for gap in found)
    series = len({(gap.dataset, gap.series) for gap in found})
    typer.echo(f"\n{_count(len(found), 'gap')}: {_count(slots, 'slot')} missing in {series} series")


def _row(gap: Gap) -> list[object]:
    times = minute_of(gap.gap_start), minute_of(gap.gap_end)
    return [gap.dataset, gap.series, *times, f"{gap.slots:,}", gap.reason or "not asked for yet"]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _why_none(dataset: Dataset | None, *, is_expected: bool) -> str:
    name = dataset.name if dataset else "any dataset"
    if is_expected:
        return f"No gaps in {name}: every due slot is there or explained."
    return (
        f"Nothing of {name} has been collected yet, so nothing is expected of it: "
        "run 'crypto-pipeline up' or 'crypto-pipeline backfill'."
    )
