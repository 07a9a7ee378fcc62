"""What the exchanges print has the shape of what was recorded, and their pages are cut as recorded."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox

MINUTE = 60_000
BITFINEX = "/v2/candles/trade:1m:tBTCUSD/hist"
BITSTAMP = "/api/v2/ohlc/btcusd/"
POLONIEX = "/markets/BTC_USDT/candles"
UPBIT = "/v1/candles/minutes/1?market=KRW-BTC"
DAYS_OF_2019 = (1546300800, 1577836799)
QUARTERS = (1720120800000, 1720128300000)


def said(sandbox: Sandbox, venue: str, path: str, status: int = 200) -> Any:
    """What the venue answers."""
    reply = httpx.get(sandbox.base_url(venue) + path)
    assert status == reply.status_code
    return reply.json()


def recorded(corpus: Path, file: str) -> Any:
    """What was recorded."""
    return json.loads((corpus / file).read_bytes())


def shape(value: Any) -> Any:
    """The names and kinds in a body, of a table those of its first row."""
    match value:
        case dict():
            return {name: shape(inner) for name, inner in value.items()}
        case [dict() | list() as row, *_]:
            return [shape(row)]
        case list():
            return [*map(shape, value)]
        case int() | float():
            return "number"
        case _:
            return type(value).__name__


@pytest.mark.parametrize(
    ("venue", "path", "file"),
    [
        ("bitfinex", BITFINEX, "bitfinex/candles_1m_tBTCUSD_2025-08-10.json"),
        ("bitstamp", f"{BITSTAMP}?step=60&limit=3", "bitstamp/ohlc_btcusd_1d_2019.json"),
        (
            "cryptocom",
            "/exchange/v1/public/get-candlestick?instrument_name=BTC_USDT",
            "cryptocom/ccxtdoc_fetch_ohlcv_1.json",
        ),
        ("gemini", "/v2/candles/btcusd/5m", "gemini/ccxtdoc_fetch_ohlcv_1.json"),
        (
            "htx",
            "/market/history/kline?symbol=btcusdt&period=1min",
            "htx/ccxtdoc_fetch_ohlcv_1.json",
        ),
        ("poloniex", f"{POLONIEX}?interval=MINUTE_5", "poloniex/candles_BTC_USDT_5m_2024.json"),
        ("upbit", UPBIT, "upbit/ccxtdoc_fetch_ohlcv_1.json"),
    ],
)
def test_candles_are_printed_as_recorded(
    shared: Sandbox, corpus: Path, venue: str, path: str, file: str
) -> None:
    """Names, their kinds, and the number of fields are those of the recorded reply."""
    assert shape(recorded(corpus, file)) == shape(said(shared, venue, path))


@pytest.mark.parametrize(
    ("venue", "path", "status", "file"),
    [
        (
            "bitfinex",
            "/v2/candles/trade:1m:tNOSUCH/hist",
            500,
            "bitfinex/errors/500_error_array.json",
        ),
        ("gemini", "/v2/candles/nosuch/1m", 400, "gemini/errors/pubticker_invalid_symbol.json"),
    ],
)
def test_unknown_symbol_is_refused_as_recorded(
    shared: Sandbox, corpus: Path, venue: str, path: str, status: int, file: str
) -> None:
    """An error has the recorded shape."""
    assert shape(recorded(corpus, file)) == shape(said(shared, venue, path, status))


def test_bitstamp_ignores_a_start_beside_an_end(shared: Sandbox, corpus: Path) -> None:
    """A thousand days up to the end were recorded where the days of a year were asked for."""
    start, end = DAYS_OF_2019
    query = f"?step=86400&limit=1000&start={start}&end={end}"
    rows, there = (
        body["data"]["ohlc"]
        for body in (
            said(shared, "bitstamp", BITSTAMP + query),
            recorded(corpus, "bitstamp/ohlc_btcusd_1d_2019.json"),
        )
    )

    assert there[-1]["timestamp"] == rows[-1]["timestamp"]
    assert min(int(row["timestamp"]) for row in rows) < start


def test_poloniex_leaves_out_its_end(shared: Sandbox, corpus: Path) -> None:
    """The very slots of the recorded reply answer the recorded question."""
    start, end = QUARTERS
    query = f"?interval=MINUTE_5&limit=500&startTime={start}&endTime={end}"
    expected = [row[12] for row in recorded(corpus, "poloniex/candles_BTC_USDT_5m_2024.json")]

    assert expected == [row[12] for row in said(shared, "poloniex", POLONIEX + query)]


def test_bitfinex_sorts_as_it_is_told(shared: Sandbox) -> None:
    """The newest come first, or the oldest where ``sort`` is 1; both bounds are inclusive."""
    start = QUARTERS[0]
    query = f"?start={start}&end={start + 5 * MINUTE}&limit=3"
    first = [start + slot * MINUTE for slot in range(6)]

    assert first[:2:-1] == [row[0] for row in said(shared, "bitfinex", BITFINEX + query)]
    assert first[:3] == [row[0] for row in said(shared, "bitfinex", f"{BITFINEX}{query}&sort=1")]


def test_upbit_leaves_out_its_end(shared: Sandbox) -> None:
    """``to`` is exclusive, and the newest candle comes first."""
    rows = said(shared, "upbit", f"{UPBIT}&to=2024-03-01T00:03:00Z&count=2")

    assert ["2024-03-01T00:02:00", "2024-03-01T00:01:00"] == [
        row["candle_date_time_utc"] for row in rows
    ]


@pytest.mark.parametrize(
    ("venue", "path", "status"),
    [
        ("bitfinex", f"{BITFINEX}?limit=10001", 500),
        ("bitstamp", f"{BITSTAMP}?step=60&limit=1001", 400),
        ("bitstamp", f"{BITSTAMP}?step=61&limit=1", 400),
        ("bitstamp", BITSTAMP, 400),
        ("cryptocom", "/exchange/v1/public/get-candlestick?instrument_name=A&count=301", 400),
        ("htx", "/market/history/kline?symbol=btcusdt&period=1min&size=2001", 200),
        ("poloniex", f"{POLONIEX}?interval=MINUTE_5&limit=501", 400),
        ("upbit", f"{UPBIT}&count=201", 400),
    ],
)
def test_odd_question_is_refused(shared: Sandbox, venue: str, path: str, status: int) -> None:
    """More rows than a page holds, or an interval that is not there, are an error in its words."""
    body = said(shared, venue, path, status)

    assert "error" in body or body.keys() & {"error", "errors", "code", "err-code"}
