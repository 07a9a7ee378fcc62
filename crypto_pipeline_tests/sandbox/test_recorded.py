"""Recorded rows come back as they were printed."""

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.sandbox.market import Ask
from crypto_pipeline.sandbox.recorded import Recordings, assets

from .conftest import Clock, Start

NEVER = 2**60
HEADER = (
    "timestamp,open,high,low,close,volume,close_time,"
    "quote_av,trades,tb_base_av,tb_quote_av,ignore\n"
)
OFF_GRID = (
    "2018-02-09 09:28:14.789,8100.0,8200.5,8000.01,8150.0,12.5,1518172094788.0,"
    "101875.1,334.0,6.25,50937.5,0.0\n"
)
ALL = Ask(0, None, 10**9)


def written(folder: Path, name: str, text: str) -> Path:
    """A file of that name."""
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def paged(client: httpx.Client, symbol: str, interval: str) -> list[list[object]]:
    """Every row, page after page as a client would ask."""
    rows: list[list[object]] = []
    start = 0
    while page := client.get(
        "/api/v3/klines",
        params={"symbol": symbol, "interval": interval, "startTime": start, "limit": 1000},
    ).json():
        rows += page
        start = page[-1][0] + 1
    return rows


@pytest.mark.parametrize(
    ("name", "interval"),
    [
        ("klines_BTCUSDT_1h_176rows_2023-01.json", "1h"),
        ("klines_BTCUSDT_1d_2018-12-29_2020-01-04_372rows.json", "1d"),
    ],
)
def test_recorded_replies_come_back_whole(
    corpus: Path, start: Start, name: str, interval: str
) -> None:
    """Paging through a recorded reply yields it again, value for value."""
    path = corpus / "binance" / name
    _, client = start(recorded=path)

    assert paged(client, "BTCUSDT", interval) == json.loads(path.read_text())


def test_archive_rows_come_back_whole(corpus: Path, start: Start) -> None:
    """A file of data.binance.vision is served as its API would have sent it."""
    path = corpus / "binance_vision" / "spot_BTCUSDT-1h-2024-12.csv"
    _, client = start(recorded=path)
    served = [[str(cell) for cell in row] for row in paged(client, "BTCUSDT", "1h")]

    assert served == list(csv.reader(path.read_text().splitlines()))


def test_joined_pages_come_back_with_their_holes(corpus: Path, start: Start) -> None:
    """The 4h history keeps its nine gaps, its truncated closes and its numbers' text."""
    path = corpus / "binance_ohlcv" / "BTCUSDT-4h_2017_2020-11-28_raw.csv.gz"
    printed = list(csv.reader(gzip.decompress(path.read_bytes()).decode().splitlines()))[1:]
    _, client = start(recorded=path.parent)
    rows = paged(client, "BTCUSDT", "4h")
    steps = [int(str(b[0])) - int(str(a[0])) for a, b in pairwise(rows)]

    assert [row[1:6] for row in rows] == [line[1:6] for line in printed]
    assert [[row[7], *row[9:11]] for row in rows] == [[line[7], *line[9:11]] for line in printed]
    assert [float(str(row[6])) for row in rows] == [float(line[6]) for line in printed]
    assert sum(step != 4 * 3_600_000 for step in steps) == 9


def test_a_recorded_interval_has_no_synthetic_rows(tmp_path: Path, start: Start) -> None:
    """Only what was recorded is there; other intervals of a known symbol stay synthetic."""
    written(tmp_path, "BTCUSDT-1h.csv", HEADER + OFF_GRID)
    _, client = start(recorded=tmp_path)

    assert paged(client, "BTCUSDT", "1h") == [
        [
            *(1518168494789, "8100.0", "8200.5", "8000.01", "8150.0", "12.5", 1518172094788),
            *("101875.1", 334, "6.25", "50937.5", "0"),
        ]
    ]
    assert len(client.get("/api/v3/klines?symbol=BTCUSDT&interval=4h").json()) == 500


def test_a_recorded_symbol_is_listed(tmp_path: Path, start: Start) -> None:
    """Binance names it in exchangeInfo, and its other intervals are empty rather than invented."""
    written(tmp_path, "klines_FOOBTC_1d.json", json.dumps([[0, *["1"] * 5, 1, "1", 2, "1", "1"]]))
    _, client = start(recorded=tmp_path)
    (info,) = client.get("/api/v3/exchangeInfo?symbol=FOOBTC").json()["symbols"]

    assert (info["baseAsset"], info["quoteAsset"]) == ("FOO", "BTC")
    assert len(client.get("/api/v3/klines?symbol=FOOBTC&interval=1d").json()) == 1
    assert client.get("/api/v3/klines?symbol=FOOBTC&interval=1h").json() == []


