"""Tells in the terminal how far the data has come while ``up`` runs."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto_pipeline.cli.console import say
from crypto_pipeline.errors import PipelineError
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC

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
        now = datetime.now(UTC)
        totals = self.line.ledger.totals(OHLC, now)
        expected = sum((now - self.line.since) // one.interval.step for one in self.line.series)
        percent = 100 * (1 - totals.slots / max(expected, 1))
        # The newest minutes are always on their way: only older holes are worth a word.
        to_go = f", {totals.days:,} series-days to go" if percent < WHOLE else ""
        return f"{OHLC.name}: {percent:.1f} % of {expected:,} slots{to_go}"
