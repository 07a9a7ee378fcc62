"""Replies are late, cut or missing on the wire itself."""

import time

import httpx
import pytest

from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox

from .conftest import Start


def test_a_cut_body_is_shorter_than_it_says(shared: Sandbox, binance: httpx.Client) -> None:
    """Content-Length promises more than comes before the connection closes."""
    shared.order("cut_body:times=1")

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        binance.get("/api/v3/klines", params={"symbol": "BTCUSDT", "interval": "1m"})

    assert binance.get("/api/v3/ping").status_code == 200


def test_a_reset_gives_no_reply(shared: Sandbox, binance: httpx.Client) -> None:
    """The connection closes, the request is logged with status 0, and the next one is served."""
    shared.order("reset:times=1")

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        binance.get("/api/v3/ping")

    assert shared.requests()[-1].status == 0
    assert binance.get("/api/v3/ping").status_code == 200


def test_a_slow_reply_comes_late_and_holds_up_no_other(
    shared: Sandbox, binance: httpx.Client
) -> None:
    """A client with less patience gives up, another is served meanwhile."""
    shared.order("slow:ms=400,times=1")
    started = time.monotonic()

    with pytest.raises(httpx.ReadTimeout):
        binance.get("/api/v3/ping", timeout=0.1)

    assert binance.get("/api/v3/ping").status_code == 200
    assert time.monotonic() - started < 0.4


def test_latency_delays_every_reply(start: Start) -> None:
    """By as much as the settings say."""
    _, client = start(latency_ms=60)
    started = time.monotonic()
    client.get("/api/v3/ping")
    client.get("/api/v3/ping")

    assert time.monotonic() - started >= 0.12


def test_faults_can_be_ordered_before_the_start(start: Start) -> None:
    """The first request meets what the settings order."""
    _, client = start(faults=(Fault.parse("503:times=1"),))

    assert [client.get("/api/v3/ping").status_code for _ in range(2)] == [503, 200]
