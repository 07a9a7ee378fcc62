"""The archive over real HTTP: its files are the exchange's candles, and come in parts if asked for."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings

from .archive_client import SPOT, USDM, is_whole, key, table
from .conftest import FIXED, NOW, Clock, Start

HOUR = 3_600_000
MONTH = key("BTCUSDT", "1h", "2026-01")
MARKETS = [("binance", SPOT, "/api/v3/klines"), ("binance_usdm", USDM, "/fapi/v1/klines")]
NAME = {SPOT: "binance_vision", USDM: "binance_vision_usdm"}


@pytest.fixture
def web(shared: Sandbox) -> Any:
    """A client of the whole shared sandbox; no fault survives the test."""
    with httpx.Client(base_url=shared.url) as client:
        yield client
    shared.clear_faults()
    shared.clear_requests()


def ms(text: str) -> int:
    """A day's begin in milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def candles(web: httpx.Client, path: str, interval: str, start: int, end: int) -> list[list[str]]:
    """What the exchange itself answers, page after page, as text."""
    rows: list[list[str]] = []
    while start < end:
        asked = {"symbol": "BTCUSDT", "interval": interval, "startTime": start, "endTime": end - 1}
        page = web.get(path, params={**asked, "limit": 1000}).json()
        rows += [[str(cell) for cell in row] for row in page]
        start = page[-1][0] + 1 if page else end
    return rows


def taken(client: httpx.Client, path: str, got: bytearray) -> None:
    """Every byte that comes, as long as bytes come."""
    with client.stream("GET", path) as reply:
        for chunk in reply.iter_raw():
            got += chunk


@pytest.mark.parametrize(("exchange", "root", "path"), MARKETS)
@pytest.mark.parametrize(
    ("interval", "stem", "end"),
    [
        ("1m", "2024-12-30", "2024-12-31"),
        ("1h", "2024-12", "2025-01-01"),
        ("1d", "2024-12", "2025-01-01"),
        ("3d", "2024-11", "2024-12-01"),
        ("1w", "2024-12", "2025-01-01"),
    ],
)
def test_a_file_holds_exactly_the_candles_of_the_exchange(
    web: httpx.Client, exchange: str, root: str, path: str, interval: str, stem: str, end: str
) -> None:
    """All that open in the month or day, digit for digit, and no other."""
    start = ms(stem if stem.count("-") == 2 else f"{stem}-01")
    rows = table(web.get(f"/{NAME[root]}{key('BTCUSDT', interval, stem, root)}"))

    assert candles(web, f"/{exchange}{path}", interval, start, ms(end)) == rows[root == USDM :]


def test_seconds_are_there_for_spot_alone(web: httpx.Client) -> None:
    """As at the real one."""
    stem, start = "2024-12-30", ms("2024-12-30")
    rows = table(web.get(f"/binance_vision{key('BTCUSDT', '1s', stem)}"))
    usdm = web.get(f"/binance_vision_usdm{key('BTCUSDT', '1s', stem, USDM)}")

    assert 86_400 == len(rows)
    assert candles(web, "/binance/api/v3/klines", "1s", start, start + 10**6) == rows[:1000]
    assert 404 == usdm.status_code


def test_spot_counts_in_microseconds_since_2025(web: httpx.Client) -> None:
    """Opens are of the same instants, and a candle closes with its last microsecond."""
    before, after = (
        table(web.get(f"/binance_vision{key('BTCUSDT', '1h', stem)}"))
        for stem in ("2024-12", "2025-01")
    )
    start = ms("2025-01-01")
    expected = candles(web, "/binance/api/v3/klines", "1h", start, ms("2025-02-01"))

    assert [str(start - HOUR), str(start - 1)] == [before[-1][0], before[-1][6]]
    assert [f"{start}000", f"{start + HOUR - 1}999"] == [after[0][0], after[0][6]]
    assert [[f"{row[0]}000", *row[1:6], f"{row[6]}999", *row[7:]] for row in expected] == after


def test_futures_count_in_milliseconds_under_a_header(web: httpx.Client) -> None:
    """In 2025 too."""
    header, row, *_ = table(web.get(f"/binance_vision_usdm{key('BTCUSDT', '1h', '2025-01', USDM)}"))
    names = "open_time open high low close volume close_time quote_volume count taker_buy_volume"

    assert [*names.split(), "taker_buy_quote_volume", "ignore"] == header
    assert [str(ms("2025-01-01")), str(ms("2025-01-01") + HOUR - 1)] == [row[0], row[6]]


