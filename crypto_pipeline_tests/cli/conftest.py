"""A warehouse with hourly candles of two whole days, and the environment to look at it."""

from collections.abc import Callable

import pytest

from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline_tests.cli.commands import HOURLY, since


@pytest.fixture
def line(make_line: Callable[..., Line], settings_environment: dict[str, str]) -> Line:
    """What the processes of the test's environment work with."""
    return make_line(since(settings_environment), "BTC-USDT", "ETH-USDT", interval="1h")


@pytest.fixture
def filled(line: Line, settings_environment: dict[str, str]) -> dict[str, str]:
    """The environment of a warehouse that holds the first and the second day, and not the third."""
    start = line.since
    ingest(line, Window(start, start + 2 * DAY), now=start + 3 * DAY)
    return settings_environment | HOURLY
