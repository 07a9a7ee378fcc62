"""Tells in the terminal how far the data has come while ``up`` runs."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto_pipeline.cli.console import say
from crypto_pipeline.errors import PipelineError
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import DATASETS, Dataset
from crypto_pipeline.market.series import Series

WHOLE = 99.9


@dataclass(slots=True)
class Follower:
    """Says something when the picture has changed, and nothing while it stays the same."""

    line: Line
    _told: str = field(default="")

    def look(self) -> None:
        """Read the ledger's totals and tell what is new."""
        try:
            text = self._picture()
        except PipelineError:
            return
        if text and text != self._told:
            self._told = text
            say(text)

    def _picture(self) -> str:
        """One line of every dataset that something is expected of."""
        now = datetime.now(UTC)
        told = (self._told_of(dataset, now) for dataset in DATASETS.values())
        return "; ".join(one for one in told if one)

    def _told_of(self, dataset: Dataset, now: datetime) -> str:
        expected = sum(self._due(one, dataset, now) for one in self.line.series_of(dataset))
        if not expected:
            return ""
        totals = self.line.ledger.totals(dataset, now)
        percent = 100 * (1 - totals.slots / expected)
        # The newest minutes are always on their way: only older holes are worth a word.
        to_go = f", {totals.days:,} series-days to go" if percent < WHOLE else ""
        return f"{dataset.name}: {percent:.1f} % of {expected:,} slots{to_go}"

    def _due(self, series: Series, dataset: Dataset, now: datetime) -> int:
        grace = dataset.grace if series.grace is None else series.grace
        return max((now - grace - self.line.since) // series.interval.step, 0)
