"""Candles as the bytes of a binary COPY, made from arrays; the order of columns is the writer's.

A block's rows are all of one length, so they are a table of 16-bit words whose columns are filled
one by one. Format: https://www.postgresql.org/docs/current/sql-copy.html, numeric_recv in numeric.c
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from crypto_pipeline.frames.candle_block import CandleBlock, microseconds

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
CHUNK_ROWS = 2048
"""Rows that are made at a time: few enough to stay in the processor's cache."""
_COLUMNS = 10
_EPOCH = microseconds(datetime(2000, 1, 1, tzinfo=UTC))

_Words = npt.NDArray[np.uint16]


def candle_stream(block: CandleBlock, series_id: int, load_id: int) -> Iterator[bytes]:
    """Rows of series_id, load_id, open_time, the six values and trade_count, without header and trailer."""
    form = _Form(block, series_id, load_id)
    for first in range(0, len(block), CHUNK_ROWS):
        yield form.rows(block.only(slice(first, first + CHUNK_ROWS)))


class _Form:
    """The row that all rows of a block are alike but for their numbers, and where those go."""

    def __init__(self, block: CandleBlock, series_id: int, load_id: int) -> None:
        self._spans = [_span(digits) for digits in block.digits]
        form = bytearray(struct.pack(">hihiii8x", _COLUMNS, 2, series_id, 4, load_id, 8))
        self._time = len(form) // 2 - 4
        self._values = []
        for span in self._spans:
            groups = span.stop - span.start
            weight = block.point - 1 - span.start
            form += struct.pack(">ihhhh", 8 + 2 * groups, groups, weight, 0, 0)
            self._values.append(len(form) // 2)
            form += bytes(2 * groups)
        form += struct.pack(">i4x", 4)
        self._form = np.frombuffer(bytes(form), np.uint16)
        self._table = np.tile(self._form, (min(len(block), CHUNK_ROWS), 1))

    def rows(self, block: CandleBlock) -> bytes:
        """The bytes of some of the rows."""
        table = self._table[: len(block)]
        table[:, self._time : self._time + 4] = _words(block.open_times - _EPOCH, ">i8")
        for at, span, digits, scales in zip(
            self._values, self._spans, block.digits, block.scales, strict=True
        ):
            table[:, at - 1] = scales.astype(">u2").view(np.uint16)
            for offset, group in enumerate(digits[span]):
                table[:, at + offset] = group.byteswap()
        table[:, -2:] = _words(block.trade_counts, ">i4")
        return table.tobytes()


def _span(digits: npt.NDArray[np.uint16]) -> slice:
    """From the first to the last group that is not zero in every row; zeros around are not stored."""
    used = np.flatnonzero([group.any() for group in digits])
    return slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)


def _words(numbers: npt.NDArray[np.signedinteger], form: str) -> _Words:
    """Integers as the words of their big-endian bytes, a row each."""
    return numbers.astype(form).view(np.uint16).reshape(len(numbers), -1)
