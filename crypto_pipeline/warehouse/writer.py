"""Stores candles: rows, revisions and coverage commit together, or not at all."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from crypto_pipeline.frames.candles import Candle, Rejected
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import midnight
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.holes import settle
from crypto_pipeline.warehouse.presence import presence
from crypto_pipeline.warehouse.statements import statements

_PARTITIONS_LOCK = 7_205_759_403


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch changed: rows that are new, rows replaced by a differing answer, rows set aside."""

    inserted: int = 0
    updated: int = 0
    rejected: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        """Both together."""
        return Stored(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.rejected + other.rejected,
        )


@dataclass(frozen=True, slots=True)
class SeriesRows:
    """Valid rows of one series, and the ones that broke a promise."""

    series: CandleSeries
    candles: Sequence[Candle]
    rejected: Sequence[Rejected] = ()


class Writer:
    """Writes batches through one connection; close it when done. One batch at a time."""

    def __init__(
        self,
        database: Database,
        series_ids: dict[str, int],
        run_id: str | None,
        now: datetime | None = None,
    ) -> None:
        self._connection = database.opened()
        self._connection.execute(statements("ohlc")["create_staging"])
        self._series_ids = series_ids
        self._run_id = run_id
        self._now = now or datetime.now(UTC)
        self._months: set[date] = set()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def store(self, batch: Iterable[SeriesRows], source: str, trust: int = 0) -> Stored:
        """Store a batch in one transaction. Storing it again changes nothing.

        ``trust`` is 0 for the venue itself; a greater number never replaces a smaller one's rows.
        """
        rows = [part for part in batch if part.candles or part.rejected]
        if not rows:
            return Stored()
        self._ensure_months(candle.open_time for part in rows for candle in part.candles)
        ids = sorted({self._id(part) for part in rows})
        covered = presence(
            (self._id(part), part.series.interval, (one.open_time for one in part.candles))
            for part in rows
        )
        with self._connection.transaction():
            self._connection.execute(statements("series")["lock_series"], {"series_ids": ids})
            known = self._connection.execute(statements("coverage")["known"], covered).fetchone()
            assert known is not None
            has_rows, has_holes = known
            load = {"source": source, "trust": trust}
            inserted, updated = self._write(rows, load, is_new=not has_rows)
            self._connection.execute(statements("coverage")["mark_present"], covered)
            if has_holes:
                settle(self._connection, covered, self._now)
            rejected = self._reject(rows, source)
            self._connection.execute(statements("ohlc")["forgive"], {"series_ids": ids})
        return Stored(inserted, updated, rejected)

    def _id(self, part: SeriesRows) -> int:
        return self._series_ids[part.series.name]

    def _write(
        self, batch: Sequence[SeriesRows], load: Mapping[str, object], *, is_new: bool
    ) -> tuple[int, int]:
        """Write the rows; how many are new, and how many replaced a differing one.

        Where the ledger knows of no row, they go straight into the table, twice as fast. Rows that
        the ledger does not know of are found by the key, and the careful way is taken.
        """
        row = self._connection.execute(
            statements("ohlc")["add_load"], {"run_id": self._run_id, **load}
        ).fetchone()
        assert row is not None
        load_id = int(str(row[0]))
        if is_new:
            with suppress(UniqueViolation), self._connection.transaction():
                return self._copy("copy_new", batch, load_id), 0
        self._copy("copy_staging", batch, load_id)
        replaced = self._connection.execute(statements("ohlc")["keep_revisions"], load).rowcount
        written = self._connection.execute(statements("ohlc")["upsert"], load).rowcount
        return written - replaced, replaced

    def _copy(self, statement: str, batch: Sequence[SeriesRows], load_id: int) -> int:
        """Send the rows as text, which Postgres reads faster than a driver can make binary decimals."""
        cursor = self._connection.cursor()
        with cursor.copy(statements("ohlc")[statement]) as copy:
            for part in batch:
                keys = f"{self._id(part)}\t{load_id}"
                copy.write("".join(_line(keys, candle) for candle in part.candles))
        return cursor.rowcount

    def _ensure_months(self, moments: Iterable[datetime]) -> None:
        months = {moment.date().replace(day=1) for moment in moments} - self._months
        if months:
            ensure_month_partitions(self._connection, months)
            self._months |= months

    def _reject(self, batch: Sequence[SeriesRows], source: str) -> int:
        refused = [(part.series, one) for part in batch for one in part.rejected]
        for series, one in refused:
            self._connection.execute(
                statements("ohlc")["reject"],
                {
                    "series_id": self._series_ids[series.name],
                    "slot": series.interval.floor(one.candle.open_time),
                    "row": Jsonb(one.candle._asdict(), dumps=_as_json),
                    "source": source,
                    "reason": one.reason,
                },
            )
        return len(refused)


def _line(keys: str, candle: Candle) -> str:
    """A row in COPY's text form; numbers are written as the venue printed them."""
    opened, first, high, low, last, volume, quote_volume, trades = candle
    quote = "\\N" if quote_volume is None else quote_volume
    count = "\\N" if trades is None else trades
    return f"{keys}\t{opened.isoformat()}\t{first}\t{high}\t{low}\t{last}\t{volume}\t{quote}\t{count}\n"


def ensure_month_partitions(connection: Connection, months: Iterable[date]) -> None:
    """Make the month partitions that are not there yet; concurrent callers take turns."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_PARTITIONS_LOCK,))
        for month in sorted(months):
            connection.execute(_partition(month))


def _partition(month: date) -> sql.Composed:
    following = (month + timedelta(days=32)).replace(day=1)
    return sql.SQL(
        "create table if not exists {name} partition of warehouse.ohlc "
        "for values from ({start}) to ({end})"
    ).format(
        name=sql.Identifier("warehouse", f"ohlc_{month:%Y_%m}"),
        start=sql.Literal(midnight(month).isoformat()),
        end=sql.Literal(midnight(following).isoformat()),
    )


def _as_json(value: object) -> str:
    return json.dumps(value, default=str)
