"""Binance spot over real HTTP: what it answers, what it refuses, and in which words."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto_pipeline.sandbox.faults import PAGES, Fault
from crypto_pipeline.sandbox.grids import GRIDS
from crypto_pipeline.sandbox.server import Sandbox

from .conftest import NOW, Clock, Start

MINUTE, HOUR = 60_000, 3_600_000
NOW_MS = int(NOW.timestamp() * 1000)
FROM_3_TO_5 = "2026-03-04T03:00Z/2026-03-04T05:00Z"
AT_3, AT_5 = NOW_MS // HOUR * HOUR - 2 * HOUR, NOW_MS // HOUR * HOUR
KLINES = "/api/v3/klines"


def klines(client: httpx.Client, **params: Any) -> list[list[Any]]:
    """Rows of bitcoin's minutes unless asked otherwise."""
    reply = client.get(KLINES, params={"symbol": "BTCUSDT", "interval": "1m", **params})
    assert reply.status_code == 200, reply.text
    rows: list[list[Any]] = reply.json()
    return rows


def at_ms(moment: int) -> datetime:
    """The time of so many milliseconds."""
    return datetime.fromtimestamp(moment / 1000, UTC)


def shape(value: object) -> object:
    """The keys and types of a JSON value; a list has the shape of its first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__


def test_ping_and_time_answer(binance: httpx.Client) -> None:
    """An empty object, and the sandbox's clock in milliseconds."""
    assert binance.get("/api/v3/ping").json() == {}
    assert binance.get("/api/v3/time").json() == {"serverTime": NOW_MS}


def test_a_page_looks_like_the_recorded_one(corpus: Path, binance: httpx.Client) -> None:
    """Twelve cells of the recorded types, prices and volumes with eight decimals."""
    path = corpus / "binance" / "klines_BTCUSDT_1h_176rows_2023-01.json"
    recorded = json.loads(path.read_text())[0]
    (row,) = klines(binance, interval="1h", startTime=recorded[0], limit=1)

    assert [type(cell) for cell in row] == [type(cell) for cell in recorded]
    assert [len(str(cell).partition(".")[2]) for cell in row] == [
        len(str(cell).partition(".")[2]) for cell in recorded
    ]
    assert (row[0], row[6], row[11]) == (recorded[0], recorded[6], "0")


def test_exchange_info_has_the_recorded_shape(corpus: Path, binance: httpx.Client) -> None:
    """Every field and every filter of the recording is there, with the same types."""
    path = corpus / "binance" / "exchangeInfo_trimmed.json"
    recorded = json.loads(path.read_text())
    served = binance.get("/api/v3/exchangeInfo").json()
    theirs = {rule["filterType"]: rule for rule in recorded["symbols"][0]["filters"]}
    ours = {rule["filterType"]: rule for rule in served["symbols"][0]["filters"]}

    assert shape(served) == shape(recorded)
    assert shape(ours) == shape(theirs)
    assert served["rateLimits"] == recorded["rateLimits"]


def test_exchange_info_can_be_asked_for_some(binance: httpx.Client) -> None:
    """By one symbol or by several."""
    one = binance.get("/api/v3/exchangeInfo", params={"symbol": "BTCUSDT"}).json()
    two = binance.get("/api/v3/exchangeInfo", params={"symbols": '["SOLUSDT","BTCUSDT"]'}).json()

    assert [info["symbol"] for info in one["symbols"]] == ["BTCUSDT"]
    assert [info["symbol"] for info in two["symbols"]] == ["SOLUSDT", "BTCUSDT"]


def test_prices_lie_on_the_tick(binance: httpx.Client) -> None:
    """What exchangeInfo says about price and amount steps holds for the candles."""
    for symbol, tick in (("BTCUSDT", 1_000_000), ("DOGEUSDT", 1_000)):
        for row in klines(binance, symbol=symbol, limit=50):
            units = [round(float(cell) * 1e8) for cell in row[1:5]]

            assert all(unit % tick == 0 for unit in units)


@pytest.mark.parametrize("interval", GRIDS)
def test_every_interval_is_served_up_to_the_running_candle(
    binance: httpx.Client, interval: str
) -> None:
    """Ascending rows, the last of which is not closed yet."""
    rows = klines(binance, interval=interval, limit=3)
    opens = [row[0] for row in rows]

    assert opens == sorted(opens)
    assert rows[-1][0] <= NOW_MS <= rows[-1][6]
    assert [row[6] + 1 for row in rows[:-1]] == opens[1:]


def test_page_sizes_default_and_clamp(binance: httpx.Client) -> None:
    """500 rows unless asked, never more than 1000."""
    assert [len(klines(binance)), len(klines(binance, limit=5000))] == [500, 1000]


