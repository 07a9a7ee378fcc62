"""The ledger: how fast it finds what is missing, how little keeping it costs, how few requests heal.

Run alone with ``python -m benchmarks.ledger``; ``--small`` leaves out the ten years of history.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import dagster as dg

from benchmarks.rest_backfill import UNLIMITED, sandbox
from benchmarks.table import judge, show
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window, midnight
from crypto_pipeline.orchestration.build import Timetable, build_definitions
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.orchestration.sensors import choose
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.ledger import Ledger
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.presence import presence
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline.warehouse.statements import statements
from crypto_pipeline.warehouse.writer import SeriesRows, Writer

NOW = datetime(2026, 3, 5, 12, 7, tzinfo=UTC)
MINUTE, STEP = Interval.parse("1m"), timedelta(minutes=1)
MANY = tuple(
    CandleSeries("binance", Instrument(f"X{number:03}", "USDT"), MINUTE) for number in range(1000)
)
ONE = CandleSeries("binance", Instrument.parse("BTC-USDT"), MINUTE)
HOLES = 1000
MAX_DAYS = 31
TIMES = 15


def main() -> None:
    """Measure all, show all, and judge what has a limit."""
    years = (1,) if "--small" in sys.argv else (1, 10)
    scans = [scan(of) for of in years]
    seconds = [sensor_tick()]
    update, store, upkeep = keeping()
    requests, runs, healed = healing()
    show(
        "ledger",
        ("", "figure"),
        [
            *(
                (f"days to repair, 1,000 series x {of} year(s), ms", 1000 * one)
                for of, one in zip(years, scans, strict=True)
            ),
            ("sensor tick, 1,000 series x 3 years, s", *seconds),
            ("one update of a series and day, ms", 1000 * update),
            ("storing a full day of one series, ms", 1000 * store),
            ("  of it the ledger, ms", 1000 * upkeep),
            (f"{HOLES:,} isolated holes in a year: requests", requests),
            (f"{HOLES:,} isolated holes in a year: runs", runs),
            (f"{HOLES:,} isolated holes in a year: filled", healed),
        ],
    )
    judge("finding the days to repair", 1000 * scans[0], 50, "ms")
    if len(scans) > 1:
        judge("ten times the history is no slower", scans[1] / scans[0], 1.5, "times")
    judge("sensor tick", seconds[0], 2, "s")
    judge("one update", 1000 * update, 1, "ms")
    judge("the ledger's share of storing a day", 100 * upkeep / store, 10, "%")
    judge("requests for the holes", requests, HOLES + 1, "")
    judge("runs for the holes", runs, 20, "")


def scan(years: int) -> float:
    """Seconds to find the days to repair: 1,000 series, 1 % of the newest year incomplete."""
    with server() as database:
        fill_ledger(database, years * 365)
        ledger = Ledger(database)
        found = ledger.days_to_repair(OHLC, NOW, NOW, 10_000)
        if len(found) < 300:
            msg = f"only {len(found)} days were found"
            raise AssertionError(msg)
        return best(lambda: ledger.days_to_repair(OHLC, NOW, NOW, MAX_DAYS * 3))


def sensor_tick() -> float:
    """Seconds of a tick of the gap sensor over 1,000 series and three years."""
    with server() as database, dg.DagsterInstance.ephemeral() as instance:
        fill_ledger(database, 3 * 365)
        line = Line(database, {"binance": BINANCE}, MANY, NOW - 3 * 365 * DAY)
        pipeline = Pipeline(line, timedelta(minutes=11), now=lambda: NOW)
        timetable = Timetable(
            line.since.date(), "*/5 * * * *", "*/15 * * * *", "40 0 * * *", 30, MAX_DAYS
        )
        repository = build_definitions(timetable, lambda: pipeline).get_repository_def()
        with dg.build_sensor_context(
            instance,
            repository_def=repository,
            sensor_name="repair_ohlc_gaps",
            resources={"pipeline": pipeline},
        ) as context:
            began = time.perf_counter()
            repository.get_sensor_def("repair_ohlc_gaps").evaluate_tick(context)
            return time.perf_counter() - began


def keeping() -> tuple[float, float, float]:
    """Seconds of one update, of storing a day of one series, and of the ledger's part of that."""
    days = [NOW.date() - (2 + number) * DAY for number in range(200)]
    with server() as database:
        ids = register(database, OHLC, [ONE], NOW - 365 * DAY, NOW)
        writer = Writer(database, ids, None)
        stored = [timed(lambda day=day: writer.store([rows_of(day)], "binance")) for day in days]  # type: ignore[misc]
        with database.connect() as connection:
            kept = [kept_in(connection, ids[ONE.name], day) for day in days]
            updates = [one_update(connection, ids[ONE.name], day) for day in days]
        writer.close()
    return median(updates), median(stored), median(kept)


