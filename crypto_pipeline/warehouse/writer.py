"""Stores rows of any dataset: rows, revisions and coverage commit together, or not at all."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Rejected
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC, Dataset
from crypto_pipeline.market.holes import runs_by_day
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.copy_stream import HEADER, TRAILER, candle_stream
from crypto_pipeline.warehouse.copy_text import text_lines
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.dataset_statements import row_statements
from crypto_pipeline.warehouse.holes import settle
from crypto_pipeline.warehouse.packing import unpack
from crypto_pipeline.warehouse.presence import Opened, presence
from crypto_pipeline.warehouse.spans import multirange
from crypto_pipeline.warehouse.statements import statements

_PARTITIONS_LOCK = 7_205_759_403
MANY = 2000
"""Rows from which on it pays to set the unchanged ones aside all at once."""
_BINARY = {"copy_new": "copy_new_binary", "copy_staging": "copy_staging_binary"}
Row = tuple[Any, ...]
Slots = Mapping[str, list[Any]]
"""Slots by series and day, as lists side by side: ``series_ids``, ``days``, ``slots``."""


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
    """Valid rows of one series, in the order of its dataset's columns, and those that broke a promise.

    Many candles can come as a block; the parts of one batch are all of one kind.
    """

    series: Series
    rows: Sequence[Row] | CandleBlock
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

    def make_months(self, days: Iterable[date]) -> None:
        """Make the partitions that rows of these days go into; all at once is quicker than each in turn."""
        months = {day.replace(day=1) for day in days} - self._months
        if months:
            ensure_month_partitions(self._connection, months, self._dataset)
            self._months |= months

    def store(self, batch: Iterable[SeriesRows], source: str, trust: int = 0) -> Stored:
        """Store a batch in one transaction. Storing it again changes nothing.

        ``trust`` is 0 for the venue itself; a greater number never replaces a smaller one's rows.
        """
        parts = [part for part in batch if len(part.rows) or part.rejected]
        if not parts:
            return Stored()
        self.make_months(day for part in parts for day in _days(part.rows))
        covered = presence(map(self._opened, parts))
        refused = [(self._id(part), one.row[0].date()) for part in parts for one in part.rejected]
        touched: Slots = {
            "series_ids": [*covered["series_ids"], *(series_id for series_id, _ in refused)],
            "days": [*covered["days"], *(day for _, day in refused)],
        }
        with self._connection.transaction():
            load = {"source": source, "trust": trust}
            return self._store(_Passing(parts, self._opened), covered, touched, load)

    def store_whole(
        self,
        parts: Iterable[SeriesRows],
        series: Series,
        slots: Runs,
        source: str,
        finish: Callable[[Connection, Stored], None] = lambda *_: None,
    ) -> Stored:
        """Store all parts of a file in one transaction: none of them, when reading any of them fails.

        No row lies in another slot. The parts are blocks, and are gone through a second time where
        there are rows that the ledger does not know of. ``finish`` is called in the same transaction.
        """
        by_day = list(runs_by_day(slots))
        days = [day for day, _ in by_day]
        # Made before, so that no reader of the table has to wait for the transaction.
        self.make_months(days)
        asked: Slots = {
            "series_ids": [self._series_ids[series.name]] * len(days),
            "days": days,
            "slots": [multirange(runs) for _, runs in by_day],
        }
        with self._connection.transaction():
            load = {"source": source, "trust": 0}
            stored = self._store(_Passing(parts, self._opened), asked, asked, load)
            finish(self._connection, stored)
        return stored

    def _store(
        self, passing: "_Passing", asked: Slots, touched: Slots, load: Mapping[str, object]
    ) -> Stored:
        """Rows, revisions and ledger in the caller's transaction; no row lies outside what is ``asked``."""
        ids = sorted(set(touched["series_ids"]))
        self._connection.execute(statements("series")["lock_series"], {"series_ids": ids})
        if self._dataset == OHLC:
            unpack(self._connection, touched)
        known = self._connection.execute(statements("coverage")["known"], asked).fetchone()
        assert known is not None
        has_rows, has_holes = known
        inserted, updated = self._write(passing, ids, load, is_new=not has_rows)
        covered = presence(passing.opened)
        self._connection.execute(statements("coverage")["mark_present"], covered)
        if has_holes:
            settle(self._connection, covered, self._now)
        rejected = self._reject(passing.rejected, load["source"])
        self._connection.execute(self._statements["forgive"], {"series_ids": ids})
        return Stored(inserted, updated, rejected)

    def _opened(self, part: SeriesRows) -> tuple[int, Interval, Opened]:
        """Whose rows open when that can change no more: only these make their slots present."""
        whose = self._id(part), part.series.interval
        if isinstance(part.rows, CandleBlock):
            return *whose, part.rows.open_times
        provisional = self._dataset.is_provisional_at
        settled = (row for row in part.rows if provisional is None or not row[provisional])
        return *whose, [row[0] for row in settled]

    def _id(self, part: SeriesRows) -> int:
        return self._series_ids[part.series.name]

    def _write(
        self, batch: "_Passing", ids: list[int], load: Mapping[str, object], *, is_new: bool
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
        self._connection.execute(self._statements["clear_staging"])
        staged = self._copy("copy_staging", batch, load_id)
        if staged >= MANY:
            self._connection.execute(self._statements["drop_unchanged"], {"series_ids": ids})
        replaced = self._connection.execute(self._statements["keep_revisions"], load).rowcount
        written = self._connection.execute(self._statements["upsert"], load).rowcount
        return written - replaced, replaced

    def _copy(self, statement: str, batch: "_Passing", load_id: int) -> int:
        """Send the rows, arrays as they are and others as text; how many."""
        if batch.are_blocks:
            return self._send(_BINARY[statement], self._binary(batch, load_id))
        return self._send(statement, self._text(batch, load_id))

    def _send(self, statement: str, chunks: Iterable[bytes | str]) -> int:
        cursor = self._connection.cursor()
        with cursor.copy(self._statements[statement]) as copy:
            for chunk in chunks:
                copy.write(chunk)
        return cursor.rowcount

    def _binary(self, batch: Iterable[SeriesRows], load_id: int) -> Iterator[bytes]:
        yield HEADER
        for part in batch:
            assert isinstance(part.rows, CandleBlock)
            yield from candle_stream(part.rows, self._id(part), load_id)
        yield TRAILER

    def _text(self, batch: Iterable[SeriesRows], load_id: int) -> Iterator[str]:
        for part in batch:
            yield text_lines(part.rows, self._id(part), load_id)

    def _reject(self, refused: Sequence[tuple[Series, Rejected]], source: object) -> int:
        names = [column.name for column in self._dataset.columns]
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


@dataclass(slots=True)
class _Passing:
    """Parts on their way into the table, all blocks or none, and what came by when they are through."""

    parts: Iterable[SeriesRows]
    told: Callable[[SeriesRows], tuple[int, Interval, Opened]]
    opened: list[tuple[int, Interval, Opened]] = field(default_factory=list)
    rejected: list[tuple[Series, Rejected]] = field(default_factory=list)

    @property
    def are_blocks(self) -> bool:
        """Whether they are arrays; those of a file, which are made as they are asked for, are."""
        if not isinstance(self.parts, list):
            return True
        return all(isinstance(part.rows, CandleBlock) for part in self.parts)

    def __iter__(self) -> Iterator[SeriesRows]:
        self.opened, self.rejected = [], []
        for part in self.parts:
            self.opened.append(self.told(part))
            self.rejected += ((part.series, one) for one in part.rejected)
            yield part


def _days(rows: Sequence[Row] | CandleBlock) -> Iterable[date]:
    return rows.days() if isinstance(rows, CandleBlock) else {row[0].date() for row in rows}


def ensure_month_partitions(
    connection: Connection, months: Iterable[date], dataset: Dataset = OHLC
) -> None:
    """Make the month partitions that are not there yet; concurrent callers take turns."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_PARTITIONS_LOCK,))
        for month in sorted(months):
            connection.execute(_partition(month, dataset))


def _partition(month: date, dataset: Dataset) -> sql.Composed:
    window = Window.of_month(month)
    return sql.SQL(
        "create table if not exists {name} partition of {table} "
        "for values from ({start}) to ({end})"
    ).format(
        name=sql.Identifier("warehouse", f"{dataset.name}_{month:%Y_%m}"),
        table=sql.Identifier("warehouse", dataset.name),
        start=sql.Literal(window.start.isoformat()),
        end=sql.Literal(window.end.isoformat()),
    )


def _as_json(value: object) -> str:
    return json.dumps(value, default=str)