def test_microseconds_are_taken_as_well(binance: httpx.Client) -> None:
    """Times of sixteen digits ask for the same page."""
    start, end = NOW_MS - 5 * MINUTE, NOW_MS - MINUTE

    assert klines(binance, startTime=start, endTime=end) == klines(
        binance, startTime=start * 1000, endTime=end * 1000
    )


def test_a_page_before_the_listing_starts_with_it(binance: httpx.Client) -> None:
    """Solana was listed on 2020-08-11 at 06:00."""
    (row,) = klines(binance, symbol="SOLUSDT", interval="1h", startTime=0, limit=1)

    assert row[0] == 1597125600000


def test_a_symbol_not_listed_yet_is_unknown(start: Start) -> None:
    """A clock before the listing sees neither the symbol nor its candles."""
    _, client = start(clock=lambda: NOW.replace(year=2019))
    symbols = [info["symbol"] for info in client.get("/api/v3/exchangeInfo").json()["symbols"]]
    reply = client.get(KLINES, params={"symbol": "SOLUSDT", "interval": "1h"})

    assert "BTCUSDT" in symbols
    assert "SOLUSDT" not in symbols
    assert reply.json() == {"code": -1121, "msg": "Invalid symbol."}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(back=st.integers(0, 10**9), count=st.integers(1, 120), limit=st.integers(1, 50))
def test_any_split_into_pages_yields_the_same_rows(
    binance: httpx.Client, back: int, count: int, limit: int
) -> None:
    """Paging by the last open time plus one gives what one large page gives."""
    end = NOW_MS - back
    start = first = end - count * MINUTE
    pages: list[list[Any]] = []
    while part := klines(binance, startTime=start, endTime=end, limit=limit):
        pages += part
        start = part[-1][0] + 1

    assert pages == klines(binance, startTime=first, endTime=end, limit=1000)


def test_unknown_paths_are_html(binance: httpx.Client) -> None:
    """A 404 is no JSON, there or here."""
    reply = binance.get("/api/v1/klines")

    assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html")
    assert reply.text == "<html><body><h2>404 Not found</h2></body></html>"


def test_weights_add_up_in_the_headers(start: Start) -> None:
    """Klines cost 2, exchangeInfo 20, the others 1, refused or not."""
    _, client = start()
    paths = [f"{KLINES}?symbol=BTCUSDT&interval=1m", KLINES, "/api/v3/exchangeInfo", "/api/v3/time"]
    headers = [client.get(path).headers for path in paths]

    assert [used["X-MBX-USED-WEIGHT-1M"] for used in headers] == ["2", "4", "24", "25"]
    assert [used["X-MBX-USED-WEIGHT"] for used in headers] == ["2", "4", "24", "25"]


def test_too_much_weight_is_429_and_then_418(start: Start) -> None:
    """Both say when to come back; the ban comes to those who do not listen."""
    _, client = start(weight_limit=2)
    replies = [
        client.get(KLINES, params={"symbol": "BTCUSDT", "interval": "1m"}) for _ in range(12)
    ]
    limited, banned = replies[1], replies[11]

    assert [reply.status_code for reply in replies] == [200, *[429] * 10, 418]
    assert limited.headers["Retry-After"] == "53"
    assert limited.json() == {
        "code": -1003,
        "msg": "Too much request weight used; current limit is 2 request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
    }
    assert banned.headers["Retry-After"] == "120"
    assert banned.json() == {
        "code": -1003,
        "msg": f"Way too much request weight used; IP banned until {NOW_MS + 120_000}. "
        "Please use WebSocket Streams for live updates to avoid bans.",
    }


def test_page_faults_disarrange_klines_only(shared: Sandbox, binance: httpx.Client) -> None:
    """A page with too few, doubled or reordered rows; the time of day stays what it is."""
    whole = klines(binance, limit=10)
    pages = {}
    for kind in PAGES:
        shared.order(Fault(kind=kind, times=1))
        assert binance.get("/api/v3/time").json() == {"serverTime": NOW_MS}
        pages[kind] = klines(binance, limit=10)

    assert pages["empty_page"] == []
    assert pages["short_page"] == whole[:5]
    assert pages["stale_page"] == whole[:7]
    assert pages["holey_page"] == [*whole[:5], *whole[6:]]
    assert pages["duplicate_rows"] == sorted([*whole, whole[0], whole[7]])
    assert pages["reordered_rows"] != whole
    assert sorted(pages["reordered_rows"]) == whole
    assert klines(binance, limit=10) == whole


