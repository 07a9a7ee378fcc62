"""``crypto-pipeline check``: the verdicts that Dagster shows, for a terminal or a CI job."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import open_line
from crypto_pipeline.cli.arguments import End, Start, dataset_named, require_kept, window_between
from crypto_pipeline.cli.output import TableOrJson, print_json, print_table
from crypto_pipeline.errors import ShortfallError
from crypto_pipeline.ingestion import verdicts
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.verdicts import Verdict
from crypto_pipeline.market.datasets import DATASETS, MARKET_PRICES, Dataset
from crypto_pipeline.market.windows import Window
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.gaps import expects_anything
from crypto_pipeline.warehouse.revisions import require_migrated


@dataclass(frozen=True, slots=True)
class Span:
    """What the checks look at: a window, the present, and what counts as late."""

    window: Window
    now: datetime
    late_after: timedelta

    @property
    def due_at(self) -> datetime:
        """Slots that were due by then should be there."""
        return self.now - self.late_after


def check(
    datasets: Annotated[list[str] | None, typer.Argument(help="Only these.")] = None,
    start: Start = None,
    end: End = None,
    format_: Annotated[
        TableOrJson, typer.Option("--format", help="How to print it.")
    ] = TableOrJson.TABLE,
) -> None:
    """Ask every check of what is collected; exit code 1 when one fails.

    --start and --end bound 'complete', 'rows_are_valid' and 'sources_agree'; without them they look
    at everything since the first day kept. The other checks always judge the whole dataset. Nothing
    is changed: a price that 'sources_agree' names is quarantined by the runs alone.
    """
    named = [dataset_named(name) for name in dict.fromkeys(datasets or ())]
    settings = load_settings()
    now = datetime.now(UTC)
    first_day = settings.first_day(now)
    window = window_between(start, end, Window(settings.starts_at(now), now))
    require_kept(window, first_day, now)
    line = open_line(settings)
    require_migrated(line.database)
    span = Span(window, now, timedelta(seconds=settings.repair.late_after_seconds))
    every = list(DATASETS.values())
    wanted = named or [one for one in every if line.series_of(one)] or every
    found = [(one, verdict) for one in wanted for verdict in _verdicts(line, one, span)]
    _print(found, format_)
    _require_passed(found)


def _verdicts(line: Line, dataset: Dataset, span: Span) -> Iterator[Verdict]:
    """All the verdicts of a dataset; one that nothing is expected of has not earned a pass."""
    if not expects_anything(line.database, dataset):
        yield Verdict("complete", passed=False, summary="nothing has been collected yet")
        return
    days = line.ledger.summary(dataset, span.window, span.due_at)
    yield verdicts.complete(days)
    yield verdicts.no_unexplained_gaps(line, dataset, span.due_at)
    yield verdicts.rows_are_valid(line, dataset, span.window)
    yield verdicts.fresh(line, dataset, span.now, span.late_after)
    if dataset == MARKET_PRICES:
        yield verdicts.sources_agree(line, span.window, span.now, sets_aside=False)


def outcome(verdict: Verdict) -> str:
    """One word for a verdict."""
    if verdict.passed:
        return "passed"
    return "failed" if verdict.is_error else "warning"


def _print(found: list[tuple[Dataset, Verdict]], chosen: TableOrJson) -> None:
    columns = ["dataset", "check", "outcome", "summary"]
    rows = [(one.name, verdict.check, outcome(verdict), verdict.summary) for one, verdict in found]
    if chosen is TableOrJson.TABLE:
        print_table(columns, rows)
        return
    facts = [dict(verdict.facts) for _, verdict in found]
    print_json([*columns, "facts"], [(*row, one) for row, one in zip(rows, facts, strict=True)])


def _require_passed(found: list[tuple[Dataset, Verdict]]) -> None:
    failed = [
        f"{one.name} {verdict.check}" for one, verdict in found if outcome(verdict) == "failed"
    ]
    if failed:
        msg = f"{len(failed)} of {len(found)} checks failed: {', '.join(failed)}"
        raise ShortfallError(msg)
