"""What the exchanges of the sandbox share, over real HTTP: pages, faults of the market, refusals."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from crypto_pipeline.sandbox.app import EXCHANGES
from crypto_pipeline.sandbox.server import Sandbox

from .conftest import NOW

MINUTE = 60
AT = int(datetime(2026, 3, 4, 3, tzinfo=UTC).timestamp())
FROM_3_TO_310 = "2026-03-04T03:00Z/2026-03-04T03:10Z"
LONG = "2020-01-01/2030-01-01"


@pytest.fixture
def coinbase(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of the shared sandbox's Coinbase; no fault survives the test."""
    with httpx.Client(base_url=shared.base_url("coinbase")) as client:
        yield client
    shared.clear_faults()


@pytest.fixture
def kraken(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of the shared sandbox's Kraken; no fault survives the test."""
    with httpx.Client(base_url=shared.base_url("kraken")) as client:
        yield client
    shared.clear_faults()


def iso(seconds: int) -> str:
    """The time as Coinbase is told it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def buckets(client: httpx.Client, first: int = AT, last: int = AT + 9 * MINUTE) -> list[Any]:
    """Bitcoin's minutes at Coinbase."""
    params = {"granularity": 60, "start": iso(first), "end": iso(last)}
    reply = client.get("/products/BTC-USD/candles", params=params)
    assert reply.status_code == 200, reply.text
    rows: list[Any] = reply.json()
    return rows


def pair(client: httpx.Client, since: int = AT, name: str = "XBTUSD") -> list[Any]:
    """Bitcoin's minutes at Kraken, as of a time."""
    params: dict[str, str | int] = {"pair": name, "interval": 1, "since": since - 1}
    body = client.get("/0/public/OHLC", params=params).json()
    assert [] == body["error"]
    (rows,) = (rows for name, rows in body["result"].items() if name != "last")
    found: list[Any] = rows
    return found


def test_names_are_unique() -> None:
    """No two exchanges lie under one path."""
    names = [exchange.name for exchange in EXCHANGES]

    assert sorted(set(names)) == sorted(names)


def test_rows_are_newest_first_with_both_bounds(coinbase: httpx.Client) -> None:
    """Coinbase prints the newest bucket first, and both bounds are inclusive."""
    assert [AT + number * MINUTE for number in reversed(range(10))] == [
        row[0] for row in buckets(coinbase)
    ]


def test_low_and_high_come_before_open_and_close(coinbase: httpx.Client) -> None:
    """As Coinbase orders them: the low is the least of all four, the high the greatest."""
    for _, low, high, first, last, volume in buckets(coinbase):
        assert low <= min(first, last) <= max(first, last) <= high
        assert volume > 0


def test_more_buckets_than_a_page_are_refused(coinbase: httpx.Client) -> None:
    """Three hundred come, one more is an error in Coinbase's words."""
    assert len(buckets(coinbase, AT - 299 * MINUTE, AT)) == 300
    params = {"granularity": 60, "start": iso(AT - 300 * MINUTE), "end": iso(AT)}
    refused = coinbase.get("/products/BTC-USD/candles", params=params)

    assert refused.status_code == 400
    assert refused.json()["message"].endswith("Count of aggregations requested exceeds 300")


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("granularity=61", 400, "Unsupported granularity"),
        ("granularity=60&start=noon", 400, "Unsupported granularity"),
    ],
)
def test_odd_query_is_refused(
    coinbase: httpx.Client, query: str, status: int, message: str
) -> None:
    """In the venue's own words, never with a broken connection."""
    reply = coinbase.get(f"/products/BTC-USD/candles?{query}")

    assert (status, {"message": message}) == (reply.status_code, reply.json())


def test_quiet_slots_are_omitted_or_flat(
    shared: Sandbox, coinbase: httpx.Client, kraken: httpx.Client
) -> None:
    """Without a trade Coinbase has no bucket, and Kraken one without volume."""
    shared.order(f"quiet:BTC-USD:{FROM_3_TO_310}", f"quiet:XBTUSD:{FROM_3_TO_310}")
    times = [row[0] for row in buckets(coinbase, AT - 2 * MINUTE, AT + 11 * MINUTE)]
    rows = [row for row in pair(kraken) if row[0] < AT + 10 * MINUTE]

    assert [AT + number * MINUTE for number in (11, 10, -1, -2)] == times
    assert [AT + number * MINUTE for number in range(10)] == [row[0] for row in rows]
    assert {(1, "0.00000", "0.00000000", 0)} == {(len({*row[1:5]}), *row[5:]) for row in rows}


@pytest.mark.parametrize("kind", ["outage", "delisted"])
def test_outage_has_no_rows_at_all(shared: Sandbox, kraken: httpx.Client, kind: str) -> None:
    """Whether nobody trades or the venue is out of order is not the same."""
    shared.order(f"{kind}:XBTUSD:{FROM_3_TO_310}")

    assert AT + 10 * MINUTE == pair(kraken)[0][0]


