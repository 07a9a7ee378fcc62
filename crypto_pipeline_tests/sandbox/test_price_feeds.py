"""The feeds of prices in the sandbox: they agree with the candles, and refuse as the real ones do."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.sandbox.conftest import NOW

MINUTE = 60_000
NOW_MS = round(NOW.timestamp() * 1000)
KEYS = {
    "authorization": "Bearer made-up",
    "x-cmc_pro_api_key": "made-up",
    "x-access-token": "made-up",
}
PRICES: dict[str, Callable[[Any], object]] = {
    "coingecko/simple/price?ids=bitcoin&vs_currencies=usd": lambda body: body["bitcoin"]["usd"],
    "coinpaprika/v1/tickers/btc-bitcoin": lambda body: body["quotes"]["USD"]["price"],
    "defillama/prices/current/coingecko:bitcoin": lambda body: body["coins"]["coingecko:bitcoin"][
        "price"
    ],
    "coinlore/api/tickers/": lambda body: body["data"][0]["price_usd"],
    "coincap/v3/assets?ids=bitcoin": lambda body: body["data"][0]["priceUsd"],
    "coinmarketcap/v1/cryptocurrency/quotes/latest?id=1": lambda body: body["data"]["1"]["quote"][
        "USD"
    ]["price"],
    "coinranking/v2/coins": lambda body: body["data"]["coins"][0]["price"],
    "coinbase_ticker/api/v3/brokerage/market/products/BTC-USD": lambda body: body["price"],
    "kraken_ticker/0/public/Ticker?assetVersion=1": lambda body: body["result"]["BTC/USD"]["c"][0],
    "bitfinex_ticker/v2/tickers?symbols=tBTCUSD": lambda body: body[0][7],
    "bitstamp_ticker/api/v2/ticker/": lambda body: body[0]["last"],
    "gemini_ticker/v2/ticker/BTCUSD": lambda body: body["close"],
}


@pytest.fixture
def feed(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of all feeds that has a key for each; no fault survives the test."""
    with httpx.Client(base_url=shared.url, headers=KEYS) as client:
        yield client
    shared.clear_faults()


def closes(client: httpx.Client, *ends: int) -> list[float]:
    """At what the minutes that ended then closed, by the candles."""
    path = "binance/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1&endTime={}"
    return [float(client.get(path.format(end - 1)).json()[0][4]) for end in ends]


