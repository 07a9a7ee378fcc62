"""What the warehouse holds and how its providers do, as one look; written by nobody here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crypto_pipeline.market.datasets import NEWS, Dataset
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.statements import statements


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """The slots of one active series as far as they are due; ``stuck`` are some of the missing."""

    dataset: str
    series: str
    expected: int
    present: int
    explained: int
    missing: int
    newest_slot: datetime | None
    newest_due: datetime
    stuck: int = 0

    @property
    def lag(self) -> timedelta | None:
        """How far the newest slot with a row is behind the newest due; None when there is no row."""
        if self.newest_slot is None:
            return None
        return max(self.newest_due - self.newest_slot, timedelta())


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """How one provider's requests went."""

    provider: str
    requests: int
    errors: int
    median_ms: int
    last_error: str | None
    last_error_at: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """The whole picture; ``rows`` is an estimate by dataset."""

    size_bytes: int
    rows: dict[str, int]
    series: list[SeriesStatus]
    providers: list[ProviderStatus]


def status(
    database: Database, datasets: list[Dataset], now: datetime, providers_since: datetime
) -> Status:
    """One look at everything."""
    sql = statements("status")
    with database.connect(read_only=True) as connection:
        size = connection.execute(sql["database_size"]).fetchone()
        rows = {}
        for one in datasets:
            table = "articles" if one == NEWS else one.name
            parameters = {"table": f"warehouse.{table}"}
            found = connection.execute(sql["row_estimate"], parameters).fetchone()
            rows[one.name] = int(str(found[0])) if found else 0
        series = connection.execute(sql["series"], {"now": now})
        fetches = connection.execute(sql["providers"], {"since": providers_since})
        return Status(
            size_bytes=int(str(size[0])) if size else 0,
            rows=rows,
            series=[SeriesStatus(*row) for row in series],  # type: ignore[arg-type]
            providers=[ProviderStatus(*row) for row in fetches],  # type: ignore[arg-type]
        )