def test_a_recorded_symbol_can_be_delisted_and_unlisted(tmp_path: Path, start: Start) -> None:
    """Its status and its rows are those of the span, as with a synthetic one."""
    row = "{},1,1,1,1,1,{},1,1,1,1,0\n"
    opens = [1767222000000 + hour * 3_600_000 for hour in range(4)]  # 2025-12-31T23:00Z on
    written(tmp_path, "FOOBTC-1h.csv", "".join(row.format(at, at + 3_599_999) for at in opens))
    clock = Clock(datetime(2026, 1, 1, 0, 30, tzinfo=UTC))
    sandbox, client = start(recorded=tmp_path, clock=clock)
    span = "2026-01-01T00:00Z/2026-01-01T02:00Z"
    sandbox.order(f"delisted:FOOBTC:{span}")
    (info,) = client.get("/api/v3/exchangeInfo?symbol=FOOBTC").json()["symbols"]
    rows = paged(client, "FOOBTC", "1h")
    sandbox.order(f"unlisted:FOOBTC:{span}")
    refused = client.get("/api/v3/klines?symbol=FOOBTC&interval=1h")
    clock.now += timedelta(days=1)

    assert "BREAK" == info["status"]
    assert opens[:1] == [row[0] for row in rows]
    assert (400, -1121) == (refused.status_code, refused.json()["code"])
    assert [opens[0], opens[3]] == [row[0] for row in paged(client, "FOOBTC", "1h")]


def test_the_last_of_several_rows_counts(tmp_path: Path) -> None:
    """One open time printed twice, as in the joined pages of 2020-12-04, is one row."""
    row = "1607079600000,1,1,1,{},1,1607083199999,1,1,1,1,0\n"
    path = written(tmp_path, "BTCUSDT-1h.csv", row.format("18900.1") + row.format("19000.20"))
    (found,) = Recordings.read(path).page(("BTCUSDT", "1h"), ALL, NEVER, ())

    assert found.prices[3] == "19000.20"


def test_microseconds_are_understood(tmp_path: Path) -> None:
    """The archive's spot files count in microseconds since 2025."""
    line = "1735689600000000,1,1,1,1,1,1735693199999999,1,1,1,1,0\n"
    path = written(tmp_path, "BTCUSDT-1h-2025-01.csv", line)
    (found,) = Recordings.read(path).page(("BTCUSDT", "1h"), ALL, NEVER, ())

    assert (found.opened_at, found.closed_at) == (1735689600000, 1735693199999)


def test_pages_are_cut_like_synthetic_ones(tmp_path: Path) -> None:
    """Inclusive bounds, the newest without a start, no outages and nothing from the future."""
    lines = "".join(f"{at},1,1,1,1,1,{at + 9},1,1,1,1,0\n" for at in range(0, 100, 10))
    recordings = Recordings.read(written(tmp_path, "BTCUSDT-1m.csv", lines))

    def opens(ask: Ask, now: int = NEVER, outages: tuple[tuple[int, int], ...] = ()) -> list[int]:
        rows = recordings.page(("BTCUSDT", "1m"), ask, now, outages)
        return [row.opened_at for row in rows]

    assert opens(Ask(20, 40, 9)) == [20, 30, 40]
    assert opens(Ask(20, None, 2)) == [20, 30]
    assert opens(Ask(None, None, 2)) == [80, 90]
    assert opens(Ask(None, 50, 2)) == [40, 50]
    assert opens(Ask(None, None, 2), now=75) == [60, 70]
    assert opens(Ask(20, None, 3), outages=((30, 60),)) == [20, 60, 70]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BTCUSDT-1h.csv", "1607079600000,1,1,1\n"),
        ("BTCUSDT-1h.csv", "1607079600000,a,1,1,1,1,1607083199999,1,1,1,1,0\n"),
        ("BTCUSDT-1h.json", '{"code":-1121,"msg":"Invalid symbol."}'),
        ("BTCUSDT-1h.json", "[[1607079600000"),
        ("candles.csv", HEADER + OFF_GRID),
        ("BTCUSDT-1h.parquet", ""),
    ],
)
def test_an_unreadable_file_is_named_with_what_was_expected(
    tmp_path: Path, name: str, text: str
) -> None:
    """Whoever gave the wrong file learns which and why."""
    path = written(tmp_path, name, text)

    with pytest.raises(UsageError) as caught:
        Recordings.read(path)

    assert str(path) in str(caught.value)
    assert "expected kline replies as JSON, or CSV" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As is one that is no gzip."""
    broken = tmp_path / "BTCUSDT-4h.csv.gz"
    broken.write_bytes(b"not gzip")

    for path in (tmp_path / "BTCUSDT-1h.csv", broken):
        with pytest.raises(UsageError, match=path.name):
            Recordings.read(path)


def test_assets_are_told_from_a_symbol() -> None:
    """By the quote assets Binance has."""
    assert [assets("BTCUSDT"), assets("ETHBTC")] == [("BTC", "USDT"), ("ETH", "BTC")]
