"""Binance USD-M over real HTTP: what is not as at spot."""

from collections.abc import Iterator

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox

from .conftest import Start

KLINES = "/fapi/v1/klines?symbol=BTCUSDT&interval=1m"
INFO = "/fapi/v1/exchangeInfo"


@pytest.fixture
def usdm(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of the shared sandbox's futures."""
    with httpx.Client(base_url=shared.base_url("binance_usdm")) as client:
        yield client
    shared.clear_requests()


@pytest.mark.parametrize(
    ("asked", "weight"),
    [
        *((f"{KLINES}&limit=99", 1), (f"{KLINES}&limit=100", 2), (f"{KLINES}&limit=499", 2)),
        *((f"{KLINES}&limit=500", 5), (f"{KLINES}&limit=1000", 5), (f"{KLINES}&limit=1500", 10)),
        *((KLINES, 5), (f"{KLINES}&limit=x", 5), (INFO, 1), ("/fapi/v1/time", 1)),
    ],
)
def test_weight_is_by_the_limit(start: Start, asked: str, weight: int) -> None:
    """Not by the rows that come; where no limit is given the default one counts."""
    sandbox, _ = start()
    headers = httpx.get(f"{sandbox.base_url('binance_usdm')}{asked}").headers

    assert str(weight) == headers["x-mbx-used-weight-1m"]


def test_page_holds_fifteen_hundred_rows(usdm: httpx.Client) -> None:
    """And no more, whatever is asked for."""
    assert [500, 1500, 1500] == [
        len(usdm.get(f"{KLINES}{limit}").json()) for limit in ("", "&limit=1500", "&limit=2000")
    ]


def test_history_begins_with_the_first_contract(usdm: httpx.Client) -> None:
    """Spot is two years older."""
    (row,) = usdm.get(f"{KLINES}&startTime=0&limit=1").json()

    assert 1567965420000 == row[0]


def test_list_tells_perpetual_contracts_from_others(usdm: httpx.Client) -> None:
    """Of bitcoin there is one with an end as well."""
    kinds = {one["symbol"]: one["contractType"] for one in usdm.get(INFO).json()["symbols"]}

    assert ("PERPETUAL", "CURRENT_QUARTER") == (kinds["BTCUSDT"], kinds["BTCUSDT_260304"])


def test_spots_paths_are_unknown(usdm: httpx.Client) -> None:
    """Futures have a host of their own."""
    assert 404 == usdm.get("/api/v3/ping").status_code
    assert {} == usdm.get("/fapi/v1/ping").json()