def test_pair_that_is_unlisted_is_unknown(shared: Sandbox, coinbase: httpx.Client) -> None:
    """It is neither listed nor known by name."""
    shared.order(f"unlisted:ETH-USD:{LONG}")
    products = {one["id"] for one in coinbase.get("/products").json()}

    assert "BTC-USD" in products
    assert "ETH-USD" not in products
    assert {"message": "NotFound"} == coinbase.get("/products/ETH-USD/candles").json()


def test_pair_that_is_delisted_trades_no_more(shared: Sandbox, coinbase: httpx.Client) -> None:
    """It stays in the list."""
    shared.order(f"delisted:ETH-USD:{LONG}")
    status = {one["id"]: one["status"] for one in coinbase.get("/products").json()}

    assert ("delisted", "online") == (status["ETH-USD"], status["BTC-USD"])


def test_stale_page_lacks_the_newest_rows(shared: Sandbox, coinbase: httpx.Client) -> None:
    """Whatever the order in which they are printed."""
    shared.order("stale_page:BTC-USD")

    assert [AT + number * MINUTE for number in reversed(range(7))] == [
        row[0] for row in buckets(coinbase)
    ]


def test_short_page_lacks_what_is_printed_last(shared: Sandbox, coinbase: httpx.Client) -> None:
    """Newest first, that is the oldest."""
    shared.order("short_page")

    assert [AT + number * MINUTE for number in (9, 8, 7, 6, 5)] == [
        row[0] for row in buckets(coinbase)
    ]


def test_only_the_newest_candles_are_kept(kraken: httpx.Client) -> None:
    """Seven hundred and twenty, the running one among them, whatever is asked for."""
    running = int(NOW.timestamp()) // MINUTE * MINUTE
    rows = pair(kraken, since=AT - 100_000 * MINUTE)

    assert [running - 719 * MINUTE, running] == [rows[0][0], rows[-1][0]]
    assert len(rows) == 720


def test_since_is_exclusive_and_the_running_candle_always_there(kraken: httpx.Client) -> None:
    """A candle that opened at ``since`` is not given; the last one is, and the cursor is before it."""
    later = int((NOW + timedelta(hours=1)).timestamp())
    running = int(NOW.timestamp()) // MINUTE * MINUTE
    body = kraken.get("/0/public/OHLC", params={"pair": "XBTUSD", "since": running}).json()

    assert AT + MINUTE == pair(kraken, since=AT + 1)[0][0]
    assert [running] == [row[0] for row in pair(kraken, since=later)]
    assert [*body["result"]] == ["XXBTZUSD", "last"]


def test_error_comes_with_status_200(shared: Sandbox, kraken: httpx.Client) -> None:
    """Kraken's words for a pair it does not know, and for too many requests."""
    unknown = kraken.get("/0/public/OHLC?pair=NOSUCHUSD")
    shared.order("429:times=1,retry_after=3")
    slow = kraken.get("/0/public/OHLC?pair=XBTUSD")

    assert (200, ["EQuery:Unknown asset pair"]) == (unknown.status_code, unknown.json()["error"])
    assert (200, ["EAPI:Rate limit exceeded"]) == (slow.status_code, slow.json()["error"])
    assert "3" == slow.headers["retry-after"]


@pytest.mark.parametrize(
    ("kind", "status", "media"),
    [
        ("418", 418, "application/json;charset=UTF-8"),
        ("451", 403, "text/html"),
        ("403_html", 403, "text/html"),
        ("500", 500, "text/html"),
        ("503", 503, "text/html"),
        ("garbage", 200, "application/json;charset=UTF-8"),
        ("html", 200, "text/html"),
    ],
)
def test_refusals_are_the_same_for_all(
    shared: Sandbox, coinbase: httpx.Client, kind: str, status: int, media: str
) -> None:
    """What stands before a venue words them, or nobody does."""
    shared.order(kind)
    reply = coinbase.get("/products")

    assert (status, media) == (reply.status_code, reply.headers["content-type"])


def test_binance_us_is_another_binance(shared: Sandbox) -> None:
    """The same protocol under a path of its own, with a weight of its own."""
    with httpx.Client(base_url=shared.base_url("binance_us")) as client:
        reply = client.get("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=2")

    assert len(reply.json()) == 2
    assert "2" == reply.headers["x-mbx-used-weight-1m"]


def test_list_looks_like_the_recorded_one(coinbase: httpx.Client, kraken: httpx.Client) -> None:
    """Fields that are read are there."""
    product = coinbase.get("/products").json()[0]
    asset = kraken.get("/0/public/AssetPairs").json()["result"]["XXBTZUSD"]

    assert ("BTC-USD", "online", False) == (
        product["id"],
        product["status"],
        product["trading_disabled"],
    )
    assert ("XBTUSD", "XBT/USD", "XXBT", "ZUSD") == (
        *(asset["altname"], asset["wsname"]),
        *(asset["base"], asset["quote"]),
    )
