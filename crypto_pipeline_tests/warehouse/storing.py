"""A warehouse with series in it, and what it holds, for tests to look at."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings

from crypto_pipeline.frames.candles import Candle, Rejected
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.ledger import Ledger
from crypto_pipeline.warehouse.writer import SeriesRows, Stored, Writer

SINCE = datetime(2024, 2, 28, tzinfo=UTC)
NOW = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC)
"""Two days and a half later, over a leap day and a month's end."""
ALL = Window(SINCE, NOW)
Row = tuple[Any, ...]
over_postgres = settings(
    deadline=None,
    max_examples=25,
    # Examples share the test's database; each looks only at what it has put there.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Warehouse:
    """A database in which some series are registered."""

    database: Database
    series: Sequence[Series]
    since: datetime = SINCE

    @property
    def ledger(self) -> Ledger:
        """Its ledger."""
        return Ledger(self.database)

    def register(self, now: datetime = NOW) -> dict[str, int]:
        """Have just these series expected; ids by name."""
        return self.ledger.register(OHLC, self.series, self.since, now)

    @contextmanager
    def writer(self, run_id: str | None = None) -> Iterator[Writer]:
        """A writer, closed at the end."""
        writer = Writer(self.database, self.register(), run_id)
        try:
            yield writer
        finally:
            writer.close()

    def store(
        self, *candles: Candle, rejected: Sequence[Rejected] = (), source: str = "binance"
    ) -> Stored:
        """Store rows of the first series in one transaction."""
        with self.writer() as writer:
            return writer.store([SeriesRows(self.series[0], candles, rejected)], source)

    def rows(self, series: Series | None = None) -> list[Row]:
        """All candles of a series as they are stored, numbers as text."""
        name = (series or self.series[0]).name
        return self.select(
            """
            select open_time, open::text, high::text, low::text, close::text, volume::text,
                quote_volume::text, trade_count
            from warehouse.ohlc join warehouse.series using (series_id)
            where name = %s
            order by open_time
            """,
            name,
        )

    def missing(self, window: Window = ALL, now: datetime = NOW) -> Runs:
        """What the first series lacks."""
        return self.ledger.missing(OHLC, window, now).get(self.series[0].name, Runs())

    def coverage(self) -> list[Row]:
        """The ledger as it stands."""
        return self.select(
            """
            select name, day, expected, present, explained, missing
            from warehouse.coverage join warehouse.series using (series_id)
            order by name, day
            """
        )

    def select(self, statement: str, *parameters: object) -> list[Row]:
        """What a query answers."""
        with self.database.connect() as connection:
            return connection.execute(statement, parameters).fetchall()

    def execute(self, statement: str, *parameters: object) -> None:
        """Do something to it behind its back."""
        with self.database.connect() as connection:
            connection.execute(statement, parameters)


def minutes_after(start: datetime, *numbers: int) -> list[datetime]:
    """Instants so many minutes after a start."""
    return [start + timedelta(minutes=number) for number in numbers]


def as_rows(candles: Sequence[Candle]) -> list[Row]:
    """Candles as ``Warehouse.rows`` gives them."""
    return [(row.open_time, *map(_printed, row[1:7]), row.trade_count) for row in sorted(candles)]


def _printed(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")
