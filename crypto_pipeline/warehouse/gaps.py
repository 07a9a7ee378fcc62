"""The holes that people see: ``market.gaps`` as far as it lies in a window."""

from dataclasses import dataclass
from datetime import datetime

from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.statements import statements


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of due slots ``[gap_start, gap_end)`` that are neither there nor explained."""

    dataset: str
    series: str
    gap_start: datetime
    gap_end: datetime
    slots: int
    state: str
    reason: str | None


def gaps(database: Database, window: Window, dataset: Dataset | None = None) -> list[Gap]:
    """The holes whose slots open in the window, newest first; of one dataset, or of all."""
    parameters = {
        "dataset": dataset.name if dataset else None,
        "start": window.start,
        "end": window.end,
    }
    with database.connect(read_only=True) as connection:
        rows = connection.execute(statements("gaps")["gaps"], parameters)
        return [Gap(*row) for row in rows]  # type: ignore[arg-type]


def expects_anything(database: Database, dataset: Dataset | None = None) -> bool:
    """Whether the ledger has a series to expect; without one, nothing missing means nothing."""
    parameters = {"dataset": dataset.name if dataset else None}
    with database.connect(read_only=True) as connection:
        row = connection.execute(statements("gaps")["active_series_count"], parameters).fetchone()
    return row is not None and row[0] != 0
