"""The holes that people see: ``market.gaps`` and ``market.explanations`` as far as they lie in a window."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    attempts: int
    next_attempt_at: datetime | None
    error_class: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A run of slots ``[explained_from, explained_to)`` that never were, and how that is known.

    What the venue's listing explains is never asked for again: it has no ``recheck_at``.
    """

    dataset: str
    series: str
    explained_from: datetime
    explained_to: datetime
    slots: int
    reason: str
    evidence: Mapping[str, str] | None
    note: str | None
    confirmations: int
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    recheck_at: datetime | None


def gaps(database: Database, window: Window, dataset: Dataset | None = None) -> list[Gap]:
    """The holes whose slots open in the window, newest first; of one dataset, or of all."""
    return [Gap(*row) for row in _within(database, "gaps", window, dataset)]


def explanations(
    database: Database, window: Window, dataset: Dataset | None = None
) -> list[Explanation]:
    """What explains slots that open in the window, newest first; of one dataset, or of all."""
    return [Explanation(*row) for row in _within(database, "explanations", window, dataset)]


def expects_anything(database: Database, dataset: Dataset | None = None) -> bool:
    """Whether the ledger has a series to expect; without one, nothing missing means nothing."""
    parameters = {"dataset": dataset.name if dataset else None}
    with database.connect(read_only=True) as connection:
        row = connection.execute(statements("gaps")["active_series_count"], parameters).fetchone()
    return row is not None and row[0] != 0


def _within(
    database: Database, statement: str, window: Window, dataset: Dataset | None
) -> list[tuple[Any, ...]]:
    parameters = {
        "dataset": dataset.name if dataset else None,
        "start": window.start,
        "end": window.end,
    }
    with database.connect(read_only=True) as connection:
        return connection.execute(statements("gaps")[statement], parameters).fetchall()
