"""A warehouse with series in it, and what it holds, for tests to look at."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings

from crypto_pipeline.frames.candles import Candle, Rejected
from crypto_pipeline.market.coverage import Coverage, Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import CONFIRM_AFTER, SILENT_PAUSE, Attempt, Vain
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.calendar import listings, note_listings, register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.holes import account
from crypto_pipeline.warehouse.ledger import Ledger
from crypto_pipeline.warehouse.spans import runs_of
from crypto_pipeline.warehouse.writer import SeriesRows, Stored, Writer
from crypto_pipeline_tests.market.examples import series_of

SINCE = datetime(2024, 2, 28, tzinfo=UTC)
NOW = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC)
"""Two days and a half later, over a leap day and a month's end."""
ALL = Window(SINCE, NOW)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DUE = Window(SINCE, datetime(2024, 3, 1, 12, tzinfo=UTC))
"""All that is due at NOW of a series of minutes or hours."""
FEB_28, FEB_29, MARCH_1 = (date(2024, 2, 28) + number * DAY for number in range(3))
BTC, ETH = series_of(), series_of("ETH-USDT")
SILENT = Vain("TransientError", "no answer", SILENT_PAUSE)
UNANSWERED = Vain("Unanswered", "an answer without these slots")
EVIDENCE = {"provider": "binance", "row_before": "23:00", "row_after": "02:00"}
OUTAGE = Vain("Absent", "an answer without these slots", reason="venue_outage", evidence=EVIDENCE)
EMPTY = """
    delete from warehouse.ohlc;
    delete from warehouse.ohlc_revisions;
    delete from warehouse.holes;
    delete from warehouse.coverage;
    update warehouse.series set listed_at = null, delisted_at = null;
"""
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
    series: Sequence[CandleSeries]
    since: datetime = SINCE

    @property
    def ledger(self) -> Ledger:
        """Its ledger."""
        return Ledger(self.database)

    def register(self, now: datetime = NOW) -> dict[str, int]:
        """Have just these series expected; ids by name."""
        return register(self.database, OHLC, self.series, self.since, now)

    def since_then(self, since: datetime) -> "Warehouse":
        """The same, wanted since another time."""
        moved = replace(self, since=since)
        moved.register()
        return moved

    def listed(self, listed_at: datetime | None, delisted_at: datetime | None = None) -> None:
        """Take note of when the first series begins and ends."""
        (known,) = (
            one for one in listings(self.database, OHLC) if one.series == self.series[0].name
        )
        found = replace(known, listed_at=listed_at, delisted_at=delisted_at)
        note_listings(self.database, OHLC, [found], NOW)

    @contextmanager
    def writer(self, run_id: str | None = None, now: datetime | None = None) -> Iterator[Writer]:
        """A writer, closed at the end."""
        writer = Writer(self.database, self.register(), run_id, now)
        try:
            yield writer
        finally:
            writer.close()

    def store(
        self,
        *candles: Candle,
        rejected: Sequence[Rejected] = (),
        source: str = "binance",
        trust: int = 0,
    ) -> Stored:
        """Store rows of the first series in one transaction."""
        with self.writer() as writer:
            return writer.store([SeriesRows(self.series[0], candles, rejected)], source, trust)

    def ask_in_vain(self, slots: Window | Runs, now: datetime = NOW, vain: Vain = SILENT) -> None:
        """Account for a request for slots of the first series that came to nothing."""
        asked = Runs((slots,)) if isinstance(slots, Window) else slots
        parts = [(run, vain) for run in asked]
        account(self.database, OHLC, {self.series[0].name: [Attempt(asked, vain, parts)]}, now)

    def prove_absent(self, slots: Window | Runs, now: datetime = NOW) -> datetime:
        """Have two answers say that slots never were; the time of the second one."""
        self.ask_in_vain(slots, now, OUTAGE)
        self.ask_in_vain(slots, now + CONFIRM_AFTER, OUTAGE)
        return now + CONFIRM_AFTER

    def rows(self, series: CandleSeries | None = None) -> list[Row]:
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

    def days(self) -> dict[date, Coverage]:
        """What the ledger says of each day of the first series, where it says anything."""
        found = {}
        for name, day, *spans in self.coverage():
            expected, present, explained, missing = map(runs_of, spans)
            held = Coverage(expected, present, explained)
            assert held.missing == missing
            if name == self.series[0].name and held != Coverage(Runs()):
                found[day] = held
        return found

    def select(self, statement: str, *parameters: object) -> list[Row]:
        """What a query answers."""
        with self.database.connect() as connection:
            return connection.execute(statement, parameters).fetchall()

    def execute(self, statement: str, *parameters: object) -> None:
        """Do something to it behind its back."""
        with self.database.connect() as connection:
            connection.execute(statement, parameters)


def hourly(database: Database, *instruments: str, since: datetime = SINCE) -> Warehouse:
    """CandleSeries of hours, of which a day holds few."""
    series = [series_of(name, "1h") for name in instruments or ("BTC-USDT",)]
    warehouse = Warehouse(database, series, since)
    warehouse.register()
    return warehouse


def runs(*spans: tuple[datetime, datetime]) -> Runs:
    """Runs by their ends."""
    return Runs.of(Window(start, end) for start, end in spans)


def hours(first: int, last: int, start: datetime = SINCE) -> Window:
    """The window of the hours ``first`` up to and without ``last`` after a start."""
    return Window(start + first * HOUR, start + last * HOUR)


def minutes_after(start: datetime, *numbers: int) -> list[datetime]:
    """Instants so many minutes after a start."""
    return [start + timedelta(minutes=number) for number in numbers]


def as_rows(candles: Sequence[Candle]) -> list[Row]:
    """Candles as ``Warehouse.rows`` gives them."""
    return [(row.open_time, *map(_printed, row[1:7]), row.trade_count) for row in sorted(candles)]


def _printed(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")
