"""What the line works with: the series that are collected, who serves them, and where they go."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.datasets import OHLC, Dataset
from crypto_pipeline.market.series import CandleSeries, ObservedSeries, Series
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.ledger import Ledger
from crypto_pipeline.warehouse.retention import Keeping, kept_from


@dataclass(frozen=True, slots=True)
class Line:
    """One configured pipeline: ``providers`` by name, as the settings changed them.

    ``observed`` are the series of the other datasets, and ``trusted`` the providers of each, the
    most trusted first. ``archives`` are those that have bulk files, by the venue whose they are.
    """

    database: Database
    providers: Mapping[str, Provider]
    series: Sequence[CandleSeries]
    since: datetime
    observed: Sequence[ObservedSeries] = ()
    trusted: Mapping[str, Sequence[Provider]] = field(default_factory=dict)
    archives: Mapping[str, Provider] = field(default_factory=dict)
    retention: Mapping[str, int] = field(default_factory=dict)
    """For how many days rows are kept, by dataset; for ever where a dataset is not named."""
    archive_directory: Path | None = None
    """Where files are put until they are stored; None is a temporary one."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """How a pause passes: retries and rate limits wait by it."""

    @property
    def ledger(self) -> Ledger:
        """The coverage ledger of its database."""
        return Ledger(self.database)

    @property
    def venues(self) -> list[str]:
        """Each venue once, in alphabetical order."""
        return sorted({one.venue for one in self.series})

    def register(self, now: datetime, dataset: Dataset = OHLC) -> dict[str, int]:
        """Have the ledger expect exactly these series, of what is wanted and kept; ids by name."""
        keeping = self.keeping(dataset, now)
        since = max(self.since, keeping.edge) if keeping else self.since
        return register(self.database, dataset, self.series_of(dataset), since, now)

    def keeping(self, dataset: Dataset, now: datetime) -> Keeping | None:
        """What of a dataset has its time behind it; None where all is kept for ever.

        Of candles those that are longer than what is collected stay: they are few.
        """
        if dataset.name not in self.retention:
            return None
        longest = max((one.interval.step for one in self.series), default=None)
        days = self.retention[dataset.name]
        return Keeping(dataset, kept_from(now, days), days, longest if dataset == OHLC else None)

    def series_of(self, dataset: Dataset) -> Sequence[Series]:
        """The series of a dataset that are collected."""
        if dataset == OHLC:
            return self.series
        return [one for one in self.observed if one.dataset == dataset.name]

    def provider(self, venue: str) -> Provider:
        """Who serves a venue; a UsageError names the venue that nobody does."""
        if venue not in self.providers:
            msg = f"no provider serves {venue}: it is disabled or unknown"
            raise UsageError(msg)
        return self.providers[venue]
