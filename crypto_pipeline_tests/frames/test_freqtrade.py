"""FreqTrade's files: their names, what is written, and what is read back or refused."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pq
import pytest

from crypto_pipeline.errors import DamagedFile
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.frames.freqtrade import (
    VALUES,
    FreqtradeFile,
    file_of,
    files_in,
    folder_of,
    read_candles,
)
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE = Interval.parse("1m")
PRICES = (10.5, 11.0, 9.25, 10.0, 0.1)
ROW = [Decimal(text) for text in ("10.5", "11", "9.25", "10", "0.1")]
Row = tuple[datetime | None, *tuple[Any, ...]]


def minutes(*numbers: float) -> list[Row]:
    """Rows of a file that open so many minutes after noon."""
    return [(NOON + number * MINUTE, *PRICES) for number in numbers]


def feather(path: Path, rows: Sequence[Row], **types: Any) -> Path:
    """A file as FreqTrade writes it, or with other types."""
    kinds = {"date": pa.timestamp("ms", "UTC"), **dict.fromkeys(VALUES, pa.float64()), **types}
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds.values(), strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pa_feather.write_feather(pa.table(arrays, names=list(kinds)), path)
    return path


@pytest.mark.parametrize(
    ("venue", "interval", "path", "kind"),
    [
        ("binance", "1m", "binance/BTC_USDT-1m.feather", ""),
        ("binance", "1M", "binance/BTC_USDT-1Mo.feather", ""),
        ("binance_us", "1h", "binanceus/BTC_USDT-1h.feather", ""),
        (
            "binance_usdm",
            "4h",
            "binance/futures/BTC_USDT_USDT-4h-futures.feather",
            "futures",
        ),
    ],
)
def test_file_is_found_by_its_name(
    tmp_path: Path, venue: str, interval: str, path: str, kind: str
) -> None:
    """What a market's file is called says which market it is; other files are none of candles."""
    assert Path(path) == file_of(venue, "BTC-USDT", interval)
    feather(tmp_path / path, minutes(0))
    (tmp_path / folder_of(venue) / "BTC_USDT-trades.feather").touch()
    (found,) = files_in(tmp_path / folder_of(venue))

    assert (Instrument("BTC", "USDT"), interval, kind) == (
        found.instrument,
        found.interval,
        found.kind,
    )


def test_candles_that_are_not_whole_are_left_out(tmp_path: Path) -> None:
    """FreqTrade has no word for them; the others read back as the shortest same doubles."""
    path = tmp_path / "BTC_USDT-1h.feather"
    with path.open("wb") as file:
        written = FreqtradeFile(file, {"dataset": "ohlc"})
        written.add(b"")
        written.add(b"2026-03-04T12:00:00Z,10.50000000,11,9.25,10,0.10000000,true\n")
        written.add(b"2026-03-04T13:00:00Z,10.50000000,11,9.25,10,0.10000000,false\n")
        written.close()
    table = pa_feather.read_table(path)

    assert (1, 1) == (written.rows, written.left_out)
    assert ["date", *VALUES] == table.column_names
    assert table.schema.field("date").type == pa.timestamp("ms", "UTC")
    assert [Candle._make((NOON, *ROW, None, None))] == list(read_candles(path))


def test_every_form_reads_alike(tmp_path: Path) -> None:
    """Feather, Parquet and both kinds of JSON hold the same candles, in any number type."""
    written = feather(tmp_path / "a.feather", minutes(1, 0))
    pq.write_table(pa_feather.read_table(written), tmp_path / "a.parquet")
    kinds = {**dict.fromkeys(VALUES, pa.float32()), "date": pa.timestamp("ns", "UTC")}
    feather(tmp_path / "b.feather", minutes(1, 0), **kinds)
    rows = [[int(row[0].timestamp() * 1000), *row[1:]] for row in minutes(1, 0) if row[0]]
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    expected = [Candle._make((NOON + number * MINUTE, *ROW, None, None)) for number in (0, 1)]

    for path in tmp_path.iterdir():
        assert expected == list(read_candles(path).in_order(ONE)), path


def test_repetitions_are_one_candle(tmp_path: Path) -> None:
    """When they say the same; parts and single ones can be had by place and by time."""
    path = feather(tmp_path / "a.feather", minutes(0, 1, 1, 3))
    candles = read_candles(path).in_order(ONE)

    assert [0, 1, 3] == [(one.open_time - NOON) // MINUTE for one in candles]
    assert NOON + 3 * MINUTE == candles[-1].open_time
    assert (
        [candles[1]] == list(candles[1:2]) == list(candles.within(NOON + MINUTE, NOON + 2 * MINUTE))
    )


@pytest.mark.parametrize(
    ("rows", "types", "said"),
    [
        (
            minutes(0, 0.5),
            {},
            "1 of its candles lie off the grid of 1m, the first at 2026-03-04T12:00:30Z",
        ),
        (minutes(*range(0, 60, 5)), {}, "its candles lie 0:05:00 apart, so they are none of 1m"),
        (
            [*minutes(0), (NOON, *PRICES[:4], 7.0)],
            {},
            "it holds two candles of 2026-03-04T12:00:00Z",
        ),
        ([(None, *PRICES)], {}, "its column date does not hold an instant of UTC in every row"),
        (
            minutes(0),
            {"date": pa.timestamp("ms")},
            "its column date does not hold an instant of UTC",
        ),
        ([(NOON, *PRICES[:4], "much")], {"volume": pa.string()}, "its column volume does not hold"),
    ],
)
def test_file_that_cannot_be_right_is_refused(
    tmp_path: Path, rows: list[Row], types: dict[str, Any], said: str
) -> None:
    """Nobody can tell which of its candles are true, so none is taken."""
    path = feather(tmp_path / "a.feather", rows, **types)

    with pytest.raises(DamagedFile, match=said):
        read_candles(path).in_order(ONE)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.feather", b"PAR1 not at all", "it cannot be read as feather: "),
        ("a.parquet", b"", "it cannot be read as parquet: "),
        ("a.json", b"[[1, 2]]", "it cannot be read as json: not a list of rows of six numbers"),
        ("a.json", b'{"error": 1}', "it cannot be read as json: not a list of rows of six numbers"),
        ("a.json.gz", b"\x1f\x8b\x08\x00", "it cannot be read as gz: "),
    ],
)
def test_wrong_file_is_refused(tmp_path: Path, name: str, body: bytes, said: str) -> None:
    """Whatever is in it."""
    (tmp_path / name).write_bytes(body)

    with pytest.raises(DamagedFile, match=said):
        read_candles(tmp_path / name)


def test_table_without_a_column_is_refused(tmp_path: Path) -> None:
    """It names what is lacking."""
    pa_feather.write_feather(pa.table({"date": [1], "open": [1.0]}), tmp_path / "a.feather")

    with pytest.raises(DamagedFile, match="it has no column close, high, low, volume"):
        read_candles(tmp_path / "a.feather")