@pytest.mark.parametrize("path", PRICES)
def test_price_is_the_last_close_of_the_candles(feed: httpx.Client, path: str) -> None:
    """Whoever is asked tells the price at which the last whole minute closed."""
    expected = closes(feed, NOW_MS // MINUTE * MINUTE)[0]

    assert expected == float(str(PRICES[path](feed.get(path).json())))


def test_past_prices_are_closes_of_the_candles(feed: httpx.Client) -> None:
    """A history tells at each of its moments what the minute before it closed at."""
    start = NOW_MS // 300_000 * 300_000 - 1_800_000
    span = f"interval=m5&start={start}&end={start + 899_999}"
    rows = feed.get(f"coincap/v3/assets/bitcoin/history?{span}").json()["data"]

    assert [start, start + 300_000, start + 600_000] == [row["time"] for row in rows]
    assert closes(feed, *(row["time"] for row in rows)) == [float(row["priceUsd"]) for row in rows]


def test_chart_of_a_day_is_off_the_grid_and_ends_now(feed: httpx.Client, corpus: Path) -> None:
    """288 points of five minutes and the present one, in the columns of the recorded reply."""
    body = (corpus / "coingecko/market_chart_bitcoin_usd_1d_5min.json").read_bytes()
    chart = feed.get("coingecko/coins/bitcoin/market_chart?vs_currency=usd&days=1").json()
    times = [point[0] for point in chart["prices"]]

    assert json.loads(body).keys() == chart.keys()
    assert 289 == len(times)
    assert {33_053} == {time % 300_000 for time in times[:-1]}
    assert NOW_MS // 1000 * 1000 == times[-1]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("coingecko/simple/price?ids=bitcoin", 422, "Missing parameter vs_currencies"),
        ("coingecko/coins/x/market_chart?vs_currency=usd&days=1", 404, "coin not found"),
        ("coinpaprika/v1/tickers/x", 404, "id not found"),
        ("coinpaprika/v1/tickers/btc-bitcoin/", 301, "Moved"),
        ("defillama/chart/a,b?start=0&span=300&period=5m", 400, "600 data points"),
        ("defillama/chart/a?start=0&span=3&end=9", 400, "not both"),
        ("defillama/chart/a?start=x&span=3", 400, "uint"),
        ("coincap/v3/assets/bitcoin/history?start=0&end=1", 400, "missing interval"),
        ("coinmarketcap/v1/cryptocurrency/quotes/latest?id=1,9", 400, "Invalid value"),
        ("coinmarketcap/v3/fear-and-greed/historical?limit=501", 400, "not allowed"),
        ("kraken_ticker/0/public/Ticker", 200, "EGeneral:Invalid arguments"),
        ("gemini_ticker/v2/ticker/XUSD", 400, "error"),
        ("coinlore/other", 404, "no such path"),
    ],
)
def test_wrong_question_is_refused_in_the_words_of_the_provider(
    feed: httpx.Client, path: str, status: int, words: str
) -> None:
    """The status and the reason are those of the provider."""
    reply = feed.get(path)

    assert status == reply.status_code
    assert words in reply.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("coincap/v3/assets", "API key required"),
        ("coinmarketcap/v3/fear-and-greed/latest", "API key missing."),
        ("coinranking/v2/coins", "AUTHENTICATION_FAILED"),
    ],
)
def test_nothing_is_told_without_a_key(shared: Sandbox, path: str, words: str) -> None:
    """Who brings no key, or something else in its place, is told that it lacks."""
    with httpx.Client(base_url=shared.url, headers={"authorization": "Basic x"}) as client:
        reply = client.get(path)

    assert 401 == reply.status_code
    assert words in reply.text


def test_chart_takes_the_nearest_minute_within_reach(feed: httpx.Client) -> None:
    """A moment has the record nearest to it, and none where that lies too far off."""
    start = NOW_MS // 1000 - 3600
    path = f"defillama/chart/coingecko:bitcoin?start={start}&span=3&period=300"
    near = feed.get(f"{path}&searchWidth=30").json()["coins"]["coingecko:bitcoin"]["prices"]

    assert [round((start + 300 * n) / 60) * 60 for n in range(3)] == [p["timestamp"] for p in near]
    assert {"coins": {}} == feed.get(f"{path}&searchWidth=1").json()


def test_market_faults_take_a_coin_away(shared: Sandbox, feed: httpx.Client) -> None:
    """A coin that is delisted has no price, then and there; the others have."""
    shared.order("delisted:bitcoin:2026-03-04T05:00Z/2026-03-05T00:00Z")
    path = "coingecko/simple/price?ids=bitcoin,ethereum&vs_currencies=usd"
    chart = feed.get("coingecko/coins/bitcoin/market_chart?vs_currency=usd&days=1").json()

    assert {"ethereum"} == feed.get(path).json().keys()
    assert all(time < NOW_MS // 3_600_000 * 3_600_000 for time, _ in chart["prices"])


def test_page_faults_spoil_pages_alone(shared: Sandbox, feed: httpx.Client) -> None:
    """A short page is half of the days; the present value is no page."""
    shared.order("short_page:times=1")
    assert 200 == feed.get("coinmarketcap/v3/fear-and-greed/latest").status_code
    path = "coinmarketcap/v3/fear-and-greed/historical?limit=10"

    assert [5, 10] == [len(feed.get(path).json()["data"]) for _ in range(2)]