def kept_in(connection: Connection, series_id: int, day: date) -> float:
    """Seconds of all that a store does for the ledger, for a day that the ledger has not got.

    The transaction itself is the rows': they would be committed without a ledger too.
    """
    sql = statements("coverage")
    clear_day(connection, series_id, day)
    times = [candle.open_time for candle in rows_of(day).candles]

    def keep() -> None:
        covered = presence([(series_id, MINUTE, times)])
        connection.execute(statements("series")["lock_series"], {"series_ids": [series_id]})
        connection.execute(sql["known"], covered).fetchone()
        connection.execute(sql["mark_present"], covered)

    with connection.transaction():
        return timed(keep)


def one_update(connection: Connection, series_id: int, day: date) -> float:
    """Seconds to mark a day of a series as present, without the commit's wait for the disk."""
    covered = presence([(series_id, MINUTE, [midnight(day)])])
    clear_day(connection, series_id, day)
    with connection.transaction():
        return timed(lambda: connection.execute(statements("coverage")["mark_present"], covered))


def clear_day(connection: Connection, series_id: int, day: date) -> None:
    """Have the ledger forget the day's rows."""
    connection.execute(
        "update warehouse.coverage set present = '{}' where series_id = %s and day = %s",
        (series_id, day),
    )


def healing() -> tuple[int, int, int]:
    """Requests, runs and rows that a year with 1,000 one-minute holes takes to be whole again."""
    year = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    now = year.end + timedelta(seconds=30)
    with sandbox() as url, server() as database:
        limits = replace(BINANCE.limits, weight_per_minute=UNLIMITED)
        provider = replace(BINANCE, base_url=f"{url}/binance", mirrors=(), limits=limits)
        line = Line(database, {"binance": provider}, (ONE,), year.start)
        ingest(line, year, now=now)
        with database.connect() as connection:
            punch(connection, year)
        requests, filled, runs = 0, 0, 0
        while days := line.ledger.days_to_repair(OHLC, now, now, 10_000):
            runs += 1
            repair = choose(days, [], now.date(), MAX_DAYS)
            assert repair.older is not None
            first, last = repair.older
            window = Window(midnight(first), midnight(last) + DAY)
            done = ingest(line, window, now=now, asking="patiently")
            requests, filled = requests + done.requests, filled + done.stored.inserted
        return requests, runs, filled


def punch(connection: Connection, year: Window) -> None:
    """Take out single minutes at random, rows and ledger alike."""
    minutes = random.Random(7).sample(range(0, year.span // STEP, 2), HOLES)  # noqa: S311
    holes = [year.start + number * STEP for number in minutes]
    connection.execute("delete from warehouse.ohlc where open_time = any (%s)", (holes,))
    connection.execute(
        """
        update warehouse.coverage set present = present - punched.slots
        from (
            select at::date as day, range_agg(tstzrange(at, at + interval '1 minute')) as slots
            from unnest(%s::timestamptz[]) as hole (at)
            group by 1
        ) as punched
        where punched.day = coverage.day
        """,
        (holes,),
    )


def rows_of(day: date) -> SeriesRows:
    """A full day of made-up candles."""
    low, high = Decimal("68123.45"), Decimal("68198.7")
    price = Candle(
        midnight(day), low, high, low, high, Decimal("12.3456"), Decimal("841000.12"), 812
    )
    return SeriesRows(
        ONE, [price._replace(open_time=midnight(day) + number * STEP) for number in range(1440)]
    )


def fill_ledger(database: Database, days: int) -> None:
    """A thousand series, all there but for a hole on 1 % of the newest year's days."""
    register(database, OHLC, MANY, NOW - days * DAY, NOW)
    with database.connect() as connection:
        connection.execute(
            """
            update warehouse.coverage set present = case
                when (series_id * 31 + day - date '2020-01-01') %% 100 = 0 and day > %(newest)s
                then expected - tstzmultirange(
                    tstzrange(day + time '03:00', day + time '03:05')
                )
                else expected
            end
            where day <= %(today)s
            """,
            {"newest": (NOW - 365 * DAY).date(), "today": NOW.date()},
        )
        connection.execute("vacuum analyze warehouse.coverage")


def best(work: Callable[[], object]) -> float:
    """The median of many tries, in seconds."""
    return median(timed(work) for _ in range(TIMES))


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def server() -> Iterator[Database]:
    """An embedded Postgres with an empty warehouse, gone afterwards."""
    with TemporaryDirectory() as directory:
        one = EmbeddedServer(Path(directory), 0)
        database = Database(one.start())
        try:
            upgrade(database)
            yield database
        finally:
            one.stop()


if __name__ == "__main__":
    main()
