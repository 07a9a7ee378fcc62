"""Tells in the terminal how far the data has come while ``up`` runs."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto_pipeline.cli.console import say
from crypto_pipeline.errors import PipelineError
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import DATASETS, Dataset
from crypto_pipeline.market.series import Series
from crypto_pipeline.warehouse.calendar import Listing, listings

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
        begun = {one.series: one for one in listings(self.line.database, dataset)}
        expected = sum(
            _due(series, begun[series.name], dataset, now)
            for series in self.line.series_of(dataset)
            if series.name in begun
        )
        if not expected:
            return ""
        totals = self.line.ledger.totals(dataset, now)
        percent = 100 * (1 - totals.slots / expected)
        # The newest minutes are always on their way: only older holes are worth a word.
        to_go = f", {totals.days:,} series-days to go" if percent < WHOLE else ""
        return f"{dataset.name}: {percent:.1f} % of {expected:,} slots{to_go}"


def _due(series: Series, known: Listing, dataset: Dataset, now: datetime) -> int:
    """The slots that are due of a series, from its own beginning to its end."""
    grace = dataset.grace if series.grace is None else series.grace
    start = max(known.since, known.listed_at or known.since)
    end = min(now - grace, known.delisted_at or now - grace)
    return max((end - start) // series.interval.step, 0)
