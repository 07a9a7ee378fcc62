"""The line: what is collected, and who serves it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.listings import read_calendar
from crypto_pipeline.market.datasets import NEWS, OHLC
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.ledger import Ledger

SINCE = datetime(2024, 2, 28, tzinfo=UTC)


def test_line_registers_its_series(make_line: Callable[..., Line]) -> None:
    """The ledger expects just the line's series, and gives each an id."""
    line = make_line(SINCE, "BTC-USDT", "ETH-USDT")

    assert {"binance/BTC-USDT/1m", "binance/ETH-USDT/1m"} == set(line.register(SINCE))
    assert Ledger(line.database) == line.ledger


def test_venue_leads_to_its_provider(make_line: Callable[..., Line]) -> None:
    """A venue is served by the provider of its name, or by nobody, which is told."""
    line = make_line(SINCE)

    assert line.providers["binance"] is line.provider("binance")
    with pytest.raises(UsageError, match="no provider serves kraken: it is disabled or unknown"):
        line.provider("kraken")
    with pytest.raises(UsageError, match="no provider serves binance"):
        replace(line, providers={}).provider("binance")


def test_each_venue_is_named_once(make_line: Callable[..., Line]) -> None:
    """However many series a venue has, it is one venue; the order is always the same."""
    line = make_line(SINCE, "BTC-USDT", "ETH-USDT")
    kraken = tuple(replace(one, venue="kraken") for one in line.series)

    assert ["binance"] == line.venues
    assert ["binance", "kraken"] == replace(line, series=(*kraken, *line.series)).venues
    assert [] == replace(line, series=()).venues


def test_line_pauses_as_it_is_told(make_line: Callable[..., Line], sandbox: Sandbox) -> None:
    """Pauses between tries, in fetching as in reading the calendar, pass by the line's own sleep."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    line = replace(make_line(SINCE), sleep=sleep)
    sandbox.order("500:times=2")
    ingest(line, Window.of_day(SINCE.date()), now=SINCE + DAY)
    fetching = len(slept)
    sandbox.order("500:times=1")
    read_calendar(line, SINCE + DAY)

    assert (2, 3) == (fetching, len(slept))
    assert all(0 < pause < 1 for pause in slept)


def test_what_would_be_dropped_at_once_is_never_expected(make_line: Callable[..., Line]) -> None:
    """The calendar begins at the later of the first day wanted and the first day kept."""
    now = SINCE + 90 * DAY
    line = replace(make_line(SINCE), retention={"ohlc": 40})
    line.register(now)
    wanted = line.ledger.missing(OHLC, Window(SINCE, now), now)["binance/BTC-USDT/1m"]
    keeping = line.keeping(OHLC, now)

    assert keeping is not None
    assert keeping.edge == min(wanted).start == datetime(2024, 4, 1, tzinfo=UTC)
    assert line.keeping(NEWS, now) is None
