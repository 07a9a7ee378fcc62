"""``crypto-pipeline audit``: whether the ledger says what the rows say, and the repair where not."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.cli.arguments import End, Start, dataset_named, window_between
from crypto_pipeline.cli.output import TableOrJson, print_json, print_table
from crypto_pipeline.errors import ShortfallError
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import DATASETS
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.audit import EVERYTHING, Audit, Difference
from crypto_pipeline.warehouse.audit import audit as audit_rows
from crypto_pipeline.warehouse.revisions import require_migrated

Found = dict[str, Audit]
"""What was found, by dataset."""


def audit(
    datasets: Annotated[list[str] | None, typer.Argument(help="Only these.")] = None,
    start: Start = None,
    end: End = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only look; the ledger stays as it is.")
    ] = False,
    format_: Annotated[
        TableOrJson, typer.Option("--format", help="How to print it.")
    ] = TableOrJson.TABLE,
) -> None:
    """Compare the ledger with every row, and have it follow the rows.

    It may run beside everything else. Exit code 1 when a difference was found, repaired or not: what
    turns out to be missing is asked for again.
    """
    wanted = [dataset_named(name) for name in dict.fromkeys(datasets or DATASETS)]
    window = window_between(start, end, EVERYTHING)
    database = require_migrated(open_database(load_settings()))
    found: Found = {}
    for one in wanted:
        with _bar(one.name) as advance:
            found[one.name] = audit_rows(
                database, one, window, repair=not dry_run, on_progress=advance
            )
    if format_ is TableOrJson.JSON:
        _print_json(found, is_repaired=not dry_run)
    else:
        _print(found, "not repaired (--dry-run)" if dry_run else "repaired")
    _require_agreement(found, is_repaired=not dry_run)


def _print(found: Found, outcome: str) -> None:
    columns = [
        "dataset",
        "series",
        "day",
        "unknown to ledger",
        "without row",
        "wrong",
        "outcome",
    ]
    rows = [[name, *_row(one), outcome] for name, done in found.items() for one in done.differences]
    if rows:
        print_table(columns, rows, right={"unknown to ledger", "without row"})
    for name, done in found.items():
        if not done.days:
            typer.echo(f"{name}: nothing to audit, the warehouse knows of no such day")
        elif not done.differences:
            typer.echo(f"{name}: {done.days:,} series-days audited, rows and ledger agree")


def _row(one: Difference) -> list[object]:
    slots = f"{one.slots_only_in_rows:,}", f"{one.slots_only_in_ledger:,}"
    return [one.series, one.day, *slots, ", ".join(one.wrong)]


def _print_json(found: Found, *, is_repaired: bool) -> None:
    columns = ["dataset", "series", "day", "only_in_rows", "only_in_ledger"]
    columns += ["slots_only_in_rows", "slots_only_in_ledger", "wrong", "repaired"]
    print_json(columns, _objects(found, is_repaired=is_repaired))


def _objects(found: Found, *, is_repaired: bool) -> Iterator[Sequence[object]]:
    for name, done in found.items():
        for one in done.differences:
            runs = _spans(one.only_in_rows), _spans(one.only_in_ledger)
            slots = one.slots_only_in_rows, one.slots_only_in_ledger
            yield name, one.series, one.day, *runs, *slots, one.wrong, is_repaired


def _spans(runs: Runs) -> list[list[object]]:
    return [[run.start, run.end] for run in runs]


def _require_agreement(found: Found, *, is_repaired: bool) -> None:
    """A ShortfallError says how much differed, and what to do about it."""
    wrong = [
        f"{len(done.differences):,} of {done.days:,} series-days of {name}"
        for name, done in found.items()
        if done.differences
    ]
    outcome = (
        "was wrong on {}; it follows the rows now, and the gap sensor or 'crypto-pipeline backfill' "
        "asks for what is missing"
        if is_repaired
        else "is wrong on {}: 'crypto-pipeline audit' without --dry-run has it follow the rows"
    )
    if wrong:
        msg = f"the ledger {outcome.format(', '.join(wrong))}"
        raise ShortfallError(msg)


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, in a terminal only, that is gone when it ends."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn())
    with Progress(
        *columns,
        TextColumn("series-days,"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        transient=True,
        expand=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, planned: progress.update(task, total=planned, completed=done)
