"""What assets, checks and sensors are handed: the configured line, and the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crypto_pipeline.ingestion.ingest import Progress
from crypto_pipeline.ingestion.line import Line


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The line, what counts as late, the clock that decides it, and the age of months that are packed.

    Months are never packed while that is 0.
    """

    line: Line
    late_after: timedelta
    now: Callable[[], datetime] = _utc_now
    on_progress: Callable[[Progress], None] | None = None
    pack_after_months: int = 0

    @property
    def due_at(self) -> datetime:
        """Slots that were due by then should be there; later ones may still be on their way."""
        return self.now() - self.late_after
