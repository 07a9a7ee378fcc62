"""What each venue lists, as it said last, and what changed from one list to the next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.statements import statements

GONE = "gone"
"""The status of an instrument that a venue listed once, and lists no more."""


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    """One instrument of a venue's list, in words."""

    instrument: str
    symbol: str
    status: str


def keep_instruments(
    database: Database, venue: str, listed: Iterable[InstrumentRow], now: datetime
) -> int:
    """Make this the venue's list; the number of changes against the one before. Safe to repeat."""
    sql = statements("instruments")
    parameters = {"venue": venue, "now": now}
    with database.connect() as connection, connection.transaction():
        connection.execute(sql["lock_venue"], parameters)
        connection.execute(sql["create_staging"])
        with connection.cursor().copy(sql["copy_staging"]) as copy:
            for row in listed:
                copy.write_row((row.instrument, row.symbol, row.status))
        changes = connection.execute(sql["note_changes"], parameters).rowcount
        connection.execute(sql["keep_list"], parameters)
        connection.execute(sql["mark_gone"], parameters)
    return changes


def instruments_read_at(database: Database, venue: str) -> datetime | None:
    """When the venue's list was read last; None if never."""
    with database.connect() as connection:
        row = connection.execute(statements("instruments")["read_at"], {"venue": venue}).fetchone()
    return row[0] if row else None  # type: ignore[return-value]


def statuses(database: Database, venue: str) -> dict[str, str]:
    """The status of each instrument that a venue ever listed."""
    with database.connect() as connection:
        rows = connection.execute(statements("instruments")["statuses"], {"venue": venue})
        return {str(instrument): str(status) for instrument, status in rows}
