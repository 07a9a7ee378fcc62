"""Faults are ordered and requests are read over HTTP while the sandbox runs."""

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox

from .conftest import Start


@pytest.fixture
def control(shared: Sandbox, binance: httpx.Client) -> str:
    """The control's address; what a test leaves behind goes with the client of the venue."""
    assert not binance.is_closed
    return f"{shared.url}/_sandbox"


def test_faults_are_added_listed_and_cleared(control: str, binance: httpx.Client) -> None:
    """Objects and compact strings alike, next to those already ordered."""
    httpx.post(f"{control}/faults", json=[{"kind": "500", "times": 1}])
    standing = httpx.post(f"{control}/faults", json=["503:times=2"]).json()
    statuses = [binance.get("/api/v3/ping").status_code for _ in range(2)]
    left = httpx.get(f"{control}/faults").json()
    cleared = httpx.delete(f"{control}/faults").json()

    assert [fault["kind"] for fault in standing] == ["500", "503"]
    assert statuses == [500, 503]
    assert [fault["kind"] for fault in left] == ["503"]
    assert cleared == []
    assert binance.get("/api/v3/ping").status_code == 200


@pytest.mark.parametrize("body", [b"[", b'{"kind":"500"}', b"[1]", b'["teapot"]'])
def test_a_wrong_order_is_refused_and_nothing_ordered(control: str, body: bytes) -> None:
    """HTTP 400 with one sentence."""
    reply = httpx.post(f"{control}/faults", content=body)

    assert (reply.status_code, list(reply.json())) == (400, ["error"])
    assert httpx.get(f"{control}/faults").json() == []


def test_requests_are_logged_with_what_became_of_them(control: str, binance: httpx.Client) -> None:
    """Path, query, status, weight and time of each, oldest first; the control's own are not."""
    binance.get("/api/v3/klines", params={"symbol": "BTCUSDT", "interval": "1m"})
    binance.get("/api/v3/klines", params={"symbol": "NOPE", "interval": "1m"})
    logged = httpx.get(f"{control}/requests").json()
    cleared = httpx.delete(f"{control}/requests").json()

    assert logged == [
        {
            "path": "/binance/api/v3/klines",
            "query": {"symbol": symbol, "interval": "1m"},
            "status": status,
            "weight": 2,
            "at": "2026-03-04T05:06:07.500000+00:00",
        }
        for symbol, status in (("BTCUSDT", 200), ("NOPE", 400))
    ]
    assert cleared == []


def test_the_log_is_bounded(start: Start) -> None:
    """The oldest requests go when it is full."""
    sandbox, client = start(log_size=3)
    for _ in range(4):
        client.get("/api/v3/ping")
    client.get("/api/v3/time")

    assert [received.path[-4:] for received in sandbox.requests()] == ["ping", "ping", "time"]
