"""Recorded candles: rows that a venue once printed, served again as they were printed.

Which rows a request may see is decided here; how a row is laid out is the venue's protocol.
"""

import csv
import gzip
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Self

from crypto_pipeline.errors import UsageError
from crypto_pipeline.sandbox.grids import GRIDS
from crypto_pipeline.sandbox.market import Ask

QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD", "EUR", "TRY", "BRL", "BTC", "ETH", "BNB")
SUFFIXES = (".json", ".csv", ".csv.gz")
FIRST_MICROSECONDS = 10**14  # milliseconds reach this in the year 5138

_NAME = re.compile(
    rf"(?<![A-Z0-9])(?P<symbol>[A-Z0-9]{{2,20}}(?:{'|'.join(QUOTES)}))[-_]"
    rf"(?P<interval>{'|'.join(GRIDS)})(?![A-Za-z0-9])"
)
_EXPECTED = (
    "expected kline replies as JSON, or CSV with open time, open, high, low, close, volume, "
    "close time, quote volume, trades, taker volume and taker quote volume, "
    "in a file named like BTCUSDT-4h.csv"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One candle; decimals are the text that was printed."""

    opened_at: int
    prices: tuple[str, str, str, str]
    volume: str
    closed_at: int
    quote: str
    trades: int
    taker: tuple[str, str]


Key = tuple[str, str]
"""Symbol and interval."""


@dataclass(frozen=True, slots=True)
class Recordings:
    """All recorded rows by symbol and interval, oldest first, one per open time."""

    series: Mapping[Key, tuple[Row, ...]]

    @classmethod
    def read(cls, path: Path | None) -> Self:
        """Every recording in a file, or in a folder's files whose names say what they hold.

        Of rows with one open time the last one counts. Raises UsageError.
        """
        found: dict[Key, dict[int, Row]] = {}
        for file, key in _files(path) if path else ():
            found.setdefault(key, {}).update((row.opened_at, row) for row in _rows(file))
        return cls({key: tuple(rows[at] for at in sorted(rows)) for key, rows in found.items()})

    def symbols(self) -> tuple[str, ...]:
        """Every symbol with a recording."""
        return tuple(sorted({symbol for symbol, _ in self.series}))

    def page(self, key: Key, ask: Ask, now: int, outages: Iterable[tuple[int, int]]) -> list[Row]:
        """As ``market.page``: the oldest rows from ``start``, or the newest up to ``end``."""
        rows = self.series[key]
        end = now if ask.end is None else min(ask.end, now)
        first = 0 if ask.start is None else bisect_left(rows, ask.start, key=_opened_at)
        stop = bisect_right(rows, end, key=_opened_at)
        order = range(first, stop) if ask.start is not None else range(stop - 1, first - 1, -1)
        there = (rows[at] for at in order if not _inside(rows[at].opened_at, outages))
        return sorted(islice(there, ask.limit), key=_opened_at)


def assets(symbol: str) -> tuple[str, str]:
    """Base and quote of a recorded symbol."""
    quote = next(quote for quote in QUOTES if symbol.endswith(quote))
    return symbol.removesuffix(quote), quote


def _inside(moment: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= moment < end for start, end in spans)


def _opened_at(row: Row) -> int:
    return row.opened_at


def _files(path: Path) -> Iterator[tuple[Path, Key]]:
    candidates = sorted(path.iterdir()) if path.is_dir() else [path]
    named = [(file, _NAME.search(file.name)) for file in candidates if file.name.endswith(SUFFIXES)]
    chosen = [(file, (match["symbol"], match["interval"])) for file, match in named if match]
    if not chosen:
        msg = f"no recorded candles in {path}: {_EXPECTED}"
        raise UsageError(msg)
    yield from chosen


def _rows(file: Path) -> list[Row]:
    """The file's rows in its own order; a file that is not what it should be is a UsageError."""
    try:
        text = _text(file)
        is_json = file.suffix == ".json"
        lines = json.loads(text, parse_float=str) if is_json else _csv_lines(text)
        return [_row([str(cell) for cell in line]) for line in lines]
    except (OSError, EOFError, ValueError, TypeError, IndexError, InvalidOperation) as error:
        msg = f"cannot read the recorded candles in {file} ({error}): {_EXPECTED}"
        raise UsageError(msg) from error


def _text(file: Path) -> str:
    if file.suffix == ".gz":
        return gzip.decompress(file.read_bytes()).decode()
    return file.read_text()


def _csv_lines(text: str) -> Iterator[list[str]]:
    """Without the header, if any: Binance's archive has none for spot and one for futures."""
    lines = csv.reader(text.splitlines())
    for number, line in enumerate(lines):
        if line and (number or line[0][:1].isdigit()):
            yield line


def _row(line: Sequence[str]) -> Row:
    for decimal in (*line[1:6], line[7], *line[9:11]):
        float(decimal)
    return Row(
        _moment(line[0]),
        (line[1], line[2], line[3], line[4]),
        line[5],
        _moment(line[6]),
        line[7],
        int(Decimal(line[8])),
        (line[9], line[10]),
    )


def _moment(text: str) -> int:
    """Milliseconds from milliseconds, microseconds, or ``2018-02-09 09:28:14.789000`` in UTC."""
    if "-" in text:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    number = int(Decimal(text))
    return number // 1000 if number >= FIRST_MICROSECONDS else number