def test_an_outage_is_of_its_symbol_only(shared: Sandbox, binance: httpx.Client) -> None:
    """The rows were never there, for whoever asks, for as long as the outage stands."""
    span = {"startTime": NOW_MS - 600 * MINUTE, "endTime": NOW_MS, "limit": 1000}
    before = klines(binance, **span)
    shared.order("outage:BTCUSDT:2026-03-04T03:00Z/2026-03-04T05:00Z")
    during = klines(binance, **span)
    other = klines(binance, symbol="ETHUSDT", **span)
    shared.clear_faults()

    assert (len(before), len(during), len(other)) == (600, 480, 600)
    assert during == [row for row in before if row in during]
    assert klines(binance, **span) == before


def test_off_grid_rows_can_be_ordered(shared: Sandbox, binance: httpx.Client) -> None:
    """They open at hh:28:14.789 as in February 2018."""
    shared.order("off_grid:BTCUSDT:2026-03-03T00:00Z/2026-03-03T02:00Z")
    rows = klines(binance, interval="1h", startTime=1772492400000, limit=4)

    assert [row[0] % 3_600_000 for row in rows] == [0, 1_694_789, 1_694_789, 0]


def test_a_delisted_symbol_is_on_a_break(start: Start) -> None:
    """While the clock is in the span its status is BREAK; before and after it trades, as others do."""
    clock = Clock()
    sandbox, client = start(clock=clock)
    sandbox.order(f"delisted:BTCUSDT:{FROM_3_TO_5}")
    statuses = []
    for at in (AT_3 - 1, AT_3, AT_5 - 1, AT_5):
        clock.now = at_ms(at)
        listed = client.get("/api/v3/exchangeInfo").json()["symbols"]
        statuses.append({info["symbol"]: info["status"] for info in listed})

    assert ["TRADING", "BREAK", "BREAK", "TRADING"] == [status["BTCUSDT"] for status in statuses]
    assert {"TRADING"} == {status["ETHUSDT"] for status in statuses}


@pytest.mark.parametrize("kind", ["delisted", "unlisted"])
def test_what_was_not_traded_is_not_there_afterwards(start: Start, kind: str) -> None:
    """The rows of the span are in no page, whenever they are asked for; those around it are."""
    clock = Clock()
    sandbox, client = start(clock=clock)
    span = {"startTime": AT_3 - 5 * MINUTE, "endTime": AT_5 + 4 * MINUTE, "limit": 1000}
    before = klines(client, **span)
    expected = [row for row in before if not AT_3 <= row[0] < AT_5]
    sandbox.order(f"{kind}:BTCUSDT:{FROM_3_TO_5}")

    assert expected == klines(client, **span)
    assert (130, 10, 130) == (
        len(before),
        len(expected),
        len(klines(client, symbol="ETHUSDT", **span)),
    )
    clock.now += timedelta(days=400)
    assert expected == klines(client, **span)


def test_the_candles_before_a_delisting_stay(start: Start) -> None:
    """While it lasts, the newest row is the last that was traded."""
    sandbox, client = start(clock=Clock(at_ms(AT_3 + HOUR)))
    sandbox.order(f"delisted:BTCUSDT:{FROM_3_TO_5}")

    assert [AT_3 - 2 * MINUTE, AT_3 - MINUTE] == [row[0] for row in klines(client, limit=2)]
    assert [] == klines(client, startTime=AT_3)


def test_an_unlisted_symbol_is_unknown_while_the_clock_is_in_the_span(start: Start) -> None:
    """In no list, and refused by name; before and after it is as any other."""
    clock = Clock()
    sandbox, client = start(clock=clock)
    sandbox.order(f"unlisted:BTCUSDT:{FROM_3_TO_5}")
    paths = ("/api/v3/exchangeInfo?symbol=BTCUSDT", f"{KLINES}?symbol=BTCUSDT&interval=1m")
    known, replies = [], []
    for at in (AT_3 - 1, AT_3, AT_5 - 1, AT_5):
        clock.now = at_ms(at)
        listed = client.get("/api/v3/exchangeInfo").json()["symbols"]
        known.append({"BTCUSDT", "ETHUSDT"} & {info["symbol"] for info in listed})
        replies += [client.get(path) for path in paths]
    refused = [reply.json() for reply in replies if reply.status_code == 400]

    assert [{"BTCUSDT", "ETHUSDT"}, {"ETHUSDT"}, {"ETHUSDT"}, {"BTCUSDT", "ETHUSDT"}] == known
    assert [200, 200, *[400] * 4, 200, 200] == [reply.status_code for reply in replies]
    assert [{"code": -1121, "msg": "Invalid symbol."}] * 4 == refused
