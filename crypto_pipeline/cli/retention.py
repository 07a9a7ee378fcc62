"""``crypto-pipeline retention``: which months are no longer kept, told first and then dropped."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import open_line
from crypto_pipeline.cli.consent import require_consent
from crypto_pipeline.cli.console import say
from crypto_pipeline.cli.output import print_table
from crypto_pipeline.errors import ShortfallError
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import DATASETS
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.retention import Keeping, OldMonth, expire, expiring
from crypto_pipeline.warehouse.revisions import require_migrated

MB = 1_000_000
Due = list[tuple[Keeping, list[OldMonth]]]
"""What of each dataset has its time behind it."""


def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be dropped.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Drop it without asking.")] = False,
) -> None:
    """Drop the months that are no longer kept, as every night does.

    How long the rows of a dataset are kept is said by the settings, like retention.ohlc = 366 (days,
    counted back from the newest row); whole months go. They are expected no more, and count as expired.
    """
    line, now = open_line(load_settings()), datetime.now(UTC)
    require_migrated(line.database)
    keepings = [line.keeping(DATASETS[name], now) for name in DATASETS]
    due: Due = [(one, expiring(line.database, one)) for one in keepings if one]
    _print(due, line)
    if dry_run or not any(months for _, months in due):
        return
    require_consent("Drop these months for good?", yes=yes)
    _expire(due, line, now)


def _print(due: Due, line: Line) -> None:
    for one, months in due:
        days = line.retention[one.dataset.name]
        goes = "what is older goes" if months else "nothing goes"
        typer.echo(f"{one.dataset.name} is kept for {days} days, since {one.edge:%Y-%m-%d}: {goes}")
    if not due:
        typer.echo("everything is kept for ever: set retention.<dataset> to a number of days")
    rows = [_row(one.dataset.name, month) for one, months in due for month in months]
    if rows:
        typer.echo()
        print_table(["dataset", "month", "rows", "MB"], rows, right={"rows", "MB"})
        typer.echo()


def _row(name: str, one: OldMonth) -> list[object]:
    return [name, f"{one.month:%Y-%m}", f"{one.rows:,}", f"{one.bytes / MB:,.1f}"]


def _expire(due: Due, line: Line, now: datetime) -> None:
    dropped: list[OldMonth] = []
    in_use: list[OldMonth] = []
    for one, months in due:
        if months:
            line.register(now, one.dataset)
            done = expire(line.database, one, _say_one)
            dropped, in_use = dropped + done.dropped, in_use + done.in_use
    rows = sum(one.rows for one in dropped)
    size = sum(one.bytes for one in dropped) / MB
    typer.echo(f"Dropped {_counted(dropped)}: {rows:,} rows, {size:,.1f} MB.")
    if in_use:
        msg = (
            f"somebody reads what was to be dropped, so {_counted(in_use)} stayed: try again later"
        )
        raise ShortfallError(msg)


def _counted(months: Sequence[OldMonth]) -> str:
    return "1 month" if len(months) == 1 else f"{len(months)} months"


def _say_one(month: date, done: int, planned: int) -> None:
    say(f"dropping {month:%Y-%m}, month {done + 1} of {planned}")
