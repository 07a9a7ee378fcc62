"""FreqTrade's data folder: what its files are called, how candles are written there, and read back.

It keeps doubles. A number that is read from a file is the shortest one that is the same double.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from gzip import BadGzipFile, decompress
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.feather as pa_feather  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from crypto_pipeline.errors import DamagedFile
from crypto_pipeline.frames.candle_block import microseconds
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.frames.tables import METADATA, table_of
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH, Interval

VALUES = ("open", "high", "low", "close", "volume")
WHOLE = "is_complete"
_EXCHANGES = MappingProxyType({"binance_usdm": "binance/futures", "binance_us": "binanceus"})
_FILE = re.compile(r"([\w-]+)-(\d+[a-zA-Z]{1,2})(?:-(\w+))?\.(feather|parquet|json|json\.gz)")
_TYPE = pa.schema([("date", pa.timestamp("ms", "UTC")), *((one, pa.float64()) for one in VALUES)])
_MICROSECOND = timedelta(microseconds=1)
_ENOUGH_TO_TELL = 10
"""Candles from which on it is no chance that all of them lie on a coarser grid."""


class DataFile(NamedTuple):
    """A file of candles and what its name says; ``kind`` is empty for spot, or like ``futures``."""

    path: Path
    pair: str
    interval: str
    kind: str

    @property
    def instrument(self) -> Instrument | None:
        """Whose candles it holds; None where our names have no room for it."""
        parts = self.pair.split("_")
        settled_in_quote = len(parts) == 3 and parts[2] == parts[1] and self.kind  # noqa: PLR2004
        plain = len(parts) == 2 and not self.kind  # noqa: PLR2004
        return Instrument(*parts[:2]) if settled_in_quote or plain else None


def folder_of(venue: str) -> Path:
    """Where a venue's files lie within the folder."""
    return Path(_EXCHANGES.get(venue, venue))


def file_of(venue: str, instrument: str, interval: str) -> Path:
    """What the file of a market is called, as FreqTrade asks for it."""
    base, quote = instrument.split("-")
    folder, timeframe = folder_of(venue), interval.replace("M", "Mo")
    if folder.name == "futures":
        return folder / f"{base}_{quote}_{quote}-{timeframe}-futures.feather"
    return folder / f"{base}_{quote}-{timeframe}.feather"


def files_in(folder: Path) -> list[DataFile]:
    """Every file of candles in a folder itself, by name."""
    found = []
    for path in sorted(folder.iterdir()):
        match = _FILE.fullmatch(path.name)
        if match and path.is_file():
            interval = re.sub("mo$", "M", match[2], flags=re.IGNORECASE)
            found.append(DataFile(path, match[1], interval, match[3] or ""))
    return found


class FreqtradeFile:
    """Writes one market; candles that are not whole are left out and counted."""

    def __init__(self, file: BinaryIO, about: Mapping[str, object]) -> None:
        schema = _TYPE.with_metadata({METADATA: json.dumps(about, default=str)})
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_file(file, schema, options=options)
        self._schema = schema
        self._text = schema.append(pa.field(WHOLE, pa.bool_()))
        self.rows = 0
        self.left_out = 0

    def add(self, text: bytes) -> None:
        """Rows as CSV: when it opens, the values, whether it is whole, where that can be otherwise."""
        if not text:
            return
        columns = text[: text.index(b"\n")].count(b",") + 1
        table = table_of(text, self._text if columns == len(self._text) else self._schema)
        whole = table.filter(table[WHOLE]) if WHOLE in table.column_names else table
        self.rows += len(whole)
        self.left_out += len(table) - len(whole)
        self._writer.write_table(whole.select(self._schema.names))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


