"""Stores rows of any dataset: rows, revisions and coverage commit together, or not at all."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from crypto_pipeline.frames.candles import Rejected
from crypto_pipeline.market.datasets import OHLC, Dataset
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import midnight
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.dataset_statements import row_statements
from crypto_pipeline.warehouse.holes import settle
from crypto_pipeline.warehouse.presence import presence
from crypto_pipeline.warehouse.statements import statements

_PARTITIONS_LOCK = 7_205_759_403
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
Row = tuple[Any, ...]


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
    """Valid rows of one series, in the order of its dataset's columns, and those that broke a promise."""

    series: Series
    rows: Sequence[Row]
    rejected: Sequence[Rejected] = ()


class Writer:
    """Writes batches through one connection; close it when done. One batch at a time."""

    def __init__(
        self,
        database: Database,
        series_ids: dict[str, int],
        run_id: str | None,
        now: datetime | None = None,
        dataset: Dataset = OHLC,
    ) -> None:
        self._dataset = dataset
        self._statements = row_statements(dataset)
        self._connection = database.opened()
        self._connection.execute(self._statements["create_staging"])
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
        rows = [part for part in batch if part.rows or part.rejected]
        if not rows:
            return Stored()
        self._ensure_months(row[0] for part in rows for row in part.rows)
        ids = sorted({self._id(part) for part in rows})
        covered = presence(
            (self._id(part), part.series.interval, self._settled(part)) for part in rows
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
            self._connection.execute(self._statements["forgive"], {"series_ids": ids})
        return Stored(inserted, updated, rejected)

    def _settled(self, part: SeriesRows) -> Iterator[datetime]:
        """When the rows are that can change no more: only these make their slots present."""
        provisional = self._dataset.is_provisional_at
        return (row[0] for row in part.rows if provisional is None or not row[provisional])

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
            statements("loads")["add_load"], {"run_id": self._run_id, **load}
        ).fetchone()
        assert row is not None
        load_id = int(str(row[0]))
        if is_new:
            with suppress(UniqueViolation), self._connection.transaction():
                return self._copy("copy_new", batch, load_id), 0
        self._copy("copy_staging", batch, load_id)
        replaced = self._connection.execute(self._statements["keep_revisions"], load).rowcount
        written = self._connection.execute(self._statements["upsert"], load).rowcount
        return written - replaced, replaced

    def _copy(self, statement: str, batch: Sequence[SeriesRows], load_id: int) -> int:
        """Send the rows as text, which Postgres reads faster than a driver can make binary decimals."""
        cursor = self._connection.cursor()
        with cursor.copy(self._statements[statement]) as copy:
            for part in batch:
                keys = f"{self._id(part)}\t{load_id}"
                copy.write("".join(_line(keys, row) for row in part.rows))
        return cursor.rowcount

    def _ensure_months(self, moments: Iterable[datetime]) -> None:
        months = {moment.date().replace(day=1) for moment in moments} - self._months
        if months:
            ensure_month_partitions(self._connection, months, self._dataset)
            self._months |= months

    def _reject(self, batch: Sequence[SeriesRows], source: str) -> int:
        names = [column.name for column in self._dataset.columns]
        refused = [(part.series, one) for part in batch for one in part.rejected]
        for series, one in refused:
            self._connection.execute(
                statements("loads")["reject"],
                {
                    "series_id": self._series_ids[series.name],
                    "slot": series.interval.floor(one.row[0]),
                    "row": Jsonb(dict(zip(names, one.row, strict=True)), dumps=_as_json),
                    "source": source,
                    "reason": one.reason,
                },
            )
        return len(refused)


def _line(keys: str, row: Row) -> str:
    """A row in COPY's text form; numbers are written as the source printed them."""
    return "\t".join([keys, *[_FORMS[type(value)](value) for value in row]]) + "\n"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _null(_: object) -> str:
    return "\\N"


_FORMS: Mapping[type, Callable[[Any], str]] = {
    Decimal: str,
    int: str,
    bool: str,
    datetime: datetime.isoformat,
    str: _escaped,
    type(None): _null,
}


def ensure_month_partitions(
    connection: Connection, months: Iterable[date], dataset: Dataset = OHLC
) -> None:
    """Make the month partitions that are not there yet; concurrent callers take turns."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_PARTITIONS_LOCK,))
        for month in sorted(months):
            connection.execute(_partition(month, dataset))


def _partition(month: date, dataset: Dataset) -> sql.Composed:
    following = (month + timedelta(days=32)).replace(day=1)
    return sql.SQL(
        "create table if not exists {name} partition of {table} "
        "for values from ({start}) to ({end})"
    ).format(
        name=sql.Identifier("warehouse", f"{dataset.name}_{month:%Y_%m}"),
        table=sql.Identifier("warehouse", dataset.name),
        start=sql.Literal(midnight(month).isoformat()),
        end=sql.Literal(midnight(following).isoformat()),
    )


def _as_json(value: object) -> str:
    return json.dumps(value, default=str)
