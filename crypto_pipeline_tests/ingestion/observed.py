"""A line whose observed datasets are asked for at a sandbox, at an instant of the test's choice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crypto_pipeline.ingestion.ingest import Ingested, ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import FIVE_MINUTES, MARKET_PRICES, Dataset
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.trust import TRUSTED
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.warehouse.database import Database

NOON = datetime(2026, 3, 2, 12, 0, 3, tzinfo=UTC)
"""Three seconds after a slot began, as a schedule's run comes."""
SLOT = FIVE_MINUTES.step
ASSETS = ("bitcoin", "ethereum")
Row = tuple[Any, ...]


@dataclass
class Observatory:
    """A line, its sandbox, and the time of both."""

    database: Database
    sandbox: Sandbox
    dataset: Dataset
    series: Sequence[ObservedSeries]
    since: datetime
    names: Sequence[str]
    now: datetime = NOON
    weight_per_minute: int = 1_000_000

    @property
    def line(self) -> Line:
        """The line over the named providers, the most trusted first."""
        providers = [self._at_sandbox(name) for name in self.names]
        return Line(
            self.database,
            {},
            (),
            self.since,
            self.series,
            {self.dataset.name: [one for one in providers if not one.needs_key]},
            sleep=self._sleep,
        )

    def run(self, window: Window | None = None, **options: Any) -> Ingested:
        """Ingest a window, today if none is named."""
        today = midnight(self.now.date())
        asked = window or Window(today, today + DAY)
        return ingest(self.line, asked, now=self.now, dataset=self.dataset, **options)

    def tick(self) -> Ingested:
        """What a schedule's run does."""
        return self.run(asking="patiently")

    def all(self, **options: Any) -> Ingested:
        """Ingest all there is."""
        return self.run(Window(self.since, midnight(self.now.date()) + DAY), **options)

    def rows(self, *columns: str) -> list[Row]:
        """The rows as people see them, oldest first."""
        shown, view = ", ".join(columns), f"market.{self.dataset.name}"
        return self.select(f"select {shown} from {view} order by slot, 1")  # noqa: S608

    def missing(self) -> int:
        """Due slots that are neither there nor explained."""
        window = Window(self.since, midnight(self.now.date()) + DAY)
        found = self.line.ledger.missing(self.dataset, window, self.now)
        return sum(
            found[one.name].slots(one.interval.step) for one in self.series if one.name in found
        )

    def select(self, statement: str) -> list[Row]:
        """What a query answers."""
        with self.database.connect() as connection:
            return connection.execute(statement).fetchall()

    def asked(self) -> list[str]:
        """The providers that were asked since the last time, in order."""
        paths = [one.path.split("/")[1] for one in self.sandbox.requests()]
        self.sandbox.clear_requests()
        return paths

    def _at_sandbox(self, name: str) -> Any:
        provider = PROVIDERS[name]
        limits = replace(provider.limits, weight_per_minute=self.weight_per_minute)
        return replace(provider, base_url=self.sandbox.base_url(name), mirrors=(), limits=limits)

    async def _sleep(self, _: float) -> None:
        """Pauses pass at once."""


@contextmanager
def observatory(
    database: Database,
    dataset: Dataset = MARKET_PRICES,
    series: Sequence[ObservedSeries] | None = None,
    since: datetime | None = None,
    names: Sequence[str] | None = None,
) -> Iterator[Observatory]:
    """One with a sandbox of its own, whose clock is the test's."""
    series = series or [ObservedSeries(dataset.name, name, FIVE_MINUTES) for name in ASSETS]
    made: list[Observatory] = []
    settings = SandboxSettings(weight_limit=None, clock=lambda: made[0].now if made else NOON)
    with running(settings) as sandbox:
        begin = since or NOON.replace(minute=0, second=0) - timedelta(hours=1)
        made.append(
            Observatory(database, sandbox, dataset, series, begin, names or TRUSTED[dataset.name])
        )
        yield made[0]