@dataclass(frozen=True, slots=True)
class FileCandles(Sequence[Candle]):
    """Candles of a file, made as they are asked for; without quote volume and count of trades."""

    times: npt.NDArray[np.int64]
    """Microseconds since 1970."""
    texts: pa.Table
    """The five values as text."""

    def __len__(self) -> int:
        """How many."""
        return len(self.times)

    def __iter__(self) -> Iterator[Candle]:
        """Each as a typed row."""
        values = zip(*(column.to_pylist() for column in self.texts.columns), strict=True)
        for time, row in zip(self.times.tolist(), values, strict=True):
            numbers = (Decimal("nan" if one is None else one) for one in row)
            yield Candle._make((EPOCH + time * _MICROSECOND, *numbers, None, None))

    @overload
    def __getitem__(self, at: int) -> Candle: ...
    @overload
    def __getitem__(self, at: slice) -> "FileCandles": ...
    def __getitem__(self, at: int | slice) -> "Candle | FileCandles":
        """One, or those of a slice."""
        if isinstance(at, slice):
            return self.only(np.arange(len(self))[at])
        return next(iter(self.only(np.array([range(len(self))[at]]))))

    def only(self, chosen: npt.NDArray[Any]) -> "FileCandles":
        """Those that a mask or places choose."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return FileCandles(self.times[places], self.texts.take(pa.array(places, pa.int64())))

    def within(self, start: datetime, end: datetime) -> "FileCandles":
        """Those that open in [start, end); they are in order."""
        first, stop = np.searchsorted(self.times, [microseconds(start), microseconds(end)])
        return FileCandles(self.times[first:stop], self.texts.slice(first, stop - first))

    def doubles(self) -> npt.NDArray[np.float64]:
        """The values of each candle side by side."""
        columns = [column.cast(pa.float64()).to_numpy() for column in self.texts.columns]
        return np.column_stack(columns) if columns else np.empty((0, len(VALUES)))

    def in_order(self, interval: Interval) -> "FileCandles":
        """One for each slot, by time; a DamagedFile says why they can be no candles of an interval."""
        step = interval.step // _MICROSECOND
        off = (self.times - microseconds(interval.anchor)) % step != 0
        if off.any():
            first = self.times[off][0]
            msg = f"{off.sum():,} of its candles lie off the grid of {interval}, the first at {_told(first)}"
            raise DamagedFile(msg)
        ordered = self.only(np.argsort(self.times, kind="stable"))
        stride = int(np.gcd.reduce(np.diff(ordered.times), initial=0))
        if len(self) > _ENOUGH_TO_TELL and stride > step:
            msg = f"its candles lie {timedelta(microseconds=stride)} apart, so they are none of {interval}"
            raise DamagedFile(msg)
        return _without_twins(ordered)


def read_candles(path: Path) -> FileCandles:
    """The candles of a file, as they stand in it; a DamagedFile where they cannot be read."""
    try:
        table = _READERS[path.name.partition(".")[2]](path)
    except (pa.ArrowException, OSError, ValueError, EOFError, BadGzipFile) as error:
        msg = f"it cannot be read as {path.suffix[1:]}: {_first_line(error)}"
        raise DamagedFile(msg) from None
    lacking = {"date", *VALUES} - set(table.column_names)
    if lacking:
        msg = f"it has no column {', '.join(sorted(lacking))}"
        raise DamagedFile(msg)
    dates = table["date"]
    if not pa.types.is_timestamp(dates.type) or dates.type.tz is None or dates.null_count:
        raise DamagedFile("its column date does not hold an instant of UTC in every row")
    odd = [one for one in VALUES if not _is_number(table[one].type)]
    if odd:
        msg = f"its column {odd[0]} does not hold numbers"
        raise DamagedFile(msg)
    times = dates.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64()).to_numpy()
    texts = [table[one].cast(pa.string()).combine_chunks() for one in VALUES]
    return FileCandles(times, pa.table(texts, names=VALUES))


def _without_twins(candles: FileCandles) -> FileCandles:
    """The same without repetitions; two that differ cannot both be true."""
    again = np.flatnonzero(np.diff(candles.times) == 0) + 1
    values = candles.doubles()
    differing = (values[again] != values[again - 1]).any(axis=1)
    if differing.any():
        at = _told(candles.times[again[differing]][0])
        msg = f"it holds two candles of {at} that differ"
        raise DamagedFile(msg)
    return candles.only(np.delete(np.arange(len(candles)), again)) if len(again) else candles


def _is_number(kind: Any) -> bool:
    types = pa.types
    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind))


def _json(path: Path) -> Any:
    """Rows of milliseconds and five numbers."""
    text = path.read_bytes()
    rows = json.loads(decompress(text) if path.suffix == ".gz" else text)
    if not isinstance(rows, list) or any(len(row) != len(VALUES) + 1 for row in rows):
        msg = "not a list of rows of six numbers"
        raise ValueError(msg)
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * (len(VALUES) + 1)
    numbers = [pa.array(column, pa.float64()) for column in columns[1:]]
    dates = pa.array(columns[0], pa.int64()).cast(pa.timestamp("ms", "UTC"))
    return pa.table([dates, *numbers], names=["date", *VALUES])


_READERS: Mapping[str, Callable[[Path], Any]] = MappingProxyType(
    {
        "feather": pa_feather.read_table,
        "parquet": pq.read_table,
        "json": _json,
        "json.gz": _json,
    }
)


def _told(time: np.int64) -> str:
    return f"{EPOCH + int(time) * _MICROSECOND:%Y-%m-%dT%H:%M:%S.%f}".removesuffix(".000000") + "Z"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
