"""The progress bar of a backfill: requests and files done of those planned, rows, megabytes, time left."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from crypto_pipeline.ingestion.ingest import Progress as Ingesting

MB = 1_000_000


@dataclass(slots=True)
class Bar:
    """Moves when told how far a window has come; in a pipe it says a line each tenth of the way."""

    title: str
    progress: Progress
    task: TaskID
    steps: str | None = None
    """What is counted, where it is neither requests nor files."""
    rows: int = 0
    _started_at: float | None = None
    _tenths: int = field(default=-1)

    def update(self, at: Ingesting) -> None:
        """How far it has come now."""
        self.rows = at.rows
        counts = self._counts(at)
        self.progress.update(self.task, total=at.planned, completed=at.done, counts=counts)
        tenths = 10 * at.done // max(at.planned, 1)
        if tenths > self._tenths and not self.progress.console.is_terminal:
            line = (
                f"{self.title}: {at.done:,} of {at.planned:,} {self.steps or _steps(at)}, {counts}"
            )
            self.progress.console.print(line)
        self._tenths = max(self._tenths, tenths)

    def _counts(self, at: Ingesting) -> str:
        """Rows and megabytes, each with its rate since the first of them, and what is waited for.

        Opening Dagster is not counted.
        """
        now = monotonic()
        if self._started_at is None:
            self._started_at = now
        seconds = max(now - self._started_at, 1.0)
        told = f"{at.rows:,} rows, {at.rows / seconds:,.0f} rows/s"
        if at.bytes_planned:
            done, planned = at.bytes_done / MB, at.bytes_planned / MB
            told += f", {done:,.1f} of {planned:,.1f} MB, {done / seconds:,.1f} MB/s"
        return f"{told}, waiting for {at.limited_by}" if at.limited_by else told


def _steps(at: Ingesting) -> str:
    return "files and requests" if at.bytes_planned else "requests"


@contextmanager
def bar(title: str, steps: str | None = None) -> Iterator[Bar]:
    """A bar on standard error that is gone when it ends."""
    console = Console(file=sys.stderr, highlight=False, soft_wrap=not sys.stderr.isatty())
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("done, {task.fields[counts]},"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        transient=True,
        expand=True,
        disable=not console.is_terminal,
        # Who runs behind the bar redirects them, and must not redirect the bar.
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with progress:
        task = progress.add_task(title, total=None, counts="0 rows")
        yield Bar(title, progress, task, steps)
