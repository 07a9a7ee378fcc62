"""What people ask of the warehouse: how long the server takes to answer, over ten million candles.

Five instruments' minutes, the oldest month packed. Times are the server's own, of the third run.
Run alone with ``python -m benchmarks.sql``.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.filling import SINCE, fill
from benchmarks.table import judge, show
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.packing import pack
from crypto_pipeline.warehouse.server import EmbeddedServer

ROWS = 10_000_000
OF_BTC = "venue = 'binance' and instrument = 'BTC-USDT' and interval = '1m'"
LAST = f"""
    select * from market.ohlc
    where {OF_BTC} and open_time >= %(day)s and open_time < %(until)s
    order by open_time desc limit 1000
"""  # noqa: S608
LAST_BETWEEN = f"""
    select * from market.ohlc_between(%(day)s, %(until)s)
    where {OF_BTC} order by open_time desc limit 1000
"""  # noqa: S608
MONTH = f"select * from market.ohlc_between(%(month)s, %(next_month)s) where {OF_BTC}"  # noqa: S608
PACKED_MONTH = f"select * from market.ohlc_between(%(first)s, %(second)s) where {OF_BTC}"  # noqa: S608
DAILY = f"""
    select
        (open_time at time zone 'utc')::date as day,
        (array_agg(open order by open_time))[1] as open,
        max(high) as high,
        min(low) as low,
        (array_agg(close order by open_time))[count(*)] as close,
        sum(volume) as volume
    from market.ohlc_between(%(year)s, %(until)s)
    where {OF_BTC}
    group by 1
"""  # noqa: S608
MART = """
    select * from marts.candles_1d
    where venue = 'binance' and instrument = 'BTC-USDT' and day >= %(year)s and day < %(until)s
"""
MADE = """
    create table marts.candles_1d as
    select series.venue, series.instrument, (made.open_time at time zone 'utc')::date as day, made.*
    from market.series
    cross join lateral market.candles(series.venue, series.instrument, '1d', '%s', '%s') as made
    where series.dataset = 'ohlc'
"""
QUERIES: Mapping[str, tuple[str, float | None]] = {
    "last 1,000 candles of a series, by ohlc_between": (LAST_BETWEEN, 3),
    "last 1,000 candles of a series, by ohlc": (LAST, None),
    "a month of minutes": (MONTH, 30),
    "a month of minutes, packed": (PACKED_MONTH, None),
    "a year of days from the mart": (MART, 10),
    "a year of days from minutes": (DAILY, 500),
}


def main() -> None:
    """Measure all, show all, and judge what has a limit."""
    with TemporaryDirectory() as directory:
        server = EmbeddedServer(Path(directory), 0)
        database = Database(server.start())
        upgrade(database)
        try:
            until = fill(database, ROWS)
            moments = {
                "until": until,
                "day": until - timedelta(minutes=1000),
                "month": until.replace(month=3, day=1, hour=0, minute=0),
                "next_month": until.replace(month=4, day=1, hour=0, minute=0),
                "year": until - timedelta(days=365),
                "first": SINCE,
                "second": SINCE + timedelta(days=31),
            }
            pack(database, date(2022, 2, 1))
            with database.connect() as connection:
                make_mart(connection, until)
                connection.execute("vacuum analyze")
                taken = {
                    told: milliseconds(connection, query, moments)
                    for told, (query, _) in QUERIES.items()
                }
        finally:
            server.stop()
    show(f"sql: {ROWS:,} candles", ("", "ms"), list(taken.items()))
    for told, (_, limit) in QUERIES.items():
        if limit:
            judge(told, taken[told], limit, "ms")


def milliseconds(connection: Connection, query: str, moments: Mapping[str, object]) -> float:
    """What the server takes to execute a query once it has been asked before."""
    found: list[Any] = []
    for _ in range(3):
        # The server plans with the values, as for somebody who writes them into the query.
        text = f"explain (analyze, timing off, format json) {_written(query, moments)}"
        found = connection.execute(text).fetchall()  # type: ignore[call-overload]
    return float(found[0][0][0]["Execution Time"])


def make_mart(connection: Connection, until: datetime) -> None:
    """The mart of daily candles, with what dbt has in it and its key."""
    connection.execute("create schema marts")
    connection.execute((MADE % (SINCE, until)).encode())
    connection.execute("alter table marts.candles_1d add primary key (venue, instrument, day)")


def _written(query: str, moments: Mapping[str, object]) -> str:
    return query % {name: f"'{moment}'" for name, moment in moments.items()}


if __name__ == "__main__":
    main()
