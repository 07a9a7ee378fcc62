"""Reads the text of many klines at once, by arithmetic on its bytes; exact, or not at all.

Eight digits are one 64-bit word, and two multiplications make it the two groups of four that a
block holds. Only plain text is read: twelve columns of unsigned decimals. Zip files, headers and
what is odd are ``kline_files``' concern.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import MOST_TRADES

COLUMNS = 12
VALUES = (1, 2, 3, 4, 5, 7)
"""The columns of open, high, low, close, volume and quote volume."""
TIME, TRADES = 0, 8
_MILLISECOND_DIGITS, _MICROSECOND_DIGITS = 13, 16
_WORD = 8
_BEFORE, _AFTER = 4, 2
"""Groups before and after the point that are read; numbers with more digits are not plain."""
_POWERS = 10_000 ** np.arange(_BEFORE - 1, -1, -1, dtype=np.int64)
_PAD = b"0" * 2 * _WORD
_COMMA, _DOT, _NEWLINE, _ZERO, _NINE = b",.\n09"

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


_Edges = tuple[Ints, Ints, Ints]


class _Field(NamedTuple):
    """A column: by line where its point is, and how many digits stand before and after it."""

    words: Words
    points: Ints
    whole: Ints
    rest: Ints


def plain_block(lines: bytes) -> CandleBlock | None:
    """The candles of whole lines; None when they hold anything but plain numbers."""
    fields = _fields(lines)
    if fields is None:
        return None
    times, trades, values = fields[TIME], fields[TRADES], [fields[column] for column in VALUES]
    if not (
        all(0 < one.whole.min() <= one.whole.max() <= 2 * _WORD for one in fields.values())
        and all(one.rest.max() <= _WORD for one in values)
        and not times.rest.any()
        and not trades.rest.any()
        and ((times.whole == _MILLISECOND_DIGITS) | (times.whole == _MICROSECOND_DIGITS)).all()
    ):
        return None
    counts = _number(trades)
    if counts.max() > MOST_TRADES:
        return None
    digits = np.empty((len(VALUES), _BEFORE + _AFTER, len(counts)), np.uint16)
    for value, out in zip(values, digits, strict=True):
        _write_whole(out, value)
        words = value.words[value.points + 1]
        out[_BEFORE], out[_BEFORE + 1] = _groups(_beginning(words, value.rest))
    return CandleBlock(
        _number(times) * np.where(times.whole == _MILLISECOND_DIGITS, 1000, 1),
        digits,
        _BEFORE,
        np.array([value.rest for value in values], np.uint8),
        counts.astype(np.int32),
    )


def _fields(lines: bytes) -> dict[int, _Field] | None:
    """The columns that are read; None when lines differ in number of them or hold other characters."""
    padded = _PAD + lines + _PAD
    text = np.frombuffer(padded, np.uint8)
    marks = np.flatnonzero(text < _ZERO)
    kinds = text[marks]
    if not len(marks) or (text > _NINE).any():
        return None
    # Every word of eight characters in the text, overlapping; nothing is copied.
    words = np.ndarray((len(padded) - _WORD + 1,), "<u8", padded, strides=(1,))
    found = _regular(marks, kinds) or _irregular(marks, kinds)
    return {one: _field(words, *found[one]) for one in (TIME, *VALUES, TRADES)} if found else None


def _field(words: Words, starts: Ints, points: Ints, ends: Ints) -> _Field:
    return _Field(words, points, points - starts, np.maximum(ends - points - 1, 0))


def _regular(marks: Ints, kinds: npt.NDArray[np.uint8]) -> list[_Edges] | None:
    """Where every line has its points in the same columns, as nearly all files have."""
    width = int(np.argmax(kinds == _NEWLINE)) + 1
    if len(marks) % width:
        return None
    lines, first = kinds.reshape(-1, width), kinds[:width]
    ends = np.flatnonzero(first != _DOT)
    if (lines != first).any() or not _is_line(first[ends]):
        return None
    by_mark = np.ascontiguousarray(marks.reshape(-1, width).T)
    starts = [np.concatenate(([len(_PAD)], by_mark[-1][:-1] + 1)), *(by_mark[ends[:-1]] + 1)]
    points = np.concatenate(([0], ends[:-1] + 1))
    if (ends - points > 1).any():
        return None
    return [(starts[at], by_mark[points[at]], by_mark[end]) for at, end in enumerate(ends)]


def _irregular(marks: Ints, kinds: npt.NDArray[np.uint8]) -> list[_Edges] | None:
    """Where some numbers are printed without a point."""
    is_point = kinds == _DOT
    edges, ends = marks[~is_point], kinds[~is_point]
    if len(edges) % COLUMNS or not all(
        _is_line(line) for line in np.unique(ends.reshape(-1, COLUMNS), axis=0)
    ):
        return None
    numbers = np.cumsum(~is_point)[is_point]
    if (np.diff(numbers) == 0).any():
        return None
    points = edges.copy()
    points[numbers] = marks[is_point]
    starts = np.concatenate(([len(_PAD)], edges[:-1] + 1))
    columns = (np.ascontiguousarray(one.reshape(-1, COLUMNS).T) for one in (starts, points, edges))
    return list(zip(*columns, strict=True))


def _is_line(ends: npt.NDArray[np.uint8]) -> bool:
    """Whether these characters end the columns of a line."""
    return len(ends) == COLUMNS and ends[-1] == _NEWLINE and bool((ends[:-1] == _COMMA).all())


def _number(field: _Field) -> Ints:
    """The whole numbers of a column, of up to sixteen digits."""
    groups = np.zeros((_BEFORE, len(field.points)), np.int64)
    _write_whole(groups, field)
    return np.asarray(groups.T @ _POWERS, np.int64)


def _write_whole(out: npt.NDArray[np.uint16] | Ints, field: _Field) -> None:
    """The groups before the point: the last eight digits, and the eight before where there are any."""
    lengths = field.whole
    out[2], out[3] = _groups(_ending(field.words[field.points - _WORD], lengths))
    out[0] = out[1] = 0
    if lengths.max() > _WORD:
        more = np.maximum(lengths - _WORD, 0)
        out[0], out[1] = _groups(_ending(field.words[field.points - 2 * _WORD], more))


def _ending(words: Words, lengths: Ints) -> Words:
    """Words of which only the last characters belong to the number; the others become zero digits."""
    shift = _shift(lengths)
    return np.where(lengths == 0, np.uint64(0), (words >> shift) << shift)


def _beginning(words: Words, lengths: Ints) -> Words:
    """Words of which only the first characters belong to the number."""
    if lengths.min() >= _WORD:
        return words
    shift = _shift(lengths)
    return np.where(lengths == 0, np.uint64(0), (words << shift) >> shift)


def _shift(lengths: Ints) -> Words:
    """The bits of a word that are not the number's; 64 of them cannot be shifted, and are zero here."""
    return ((_WORD - np.minimum(lengths, _WORD)) % _WORD * 8).astype(np.uint64)


def _groups(words: Words) -> tuple[Words, Words]:
    """Eight digits as two groups of four: neighbours are joined to pairs, and pairs to fours."""
    digits = words & np.uint64(0x0F0F0F0F0F0F0F0F)
    pairs = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    fours = pairs * np.uint64(100) + (pairs >> np.uint64(16))
    return fours & np.uint64(0xFFFF), (fours >> np.uint64(32)) & np.uint64(0xFFFF)
