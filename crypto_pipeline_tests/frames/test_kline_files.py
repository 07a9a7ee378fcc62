"""Files of klines: read in parts, exactly, and refused by name when they are not what they should be."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto_pipeline.errors import DamagedFile
from crypto_pipeline.frames import kline_files
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.frames.kline_files import kline_parts
from crypto_pipeline.market.windows import Window
from crypto_pipeline_tests.frames.blocks import (
    HEADER,
    MINUTE,
    MONTH,
    START,
    line,
    lines,
    texts,
    zipped,
)
from crypto_pipeline_tests.frames.examples import candle

CANDLES = [candle(START + number * MINUTE) for number in range(5)]


def read(path: Path, window: Window = MONTH) -> list[Candle]:
    """All candles of a file."""
    return [row for part in kline_parts(path, window) for row in part.block]


@pytest.mark.parametrize("unit", [1000, 1])
@pytest.mark.parametrize("header", ["", HEADER + "\n"])
def test_file_is_read(tmp_path: Path, unit: int, header: str) -> None:
    """With or without a header, in milliseconds or microseconds."""
    file = zipped(tmp_path / "a.zip", header.encode() + lines(CANDLES, unit))

    assert texts(CANDLES) == texts(read(file))


def test_last_line_needs_no_end(tmp_path: Path) -> None:
    """Nor do lines that end as on Windows read otherwise."""
    file = zipped(tmp_path / "a.zip", lines(CANDLES).rstrip().replace(b"\n", b"\r\n"))

    assert texts(CANDLES) == texts(read(file))


def test_parts_are_cut_between_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the parts, no line is lost or doubled."""
    monkeypatch.setattr(kline_files, "PART_BYTES", 150)
    file = zipped(tmp_path / "a.zip", lines(CANDLES))

    assert len(list(kline_parts(file, MONTH))) > 1
    assert texts(CANDLES) == texts(read(file))


def test_odd_rows_are_set_aside_and_the_others_read(tmp_path: Path) -> None:
    """A row that breaks a promise is no damage: it is rejected with the reason."""
    odd = [CANDLES[0], candle(START + MINUTE, volume="-1"), *CANDLES[2:]]
    (part,) = kline_parts(zipped(tmp_path / "a.zip", lines(odd)), MONTH)

    assert texts([CANDLES[0], *CANDLES[2:]]) == texts(list(part.block))
    assert ["a volume or the trade count is negative"] == [one.reason for one in part.rejected]


def test_more_decimals_than_usual_are_kept(tmp_path: Path) -> None:
    """What the fast way cannot hold is read row by row, digit for digit."""
    fine = [candle(START, low="0.000000000001234")]

    assert texts(fine) == texts(read(zipped(tmp_path / "a.zip", lines(fine))))


def _text(change: Callable[[str], str]) -> bytes:
    return lines(CANDLES[:2]) + change(line(CANDLES[2])).encode() + b"\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_text(lambda one: one.rpartition(",")[0]), "line 3 has 11 columns instead of 12"),
        (_text(lambda one: one + ",1"), "line 3 has 13 columns instead of 12"),
        (_text(lambda one: one.replace("90705", "many")), "line 3 has something that is no number"),
        (lines([CANDLES[1], CANDLES[0]]), "not in the order of time"),
        (lines([CANDLES[0], CANDLES[0]]), "not in the order of time"),
        (lines(CANDLES, 1_000_000), "which are not of 2024-03-01 to 2024-04-01"),
        (lines([candle(MONTH.end)]), "2024-04-01 00:00, which are not of 2024-03-01"),
        (b"symbol,price\n" + lines(CANDLES), "begins with b'symbol,price'"),
        (b"<html>no</html>", "begins with b'<html>no</html>'"),
        (b"9" * 40 + b",1" * 11 + b"\n", "no number"),
    ],
)
def test_damaged_text_is_refused(tmp_path: Path, text: bytes, said: str) -> None:
    """The message names the file, the place and what is wrong."""
    with pytest.raises(DamagedFile, match=said) as told:
        read(zipped(tmp_path / "BTCUSDT-1m-2024-03.zip", text))

    assert "BTCUSDT-1m-2024-03.zip" in str(told.value)


def test_later_part_cannot_go_back_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order holds over parts too."""
    monkeypatch.setattr(kline_files, "PART_BYTES", 300)

    with pytest.raises(DamagedFile, match="order of time"):
        read(zipped(tmp_path / "a.zip", lines([*CANDLES, CANDLES[0]])))


def _cut(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _flipped(whole: bytes) -> bytes:
    middle = len(whole) // 3
    return whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]


@pytest.mark.parametrize("spoil", [_cut, _flipped, lambda _: b"", lambda _: b"<html></html>"])
def test_zip_that_is_not_sound_is_refused(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """Cut, altered, empty or no zip at all."""
    file = zipped(tmp_path / "a.zip", lines(CANDLES))
    file.write_bytes(spoil(file.read_bytes()))

    with pytest.raises(DamagedFile, match=r"a\.zip is no sound zip file"):
        read(file)


def test_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    """One CSV file is what is expected."""
    with pytest.raises(DamagedFile, match=r"holds readme\.txt instead of one CSV file"):
        read(zipped(tmp_path / "a.zip", lines(CANDLES), member="readme.txt"))


def test_recorded_file_reads_as_it_is_printed(corpus: Path, tmp_path: Path) -> None:
    """A month that Binance published: every line, every digit."""
    (recorded,) = (corpus / "binance_vision").glob("spot_BTCUSDT-1h-2024-12.csv")
    window = Window(datetime(2024, 12, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    rows = read(zipped(tmp_path / "a.zip", recorded.read_bytes()), window)

    printed = [text.split(",") for text in recorded.read_text().splitlines()]
    assert [[*one[1:6], one[7], one[8]] for one in printed] == [
        [str(value) for value in row[1:]] for row in rows
    ]
    assert 744 == len(rows)