def test_a_file_looks_like_the_recorded_one(corpus: Path, web: httpx.Client) -> None:
    """As many rows of as many cells, each with as many decimals."""
    recorded = (corpus / "binance_vision" / "spot_BTCUSDT-1h-2024-12.csv").read_text()
    lines = [line.split(",") for line in recorded.splitlines()]
    rows = table(web.get(f"/binance_vision{key('BTCUSDT', '1h', '2024-12')}"))

    def places(row: list[str]) -> list[int]:
        return [len(cell.partition(".")[2]) for cell in row]

    assert [row[0] for row in lines] == [row[0] for row in rows]
    assert [places(row) for row in lines] == [places(row) for row in rows]


def test_a_file_is_the_same_bytes_whenever_it_is_made(web: httpx.Client, start: Start) -> None:
    """In another process, on another day; another seed is another market."""
    later, _ = start(clock=Clock(NOW + timedelta(days=50)))
    other, _ = start(seed=8)
    whole, same, changed = (
        httpx.get(f"{url}/binance_vision{MONTH}")
        for url in (str(web.base_url).rstrip("/"), later.url, other.url)
    )

    assert (whole.content, whole.headers["etag"]) == (same.content, same.headers["etag"])
    assert whole.content != changed.content
    assert whole.headers["etag"] != changed.headers["etag"]


def test_a_file_is_what_its_checksum_says(web: httpx.Client, shared: Sandbox) -> None:
    """The hash, two spaces, the name; asked for at no weight, and logged."""
    with httpx.Client(base_url=shared.base_url("binance_vision")) as client:
        assert is_whole(client, MONTH)
        assert re.fullmatch(
            r"[0-9a-f]{64}  BTCUSDT-1h-2026-01\.zip\n", client.get(f"{MONTH}.CHECKSUM").text
        )
    logged = [(one.path, one.status, one.weight) for one in shared.requests()]

    assert (f"/binance_vision{MONTH}", 200, 0) in logged
    assert web.get("/binance_vision/data/spot").status_code == 404


@pytest.mark.parametrize(
    ("stem", "comes"),
    [
        ("2026-03-03", datetime(2026, 3, 4, 2, tzinfo=UTC)),
        ("2026-02", datetime(2026, 3, 2, 2, tzinfo=UTC)),
        ("2026-01", datetime(2026, 2, 2, 2, tzinfo=UTC)),
    ],
)
def test_a_file_comes_in_its_time(start: Start, stem: str, comes: datetime) -> None:
    """A day's the next day, a month's on the first Monday after it; until then there is no such key."""
    clock = Clock(comes - timedelta(seconds=1))
    sandbox, _ = start(clock=clock)
    path = f"{sandbox.base_url('binance_vision')}{key('BTCUSDT', '1h', stem)}"
    early = httpx.get(path)
    clock.now = comes
    there = httpx.get(path)

    assert (404, "application/xml") == (early.status_code, early.headers["content-type"])
    assert "<Code>NoSuchKey</Code>" in early.text
    assert 200 == there.status_code
    assert comes == datetime.strptime(
        there.headers["last-modified"], "%a, %d %b %Y %H:%M:%S GMT"
    ).replace(tzinfo=UTC)


def test_files_begin_with_the_listing(web: httpx.Client) -> None:
    """Solana's first day has 18 hours, and the day before is not there."""
    first = table(web.get(f"/binance_vision{key('SOLUSDT', '1h', '2020-08-11')}"))
    month = table(web.get(f"/binance_vision{key('SOLUSDT', '1h', '2020-08')}"))

    assert (18, 18 + 20 * 24) == (len(first), len(month))
    for stem in ("2020-08-10", "2020-07"):
        path = f"/binance_vision{key('SOLUSDT', '1h', stem)}"
        assert [404, 404] == [web.get(path + end).status_code for end in ("", ".CHECKSUM")]


@pytest.mark.parametrize(
    "path",
    [
        key("BTCUSDT", "3d", "2025-01-01"),
        key("BTCUSDT", "1h", "2025-13"),
        key("NONEUSDT", "1h", "2025-01"),
        MONTH.replace("monthly", "daily"),
        MONTH.replace("spot", "futures/um"),
        "/data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-4h-2025-01.zip",
        "/data/../data/spot",
    ],
)
def test_what_is_no_key_is_not_there(web: httpx.Client, path: str) -> None:
    """404 in S3's words, and no error of ours."""
    reply = web.get(f"/binance_vision{path}")

    assert (404, True) == (reply.status_code, "NoSuchKey" in reply.text)


