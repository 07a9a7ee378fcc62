"""A sandbox in a process of its own, whose clock the benchmark moves and whose market is wide enough."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from crypto_pipeline.cli.up import LOOPBACK, free_port, listens
from crypto_pipeline.market.assets import ASSETS
from crypto_pipeline.sandbox import coins, price_feeds
from crypto_pipeline.sandbox.binance import Binance
from crypto_pipeline.sandbox.listings import LISTINGS
from crypto_pipeline.sandbox.server import serve
from crypto_pipeline.sandbox.settings import SandboxSettings


@dataclass(slots=True)
class Market:
    """A sandbox that runs: where it is, and what time it is there."""

    url: str
    _seconds: Any

    @property
    def now(self) -> datetime:
        """The time of the sandbox."""
        return _moment(self._seconds.value)

    def slow_down(self, latency_ms: int) -> None:
        """Have every answer take that long from now on."""
        ordered = httpx.post(f"{self.url}/_sandbox/faults", json=[f"slow:ms={latency_ms}"])
        ordered.raise_for_status()

    def move_on(self, by: timedelta) -> None:
        """Have it be later."""
        self._seconds.value += by.total_seconds()


@contextmanager
def market(now: datetime) -> Iterator[Market]:
    """A market of every asset that we know, on Binance and CoinGecko."""
    context = multiprocessing.get_context("spawn")
    seconds = context.Value("d", now.timestamp())
    port = free_port()
    process = context.Process(target=_serve, args=(port, seconds), daemon=True)
    process.start()
    try:
        while not listens(LOOPBACK, port):
            time.sleep(0.1)
        yield Market(f"http://{LOOPBACK}:{port}", seconds)
    finally:
        process.terminate()
        process.join()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _serve(port: int, seconds: Any) -> None:
    """Serve until the end of the process."""
    _widen()
    serve(SandboxSettings(clock=lambda: _moment(seconds.value)), LOOPBACK, port)


def _widen() -> None:
    """Give Binance and CoinGecko the assets that the sandbox does not have."""
    known = {one.base for one in LISTINGS}
    added = [
        (one, replace(LISTINGS[-1], base=one.symbol)) for one in ASSETS if one.symbol not in known
    ]
    Binance.listings += tuple(listing for _, listing in added)
    price_feeds.COINS = coins.COINS = coins.COINS + tuple(
        coins.Coin(listing, one.asset_id, one.name, one.asset_id, 900_000 + number, 1_000_000)
        for number, (one, listing) in enumerate(added)
    )
