"""Candles out of somebody else's files: through the line's last half, one transaction for each file.

A file is less trusted than the venue: it fills what is missing, and replaces nothing that the venue said.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from crypto_pipeline.errors import DamagedFile, UsageError
from crypto_pipeline.frames.candle_block import microseconds
from crypto_pipeline.frames.candles import Rejected, broken_promise
from crypto_pipeline.frames.freqtrade import (
    DataFile,
    FileCandles,
    files_in,
    folder_of,
    read_candles,
)
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.importing import known
from crypto_pipeline.warehouse.writer import SeriesRows, Stored, Writer

SOURCE = "freqtrade import"
TRUST = 100
"""Far behind every provider."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the candles of one file; ``refused`` says why nothing was stored of it."""

    file: DataFile
    series: CandleSeries
    read: int = 0
    outside: int = 0
    """Older than what is kept, or not over when the file was written."""
    known: int = 0
    contradicted: int = 0
    """The venue said otherwise, and that stays."""
    stored: Stored = field(default_factory=Stored)
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why candles were set aside, and how many each."""
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A part of a file, held against what is stored."""

    rows: SeriesRows
    known: int
    contradicted: int


def found_files(
    line: Line, directory: Path, venue: str | None = None
) -> list[tuple[DataFile, CandleSeries | None]]:
    """The files of candles of some venues, each with its series where that is collected.

    Of one venue that is named, the directory may be its own folder.
    """
    if venue is not None and venue not in line.venues:
        msg = f"{venue} is not collected: 'ohlc.venues' names {', '.join(line.venues)}"
        raise UsageError(msg)
    found: dict[DataFile, CandleSeries | None] = {}
    for one in [venue] if venue else line.venues:
        folder = directory / folder_of(one)
        if venue and not folder.is_dir():
            folder = directory
        for file in files_in(folder) if folder.is_dir() else ():
            found[file] = _series_of(line, one, file) or found.get(file)
    if not found:
        expected = " or ".join(str(folder_of(one)) for one in ([venue] if venue else line.venues))
        msg = f"{directory} holds no candles of FreqTrade: expected files like {expected}/BTC_USDT-1m.feather"
        raise UsageError(msg)
    return list(found.items())


def _series_of(line: Line, venue: str, file: DataFile) -> CandleSeries | None:
    """Only candles of trades: a file of mark prices or funding rates is of another kind."""
    if file.kind != ("futures" if folder_of(venue).name == "futures" else ""):
        return None
    wanted = (venue, file.instrument, file.interval)
    named = ((one, (one.venue, one.instrument, one.interval.name)) for one in line.series)
    return next((one for one, name in named if name == wanted), None)


def import_files(
    line: Line,
    files: Sequence[tuple[DataFile, CandleSeries]],
    now: datetime,
    on_progress: Callable[[int, int], None] = lambda _done, _rows: None,
) -> Iterator[Imported]:
    """Store what the warehouse lacks of each file; a file that is refused changes nothing."""
    ids, rows = line.register(now), 0
    with closing(Writer(line.database, ids, None, now)) as writer:
        for done, (file, series) in enumerate(files, 1):
            try:
                imported = _import(line, writer, file, series, now)
            except DamagedFile as damage:
                imported = Imported(file, series, refused=str(damage))
            rows += imported.read
            on_progress(done, rows)
            yield imported


def _import(
    line: Line, writer: Writer, file: DataFile, series: CandleSeries, now: datetime
) -> Imported:
    candles = read_candles(file.path).in_order(series.interval)
    written_at = datetime.fromtimestamp(file.path.stat().st_mtime, UTC)
    due = series.interval.due(min(now, written_at), OHLC.grace)
    keeping = line.keeping(OHLC, now)
    since = max(line.since, keeping.edge) if keeping else line.since
    inside = candles.within(since, max(due, since))
    parts = [_judged(line.database, series, part) for part in _by_month(inside)]
    stored = writer.store([part.rows for part in parts], SOURCE, TRUST)
    return Imported(
        file,
        series,
        read=len(candles),
        outside=len(candles) - len(inside),
        known=sum(part.known for part in parts),
        contradicted=sum(part.contradicted for part in parts),
        stored=stored,
        reasons=Counter(one.reason for part in parts for one in part.rows.rejected),
    )


def _by_month(candles: FileCandles) -> Iterator[FileCandles]:
    """Parts that memory holds as typed rows."""
    while len(candles):
        first = candles[0].open_time
        month = Window.of_month(first.date())
        part = candles.within(month.start, month.end)
        yield part
        candles = candles[len(part) :]


def _judged(database: Database, series: CandleSeries, candles: FileCandles) -> _Judged:
    """What is to be stored: what is new, and what differs from an import like this one."""
    window = Window(candles[0].open_time, candles[-1].open_time + series.interval.step)
    held = known(database, series, window)
    places = np.searchsorted(held.times, candles.times)
    at = np.minimum(places, max(len(held.times) - 1, 0))
    is_known = np.zeros(len(candles), np.bool_)
    is_same, is_final = is_known.copy(), is_known.copy()
    if len(held.times):
        is_known = held.times[at] == candles.times
        is_same = is_known & (held.values[at] == candles.doubles()).all(axis=1)
        is_final = is_known & (held.trust[at] < TRUST)
    fresh = candles.only(~is_same & ~is_final)
    broken = _broken(fresh)
    kept = fresh.only(~np.isin(fresh.times, [microseconds(one.row[0]) for one in broken]))
    contradicted = int((is_final & ~is_same).sum())
    return _Judged(SeriesRows(series, kept, broken), int(is_same.sum()), contradicted)


def _broken(candles: FileCandles) -> list[Rejected]:
    told = ((one, broken_promise(one)) for one in candles)
    return [Rejected(one, reason) for one, reason in told if reason]