@pytest.mark.parametrize("kind", ["outage", "delisted"])
def test_what_was_not_traded_is_in_no_file(shared: Sandbox, web: httpx.Client, kind: str) -> None:
    """Rows are missing as they are at the exchange, a day without any has no file, others are as before."""
    days = [f"/binance_vision{key('BTCUSDT', '1h', f'2026-02-0{day}')}" for day in (1, 2, 3, 4)]
    month = f"/binance_vision{key('BTCUSDT', '1h', '2026-02')}"
    tags = [web.get(day).headers["etag"] for day in days]
    shared.order(f"{kind}:BTCUSDT:2026-02-01T20:00Z/2026-02-03T02:00Z")
    replies = [web.get(day) for day in days]
    start, end = ms("2026-02-01"), ms("2026-03-01")
    expected = candles(web, "/binance/api/v3/klines", "1h", start, end)

    assert [200, 404, 200, 200] == [reply.status_code for reply in replies]
    assert [20, 22, 24] == [len(table(reply)) for reply in replies if reply.status_code == 200]
    assert [row[1] for row in expected] == [row[1] for row in table(web.get(month))]
    assert [False, False, True] == [replies[at].headers["etag"] == tags[at] for at in (0, 2, 3)]


def test_a_quiet_market_is_quiet_in_the_files(shared: Sandbox, web: httpx.Client) -> None:
    """Flat candles without volume."""
    shared.order("quiet:BTCUSDT:2026-02-02/2026-02-03")
    rows = table(web.get(f"/binance_vision{key('BTCUSDT', '1h', '2026-02-02')}"))

    assert {"0.00000000"} == {row[5] for row in rows}
    assert all(row[1] == row[4] for row in rows)


def test_what_was_recorded_has_no_invented_files(tmp_path: Path, start: Start) -> None:
    """The exchange answers from the recording then, which the archive does not know."""
    text = json.dumps([[0, *["1"] * 5, 1, "1", 2, "1", "1"]])
    (tmp_path / "klines_BTCUSDT_1d.json").write_text(text)
    sandbox, _ = start(recorded=tmp_path)
    base = sandbox.base_url("binance_vision")

    assert [404, 200] == [
        httpx.get(base + key(symbol, "1h", "2026-01")).status_code
        for symbol in ("BTCUSDT", "ETHUSDT")
    ]


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=1000-", 1000, None),
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=-50", -50, None),
        ("bytes=100-99999999", 100, None),
    ],
)
def test_a_part_can_be_asked_for(
    web: httpx.Client, asked: str, start: int, stop: int | None
) -> None:
    """206, with the place of the part in the whole."""
    path = f"/binance_vision{MONTH}"
    whole = web.get(path)
    part = web.get(path, headers={"range": asked})
    at = start % len(whole.content)

    assert "bytes" == whole.headers["accept-ranges"]
    assert (206, whole.content[start:stop]) == (part.status_code, part.content)
    assert whole.headers["etag"] == part.headers["etag"]
    assert (
        f"bytes {at}-{at + len(part.content) - 1}/{len(whole.content)}"
        == part.headers["content-range"]
    )


def test_a_part_behind_the_end_cannot_be_had(web: httpx.Client) -> None:
    """416 says how long the file is; what is no range is passed over."""
    path = f"/binance_vision{MONTH}"
    whole = web.get(path)
    beyond = web.get(path, headers={"range": f"bytes={len(whole.content)}-"})

    assert 416 == beyond.status_code
    assert f"bytes */{len(whole.content)}" == beyond.headers["content-range"]
    assert ["InvalidRange"] == re.findall("<Code>(.*)</Code>", beyond.text)
    for odd in ("bytes=9-3", "rows=1-2", "bytes=-"):
        assert whole.content == web.get(path, headers={"range": odd}).content


def test_a_part_of_an_older_issue_is_not_sent(shared: Sandbox, web: httpx.Client) -> None:
    """With If-Range the whole new file comes instead."""
    path = f"/binance_vision{MONTH}"
    old = web.get(path)
    asked = {"range": "bytes=100-"}
    for said in ("etag", "last-modified"):
        same = web.get(path, headers={**asked, "if-range": old.headers[said]})
        assert (206, old.content[100:]) == (same.status_code, same.content)
    shared.order("reissue:BTCUSDT")
    new = web.get(path, headers={**asked, "if-range": old.headers["etag"]})

    assert (200, False) == (new.status_code, new.content == old.content)


def test_a_cut_download_is_resumed_to_the_same_bytes() -> None:
    """Half of a large file comes before the connection closes; the rest can be asked for."""
    path = key("BTCUSDT", "1m", "2026-01")
    settings = SandboxSettings(clock=FIXED.clock)
    with running(settings) as sandbox, httpx.Client(base_url=sandbox.url) as client:
        whole = client.get(f"/binance_vision{path}").content
        sandbox.order(f"cut_body:times=1,path=/binance_vision{path}")
        got = bytearray()
        with pytest.raises(httpx.RemoteProtocolError):
            taken(client, f"/binance_vision{path}", got)
        rest = client.get(f"/binance_vision{path}", headers={"range": f"bytes={len(got)}-"})

    assert len(whole) // 2 == len(got)
    assert whole == bytes(got) + rest.content
