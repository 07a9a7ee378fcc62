"""Venues that cut pages otherwise, from their protocol to the ledger: whole, and each hole explained."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.listings import read_calendar
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.coinbase import COINBASE
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.providers.kraken import KRAKEN
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.ingestion.lines import (
    DUE,
    HOUR,
    MINUTE,
    MINUTES,
    NOW,
    SINCE,
    WHOLE,
    Lines,
    explanations,
    missing,
    run,
    store_of,
)
from crypto_pipeline_tests.market.examples import series_of

LATER = timedelta(minutes=6)
"""Time enough for another look to confirm what the one before found."""


@contextmanager
def line_at(make_line: Lines, provider: Provider) -> Iterator[tuple[Line, Sandbox]]:
    """A line of bitcoin's minutes in dollars from a sandbox whose clock shows NOW."""
    settings = SandboxSettings(weight_limit=None, clock=lambda: NOW)
    with running(settings) as sandbox:
        limits = replace(provider.limits, weight_per_minute=10_000_000)
        there = replace(provider, base_url=sandbox.base_url(provider.name), limits=limits)
        series = (series_of("BTC-USD", venue=provider.name),)
        line = replace(make_line(SINCE), providers={provider.name: there}, series=series)
        yield line, sandbox


def opened(line: Line) -> list[datetime]:
    """When the stored candles open."""
    return [row[0] for row in store_of(line).rows()]


def span(first: int, stop: int) -> Window:
    """Minutes after SINCE."""
    return Window(SINCE + first * MINUTE, SINCE + stop * MINUTE)


def quiet(sandbox: Sandbox, symbol: str, window: Window) -> None:
    """Have nobody trade in a window."""
    start, end = (f"{one:%Y-%m-%dT%H:%MZ}" for one in (window.start, window.end))
    sandbox.order(f"quiet:{symbol}:{start}/{end}")


def test_slots_newest_first_are_brought_whole(make_line: Lines) -> None:
    """Coinbase gives pages of 300 slots, newest first: every minute comes, in few requests."""
    with line_at(make_line, COINBASE) as (line, sandbox):
        run(line)

        assert [SINCE + number * MINUTE for number in range(MINUTES)] == opened(line)
        assert not missing(line)
        assert len(sandbox.requests()) == -(-MINUTES // 298)


@pytest.mark.parametrize("hole", [span(700, 702), span(100, 380), span(-5, 2)], ids=str)
def test_slots_without_a_trade_are_explained(make_line: Lines, hole: Window) -> None:
    """Rows on both sides in one answer prove it, at a page's edge and the first slot kept as well."""
    with line_at(make_line, COINBASE) as (line, sandbox):
        quiet(sandbox, "BTC-USD", hole)
        read_calendar(line, NOW)
        for look in range(3):
            run(line, now=NOW + look * LATER)
        kept = hole.intersection(WHOLE)
        assert kept is not None

        assert [(kept.start, kept.end, "no_trades")] == explanations(line)
        assert not missing(line, NOW + 2 * LATER, WHOLE)


def test_only_what_is_kept_is_asked_for(make_line: Lines) -> None:
    """Kraken keeps twelve hours of minutes; the rest is not to be had, and is told so at once."""
    with line_at(make_line, KRAKEN) as (line, sandbox):
        run(line)
        edge = DUE - 12 * HOUR

        assert [edge + number * MINUTE for number in range(1, 720)] == opened(line)
        assert [(SINCE, edge, "not_refillable")] == explanations(line)
        assert {"kraken/BTC-USD/1m": Runs((Window(edge, edge + MINUTE),))} == missing(line)
        assert len(sandbox.requests()) <= 2


def test_beginning_is_found_in_few_requests(make_line: Lines) -> None:
    """A venue that cannot be asked for its first candle is walked through by days, then by minutes."""
    with line_at(make_line, COINBASE) as (line, sandbox):
        read_calendar(line, NOW)
        ((listed_at,),) = store_of(line).select("select listed_at from warehouse.series")

        assert datetime(2017, 8, 17, 4, tzinfo=UTC) == listed_at
        assert len(sandbox.requests()) <= 12
