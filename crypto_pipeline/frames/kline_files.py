"""Reads files of klines: zipped CSV, with or without a header, milliseconds or microseconds.

Where a file comes from, and whether it is the one that was published, is not this module's. A part
that is plain, as all are but a few, is read by ``kline_text`` as arrays; any other row by row.
"""

import csv
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, cast

import numpy as np
from isal import isal_zlib

from crypto_pipeline.errors import DamagedFile
from crypto_pipeline.frames.candle_block import CandleBlock, microseconds
from crypto_pipeline.frames.candles import Candle, Rejected, broken_promise
from crypto_pipeline.frames.kline_text import COLUMNS, plain_block
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window

PART_BYTES = 1_000_000
"""Text that is read at a time, some 7,000 candles: what is made of it stays in the processor's cache."""
MILLISECOND_DIGITS = 13
_HEADER = "open_time"
_INFLATE_ERROR = cast("type[Exception]", isal_zlib.IsalError)
_UNSOUND = (
    zipfile.BadZipFile,
    zlib.error,
    _INFLATE_ERROR,
    EOFError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class KlinePart:
    """A part of a file: valid candles of its window, in order, and rows that break a promise."""

    block: CandleBlock
    rejected: tuple[Rejected, ...] = ()


def kline_parts(path: Path, window: Window, name: str | None = None) -> Iterator[KlinePart]:
    """The candles of a zipped file, in parts; ``window`` is the month or day that the file is of.

    ``name`` is what messages call it, where it lies under another one.

    A DamagedFile says what is wrong and where: no zip or one that is corrupt, other columns, times
    that lie outside the window, so in another unit or of another month, or that go backwards.
    """
    name = name or path.name
    reader = _Reader(name, window)
    with _told(name), zipfile.ZipFile(path) as archive:
        members = archive.namelist()
        if len(members) != 1 or not members[0].endswith(".csv"):
            msg = f"{name} holds {', '.join(members) or 'nothing'} instead of one CSV file"
            raise DamagedFile(msg)
        with archive.open(members[0]) as text:
            if archive.getinfo(members[0]).compress_type == zipfile.ZIP_DEFLATED:
                # Three times as fast as what it takes the place of, which would do as well.
                text._decompressor = isal_zlib.decompressobj(-zlib.MAX_WBITS)  # type: ignore[attr-defined]  # noqa: SLF001
            for lines in _whole_lines(text):
                yield reader.read(lines)


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except _UNSOUND as error:
        msg = f"{name} is no sound zip file: {error}"
        raise DamagedFile(msg) from error


def _whole_lines(text: IO[bytes]) -> Iterator[bytes]:
    """The text in parts that end with a line."""
    rest = b""
    while chunk := text.read(PART_BYTES):
        held = rest + chunk
        end = held.rfind(b"\n") + 1
        if end:
            yield held[:end]
        rest = held[end:]
    if rest:
        yield rest + b"\n"


@dataclass(slots=True)
class _Reader:
    """Reads one file's parts in turn, and knows how far it has come."""

    name: str
    window: Window
    line: int = 0
    newest: int = -1

    def read(self, lines: bytes) -> KlinePart:
        """The next part."""
        if self.line == 0 and not lines[:1].isdigit():
            lines = self._without_header(lines)
        if b"\r" in lines:
            lines = lines.replace(b"\r\n", b"\n")
        block = plain_block(lines)
        part = self._row_by_row(lines) if block is None else _judged(block)
        self.line += lines.count(b"\n") if block is None else len(block)
        if len(part.block):
            self._require_place(part.block)
            self.newest = int(part.block.open_times[-1])
        return part

    def _without_header(self, lines: bytes) -> bytes:
        header, _, rest = lines.partition(b"\n")
        if not header.startswith(_HEADER.encode()):
            msg = f"{self.name} begins with {header[:40]!r} instead of candles or their header"
            raise DamagedFile(msg)
        self.line = 1
        return rest

    def _require_place(self, block: CandleBlock) -> None:
        """Times that lie in the file's window, and go on from the part before."""
        first, last = int(block.open_times[0]), int(block.open_times[-1])
        if first < microseconds(self.window.start) or last >= microseconds(self.window.end):
            msg = (
                f"{self.name} has candles from {_told_time(first)} to {_told_time(last)}, which are "
                f"not of {self.window.start:%Y-%m-%d} to {self.window.end:%Y-%m-%d}"
            )
            raise DamagedFile(msg)
        if first <= self.newest or (np.diff(block.open_times) <= 0).any():
            msg = f"{self.name} has candles that are not in the order of time"
            raise DamagedFile(msg)

    def _row_by_row(self, lines: bytes) -> KlinePart:
        """What is not plain: each row for itself, so that the wrong one is known."""
        candles: list[Candle] = []
        rejected: list[Rejected] = []
        rows = csv.reader(lines.decode("utf-8", "replace").splitlines())
        for number, row in enumerate(rows, self.line + 1):
            candle = self._candle(row, number)
            reason = broken_promise(candle)
            if reason is None:
                candles.append(candle)
            else:
                rejected.append(Rejected(candle, reason))
        return KlinePart(CandleBlock.of(candles), tuple(rejected))

    def _candle(self, row: Sequence[str], number: int) -> Candle:
        if len(row) != COLUMNS:
            msg = f"{self.name} line {number} has {len(row)} columns instead of {COLUMNS}"
            raise DamagedFile(msg)
        try:
            values = [Decimal(row[at]) for at in (1, 2, 3, 4, 5, 7)]
            return Candle._make((_open_time(row[0]), *values, int(row[8])))
        except (ValueError, OverflowError, InvalidOperation):
            msg = f"{self.name} line {number} has something that is no number: {row[:9]}"
            raise DamagedFile(msg) from None


def _judged(block: CandleBlock) -> KlinePart:
    kept, rejected = block.validated()
    return KlinePart(kept, tuple(rejected))


def _open_time(text: str) -> datetime:
    unit = 1000 if len(text) <= MILLISECOND_DIGITS else 1
    return EPOCH + timedelta(microseconds=int(text) * unit)


def _told_time(number: int) -> str:
    try:
        return f"{EPOCH + timedelta(microseconds=number):%Y-%m-%d %H:%M}"
    except OverflowError:
        return "beyond all time"
