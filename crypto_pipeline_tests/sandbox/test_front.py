"""Replies are late, cut or missing on the wire itself."""

import time
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox

from .conftest import Clock, Start


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


@pytest.mark.parametrize("path", ["/api/v3/ping", "/api/v3/klines", "/nowhere"])
def test_a_reply_is_dated_by_the_clock_of_the_sandbox(start: Start, path: str) -> None:
    """In the one format that HTTP has, once, whatever became of the request."""
    clock = Clock(datetime(2019, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC))
    _, client = start(clock=clock)
    first = client.get(path).headers.get_list("date")
    clock.now += timedelta(days=1)

    assert ["Sun, 03 Feb 2019 04:05:06 GMT"] == first
    assert ["Mon, 04 Feb 2019 04:05:06 GMT"] == client.get(path).headers.get_list("date")


def test_a_refusal_is_dated_too(shared: Sandbox, binance: httpx.Client) -> None:
    """A host that has no time for us still tells it."""
    shared.order("451:times=1")

    assert "Wed, 04 Mar 2026 05:06:07 GMT" == binance.get("/api/v3/ping").headers["date"]


def test_a_clock_of_another_zone_is_dated_in_gmt(start: Start) -> None:
    """HTTP knows no other."""
    abroad = datetime(2026, 3, 4, 7, tzinfo=timezone(timedelta(hours=2)))
    _, client = start(clock=lambda: abroad)

    assert "Wed, 04 Mar 2026 05:00:00 GMT" == client.get("/api/v3/ping").headers["date"]
