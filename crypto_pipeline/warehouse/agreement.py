"""Stored prices beside the candles of their time, and the quarantine of those that are wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crypto_pipeline.market.agreement import NEARBY, TOLERANCE, Told
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.statements import statements

DOLLARS = ["USD", "USDT", "USDC"]
"""What candles are quoted in that can be held against a price in dollars."""
CROSS_CHECK = "cross_check"
"""The load that replaces a quarantined row, with nothing."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A stored price that lies apart from a candle of its time; ``row`` tells which stored row it is."""

    row: tuple[int, datetime, int]
    asset: str
    kept: Told
    candles: tuple[Told, ...]

    @property
    def slot(self) -> datetime:
        """The slot it is the price of."""
        return self.row[1]

    @property
    def prices(self) -> tuple[Told, ...]:
        """All that is known of the slot, the stored price first."""
        return self.kept, *self.candles


@dataclass(frozen=True, slots=True)
class Compared:
    """How many stored prices have a candle to be compared with, and those that differ from one."""

    slots: int
    doubts: list[Doubt]


def compared(database: Database, window: Window) -> Compared:
    """Hold each stored price of a window against the candles that closed just before it was seen."""
    parameters = {
        "start": window.start,
        "end": window.end,
        "dollars": DOLLARS,
        "tolerance": TOLERANCE,
        "nearby": NEARBY,
    }
    with database.connect(read_only=True) as connection:
        rows: list[Any] = connection.execute(
            statements("agreement")["compared"], parameters
        ).fetchall()
    return Compared(rows[0][0], [_doubt(row[1:]) for row in rows if row[1] is not None])


def quarantine(
    database: Database, reasons: Mapping[Doubt, str], run_id: str | None = None
) -> dict[Doubt, int]:
    """Set stored prices aside, each for its reason, in one transaction; how often that befell each slot.

    A row that was replaced since it was judged is left alone, and not among the answers.
    """
    if not reasons:
        return {}
    doubts = {one.row[:2]: one for one in reasons}
    series_ids, slots, load_ids = zip(*(one.row for one in reasons), strict=True)
    outliers = {
        "series_ids": list(series_ids),
        "slots": list(slots),
        "load_ids": list(load_ids),
        "reasons": list(reasons.values()),
        "source": CROSS_CHECK,
    }
    load = {"source": CROSS_CHECK, "run_id": run_id, "trust": 0}
    with database.connect() as connection, connection.transaction():
        lock = {"series_ids": sorted(set(series_ids))}
        connection.execute(statements("series")["lock_series"], lock)
        added: Any = connection.execute(statements("loads")["add_load"], load).fetchone()
        rows: list[Any] = connection.execute(
            statements("agreement")["quarantine"], outliers | {"load_id": added[0]}
        ).fetchall()
    return {doubts[series_id, slot]: times for series_id, slot, times in rows}


def _doubt(row: Sequence[Any]) -> Doubt:
    series_id, load_id, asset, slot, source, price, trust, venues, closes = row
    candles = tuple(Told(name, close) for name, close in zip(venues, closes, strict=True))
    return Doubt((series_id, slot, load_id), asset, Told(source, price, trust), candles)
