"""Coinbase's protocol: what is asked, what recorded replies say, and what its refusals mean."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crypto_pipeline.errors import HostRefused, ProviderError, RateLimited, RequestRejected
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.candles import candle_question
from crypto_pipeline.providers.coinbase import COINBASE
from crypto_pipeline.providers.declaration import Listed, Reply
from crypto_pipeline_tests.market.examples import series_of

assert COINBASE.candles is not None
assert COINBASE.instruments is not None
CANDLES, INSTRUMENTS = COINBASE.candles, COINBASE.instruments
JSON = {"content-type": "application/json; charset=utf-8"}
START = datetime(2024, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def recorded(path: Path) -> Reply:
    """A recorded reply."""
    return Reply(200, JSON, path.read_bytes())


def printed(candle: Candle) -> list[object]:
    """A candle in Coinbase's order."""
    opened = (candle.open_time - EPOCH) // timedelta(seconds=1)
    return [opened, candle.low, candle.high, candle.open, candle.close, candle.volume]


def exactly(rows: Sequence[Sequence[Any]]) -> list[list[object]]:
    """Rows of a recording with their numbers as they were printed."""
    return [[int(row[0]), *map(Decimal, row[1:])] for row in rows]


def test_recorded_page_is_read_as_it_was_printed(corpus: Path) -> None:
    """Each number of each candle, newest first; neither quote volume nor trades are told."""
    path = corpus / "coinbase" / "candles_BTC-USD_60s_2025-08-18.json"
    rows = json.loads(path.read_bytes(), parse_float=str, parse_int=str)
    candles = CANDLES.rows(recorded(path))

    assert exactly(rows) == [*map(printed, candles)]
    assert {(None, None)} == {(one.quote_volume, one.trade_count) for one in candles}
    assert len(candles) == 350


def test_recorded_products_are_listed(corpus: Path) -> None:
    """All of them, each spelt as it is asked for; the delisted ones are halted."""
    path = corpus / "coinbase" / "products_2025.json"
    listed = INSTRUMENTS.rows(recorded(path))

    assert [row["id"] for row in json.loads(path.read_bytes())] == [one.symbol for one in listed]
    assert [one.symbol for one in listed] == [COINBASE.symbol(one.instrument) for one in listed]
    assert (456, 261) == (
        sum(one.status == "trading" for one in listed),
        sum(one.status == "halted" for one in listed),
    )


def test_window_is_asked_for_with_both_bounds_inside() -> None:
    """The last second asked for is the window's last; no page spans more than 300 buckets."""
    series = series_of("BTC-USD", venue="coinbase")
    question = candle_question(COINBASE, series, Window(START, START + 300 * MINUTE))

    assert "/products/BTC-USD/candles" == question.path
    assert {
        "granularity": "60",
        "start": "2024-03-01T00:00:00Z",
        "end": "2024-03-01T04:59:59Z",
    } == question.params


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (404, "NotFound", RequestRejected),
        (400, "Unsupported granularity", RequestRejected),
        (429, "Public rate limit exceeded", RateLimited),
        (403, "Forbidden", HostRefused),
    ],
)
def test_error_holds_the_venues_words(status: int, message: str, kind: type[ProviderError]) -> None:
    """The status says which kind it is, the message why."""
    fault = COINBASE.fault(Reply(status, JSON, json.dumps({"message": message}).encode()))

    assert (kind, f"HTTP {status}: {message}") == (type(fault), str(fault))


def test_product_without_a_name_here_is_passed_over() -> None:
    """Others are listed all the same; one whose trading is disabled does not trade."""
    rows = [
        {"id": f"{base}-USD", "base_currency": base, "quote_currency": "USD", "status": "online"}
        | {"trading_disabled": base == "ETH"}
        for base in ("BTC", "ETH", "bé")
    ]

    assert [
        Listed(Instrument("BTC", "USD"), "BTC-USD", "trading"),
        Listed(Instrument("ETH", "USD"), "ETH-USD", "halted"),
    ] == INSTRUMENTS.rows(Reply(200, JSON, json.dumps(rows).encode()))
