"""``crypto-pipeline backfill``: brings days up to date here and now, recorded in Dagster."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.cli.arguments import dataset_named, require_kept, window_between
from crypto_pipeline.cli.border import Interrupted
from crypto_pipeline.cli.progress import bar
from crypto_pipeline.errors import ShortfallError, UsageError
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.settings import Settings, load_settings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.gaps import Gap, gaps
from crypto_pipeline.warehouse.retention import kept_from
from crypto_pipeline.warehouse.revisions import require_migrated

if TYPE_CHECKING:
    from crypto_pipeline.cli.materializing import Materialized

SHOWN = 10
"""Spans of days that a shortfall names, at most."""


def backfill(
    dataset: Annotated[str, typer.Argument(help="What to collect, like 'ohlc'.")],
    start: Annotated[str, typer.Option(metavar="D", help="The first UTC day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(metavar="D", help="The last UTC day; it is included.")],
    refetch: Annotated[
        bool,
        typer.Option("--refetch", help="Ask for what is there too; old values are kept aside."),
    ] = False,
) -> None:
    """Fetch what is missing of some days, here and now.

    Both --start and --end are included. It runs in this process, and Dagster's page shows it as a
    run over the same days. Exit code 1 when slots that were due are still missing.
    """
    wanted, settings, now = dataset_named(dataset), load_settings(), datetime.now(UTC)
    window = window_between(start, end, Window.of_day(now.date()))
    require_kept(window, settings.first_day(now), now)
    _require_retained(window, wanted, settings, now)
    database = require_migrated(open_database(settings))
    days = list(window.days())
    done = _run(settings, wanted, days, refetch=refetch)
    missing = still_missing(database, settings, wanted, days, now)
    typer.echo(_summary(wanted, days, done) + ("" if missing else "; nothing is missing"))
    _require_whole(missing, wanted, done.failure)


def _require_retained(window: Window, dataset: Dataset, settings: Settings, now: datetime) -> None:
    """A UsageError for days that would be dropped again at once."""
    days = settings.retention_days().get(dataset.name)
    if days and window.start < (edge := kept_from(now, days)):
        msg = (
            f"{window.start:%Y-%m-%d} is beyond retention: {dataset.name} is kept for {days} days, since "
            f"{edge:%Y-%m-%d}; set retention.{dataset.name} to more days, or to 0 for ever"
        )
        raise UsageError(msg)


def _run(
    settings: Settings, dataset: Dataset, days: Sequence[date], *, refetch: bool
) -> "Materialized":
    """Run it behind a bar."""
    try:
        with bar(dataset.name) as shown:
            from crypto_pipeline.cli.materializing import materialize

            return materialize(settings, dataset, (days[0], days[-1]), refetch=refetch, bar=shown)
    except KeyboardInterrupt:
        msg = "stopped: what was stored stays, and the next run asks only for the rest"
        raise Interrupted(msg) from None


def _summary(dataset: Dataset, days: Sequence[date], done: "Materialized") -> str:
    changed = f" and {done.rows_changed:,} changed" if done.rows_changed else ""
    return f"{dataset.name} {_spans(map(Window.of_day, days))}: {done.rows_new:,} new{changed} rows"


def still_missing(
    database: Database, settings: Settings, dataset: Dataset, days: Sequence[date], now: datetime
) -> list[Gap]:
    """The holes left in these days, of what was due of each series when we began."""
    series: list[Series] = [*settings.series(), *settings.observed_series()]
    due = {
        one.name: one.interval.due(now, dataset.grace if one.grace is None else one.grace)
        for one in series
        if one.dataset == dataset.name
    }
    newest = max(due.values(), default=now)
    begins, ends = Window.of_day(days[0]).start, min(Window.of_day(days[-1]).end, newest)
    found = gaps(database, Window(begins, ends), dataset) if begins < ends else []
    return [gap for gap in found if gap.gap_start < due.get(gap.series, now)]


def _require_whole(missing: Sequence[Gap], dataset: Dataset, failure: str | None) -> None:
    """A ShortfallError says which days still miss slots, and why."""
    by_reason: dict[str, list[Gap]] = defaultdict(list)
    for gap in missing:
        by_reason[gap.reason or failure or "nobody could be asked"].append(gap)
    if by_reason:
        raise ShortfallError("\n".join(_shortfalls(dataset, by_reason)))
    if failure:
        msg = f"nothing is missing, but the run failed: {failure}"
        raise ShortfallError(msg)


def _shortfalls(dataset: Dataset, by_reason: dict[str, list[Gap]]) -> Iterator[str]:
    for reason, found in by_reason.items():
        slots = sum(gap.slots for gap in found)
        series = sorted({gap.series for gap in found})
        days = {day for gap in found for day in Window(gap.gap_start, gap.gap_end).days()}
        span = _spans(map(Window.of_day, days))
        yield f"{dataset.name} still misses {slots:,} slots of {', '.join(series)} on {span}: {reason}"


def _spans(days: Iterator[Window]) -> str:
    """Days as people write them: neighbours as one span."""
    runs = list(Runs.of(days))
    said = [_span(run) for run in runs[:SHOWN]]
    more = f" and {len(runs) - SHOWN} more spans" if len(runs) > SHOWN else ""
    return ", ".join(said) + more


def _span(run: Window) -> str:
    first, last = run.start.date(), (run.end - DAY).date()
    return str(first) if first == last else f"{first} to {last}"
