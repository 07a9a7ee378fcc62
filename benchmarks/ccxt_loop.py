"""The peer of a REST backfill: a loop over ccxt's ``fetch_ohlcv`` whose pages pandas writes to Postgres.

It is what one writes in an afternoon: each page is stored when it has come, into a table with the
same key; no ledger, no checks, no revisions, and floats for decimals. Needs the extra ``bench``.
"""

import time
from datetime import datetime
from typing import Any

import ccxt
import pandas as pd
from sqlalchemy import create_engine, text

from crypto_pipeline.market.windows import Window

PAGE = 1000
MINUTE_MS = 60_000
COLUMNS = ("open_time", "open", "high", "low", "close", "volume")
TABLE = """
create table peer_ohlcv (
    pair text, open_time timestamptz, open float8, high float8, low float8, close float8,
    volume float8, primary key (pair, open_time)
)
"""


def rows_a_second(url: str, database_url: str, pair: str, window: Window) -> float:
    """Read the minutes of a window from a Binance at ``url`` into a table of the database."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        connection.execute(text(TABLE))
    exchange = _exchange(url)
    exchange.load_markets()
    first, end = _milliseconds(window.start), _milliseconds(window.end)
    since, began = first, time.perf_counter()
    while since < end:
        limit = min(PAGE, (end - since) // MINUTE_MS)
        frame = pd.DataFrame(
            exchange.fetch_ohlcv(pair, "1m", since=since, limit=limit), columns=COLUMNS
        )
        since = int(frame["open_time"].iloc[-1]) + MINUTE_MS
        frame["open_time"] = pd.to_datetime(frame["open_time"], unit="ms", utc=True)
        frame["pair"] = pair
        frame.to_sql("peer_ohlcv", engine, if_exists="append", index=False)
    seconds = time.perf_counter() - began
    engine.dispose()
    return (end - first) / MINUTE_MS / seconds


def _exchange(url: str) -> Any:
    exchange = ccxt.binance({"enableRateLimit": False, "options": {"fetchMarkets": ["spot"]}})
    exchange.urls["api"]["public"] = f"{url}/binance/api/v3"
    return exchange


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
