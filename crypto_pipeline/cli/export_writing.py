"""Writes what an export reads, piece by piece: one table, or a market of FreqTrade's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from crypto_pipeline.cli.progress import Bar
from crypto_pipeline.ingestion.ingest import Progress
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.exporting import Column, Completeness, Extract, Snapshot

if TYPE_CHECKING:
    from crypto_pipeline.frames.tables import TableFile

FREQTRADE = ("open_time", "open", "high", "low", "close", "volume", "is_complete")
"""What FreqTrade has of candles, and whether they are whole."""


class FileFormat(StrEnum):
    """What kind of file is written."""

    PARQUET = "parquet"
    CSV = "csv"
    FEATHER = "feather"
    FREQTRADE = "freqtrade"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is exported, in which form."""

    dataset: Dataset
    window: Window
    form: FileFormat
    made_at: datetime
    as_float: bool = False


@dataclass(slots=True)
class Steps:
    """Moves the bar: pieces done of those planned, rows, and megabytes as far as they can be foretold."""

    shown: Bar
    planned: int
    done: int = 0
    rows: int = 0
    bytes_before: int = 0

    def add(self, rows: int, bytes_now: int) -> None:
        """Another piece is written, and the file has so many bytes."""
        self.done, self.rows = self.done + 1, self.rows + rows
        size = self.bytes_before + bytes_now
        foretold = size * self.planned // self.done
        self.shown.update(
            Progress(self.done, self.planned, self.rows, bytes_done=size, bytes_planned=foretold)
        )


@dataclass(frozen=True)
class Export:
    """Some series of a snapshot, to be written to a file."""

    taken: Snapshot
    asked: Asked
    found: Sequence[Extract]
    left_out: list[int] = field(default_factory=list)
    """How many candles of FreqTrade's files were not whole."""

    @cached_property
    def held(self) -> Completeness:
        """What the ledger says of it."""
        return self.taken.completeness(self.found, self.asked.window)

    @property
    def pieces(self) -> int:
        """How many steps it takes."""
        return sum(len(one.pieces(self.asked.window)) for one in self.found)

    def write(self, file: BinaryIO, steps: Steps) -> None:
        """Write all of it."""
        columns = self.taken.columns(self.found[0], self.asked.window)
        table = self._table(columns, file)
        self._fill(table, columns, file, steps)

    def write_freqtrade(self, file: BinaryIO, steps: Steps) -> None:
        """Write it as FreqTrade keeps a market."""
        from crypto_pipeline.frames.freqtrade import FreqtradeFile

        known = {one.name: one for one in self.taken.columns(self.found[0], self.asked.window)}
        table = FreqtradeFile(file, self._about)
        before = steps.rows
        self._fill(table, [known[name] for name in FREQTRADE if name in known], file, steps)
        steps.rows = before + table.rows
        self.left_out.append(table.left_out)

    def _fill(
        self, table: "TableFile", columns: Sequence[Column], file: BinaryIO, steps: Steps
    ) -> None:
        written = 0
        for extract in self.found:
            for window in extract.pieces(self.asked.window):
                piece = self.taken.piece(extract, columns, window)
                table.add(piece.text)
                written += len(piece.text)
                steps.add(piece.rows, file.tell() if file.seekable() else written)
        table.close()

    def _table(self, columns: Sequence[Column], file: BinaryIO) -> "TableFile":
        from crypto_pipeline.frames.tables import ArrowFile, CsvFile, schema_of

        if self.asked.form is FileFormat.CSV:
            return CsvFile(file, [one.name for one in columns])
        exact = not self.asked.as_float
        scales = self.taken.scales(self.found, columns, self.asked.window) if exact else None
        schema = schema_of(columns, scales, self._about)
        made = ArrowFile.parquet if self.asked.form is FileFormat.PARQUET else ArrowFile.feather
        return made(file, schema)

    @property
    def _about(self) -> Mapping[str, object]:
        """What a file says of itself."""
        asked = self.asked
        return {
            "dataset": asked.dataset.name,
            "series": [name for one in self.found if (name := one.name)],
            "start": asked.window.start.isoformat(),
            "end": asked.window.end.isoformat(),
            "made_at": asked.made_at.isoformat(timespec="seconds"),
            **{f"slots_{key}": value for key, value in self.held._asdict().items()},
        }
