"""The line: what is collected, and who serves it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.ingestion.line import Line
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
