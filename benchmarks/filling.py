"""Fills a warehouse with candles that look like the market's, as fast as it takes them.

They are the synthetic market's, with its prices' and amounts' decimals; only quote volume is moved
off the volume times a mean price that it is there, for a real one is not so tidy.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.sandbox.listings import E8, LISTINGS
from crypto_pipeline.sandbox.tape import Tape
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.copy_stream import HEADER, TRAILER, candle_stream
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.statements import statements
from crypto_pipeline.warehouse.writer import ensure_month_partitions

INSTRUMENTS = ("BTC-USDT", "ETH-USDT", "BNB-USDT", "SOL-USDT", "XRP-USDT")
SERIES = tuple(
    CandleSeries("binance", Instrument.parse(name), Interval.parse("1m")) for name in INSTRUMENTS
)
SINCE = datetime(2022, 1, 1, tzinfo=UTC)
MINUTE, MINUTE_US = timedelta(minutes=1), 60_000_000
COPY = (
    "copy warehouse.ohlc (series_id, load_id, open_time, open, high, low, close, volume, "
    "quote_volume, trade_count) from stdin (format binary)"
)
Ints = npt.NDArray[np.int64]


def fill(
    database: Database, rows: int, since: datetime = SINCE, names: Sequence[CandleSeries] = SERIES
) -> datetime:
    """Store so many candles in all, each series the same minutes, in the order of time; where they end.

    The ledger knows of them, as after a cold start.
    """
    minutes = rows // len(names)
    until = since + minutes * MINUTE
    ids = register(database, OHLC, names, min(since, SINCE), until)
    with database.connect() as connection:
        load = {"source": "binance", "run_id": None, "trust": 0}
        added = connection.execute(statements("loads")["add_load"], load).fetchone()
        assert added is not None
        for start, stop in months(since, until):
            ensure_month_partitions(connection, [start.date().replace(day=1)])
            for one in names:
                block = candles(one, start, (stop - start) // MINUTE)
                copy_in(connection, block, ids[one.name], int(str(added[0])))
        note_all(connection)
    return until


def copy_in(connection: Connection, block: CandleBlock, series_id: int, load_id: int) -> None:
    """Store a block in a transaction of its own."""
    with connection.cursor().copy(COPY) as copy:
        for part in (HEADER, *candle_stream(block, series_id, load_id), TRAILER):
            copy.write(part)


def candles(series: CandleSeries, start: datetime, count: int) -> CandleBlock:
    """So many minutes of one instrument, as a venue with eight decimals prints them."""
    listing = next(one for one in LISTINGS if f"{one.base}-{one.quote}" == str(series.instrument))
    first = int(start.timestamp()) // 60
    made = Tape(listing, 7).minutes(first, first + count)
    price, amount = listing.tick, listing.step
    # The mean price of a minute's trades lies anywhere between its bodies.
    random = np.random.default_rng(first + listing.tick)
    spread = (made.high - made.low) * random.normal(0, 0.15, count)
    quote = made.quote + (made.volume * spread).astype(np.int64)
    values = [
        *(one * price for one in (made.open, made.high, made.low, made.close)),
        made.volume * amount,
        quote * (price * amount // E8),
    ]
    digits = np.stack([_grouped(one) for one in values])
    scales = np.full((6, count), 8, np.uint8)
    times = (first + np.arange(count)) * MINUTE_US
    return CandleBlock(times, digits, 4, scales, made.trades.astype(np.int32))


def months(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """A span of time cut at the first of each month."""
    while since < until:
        following = (since.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
        yield since, min(following, until)
        since = following


def note_all(connection: Connection) -> None:
    """Have the ledger hold present what it expects; all of it was stored."""
    connection.execute("update warehouse.coverage set present = expected where day < current_date")
    connection.execute("vacuum analyze warehouse.coverage")


def _grouped(numbers: Ints) -> npt.NDArray[np.uint16]:
    """Integers of 1e-8 as four groups of digits before the point and two after it."""
    groups = [
        numbers // 10**power for power in (20 - 4 * place for place in range(6)) if power < 19
    ]
    head = [np.zeros_like(numbers)] * (6 - len(groups))
    return (np.stack([*head, *groups]) % 10_000).astype(np.uint16)
