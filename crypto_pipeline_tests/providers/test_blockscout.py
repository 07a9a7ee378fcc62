"""Blockscout's gas prices: numbers or objects, and the time they were made."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crypto_pipeline.errors import MalformedReply, TransientError
from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.providers.blockscout import BLOCKSCOUT
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Asking, Browser
from crypto_pipeline_tests.providers.telling import JSON, at, present, understood


def read(body: object) -> GasPrice:
    """What is understood of a body."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    price = understood(BLOCKSCOUT, "gas_prices", Reply(200, JSON, content))["ethereum"]
    assert isinstance(price, GasPrice)
    return price


def test_documented_reply_is_read_as_it_was_printed(corpus: Path) -> None:
    """Slow, average and fast are the tiers, of the time at which they were made."""
    assert GasPrice(
        datetime(2025, 3, 10, 14, 47, 27, 175157, tzinfo=UTC),
        slow_gwei=Decimal("0.1"),
        standard_gwei=Decimal("0.57"),
        fast_gwei=Decimal("1.05"),
    ) == read((corpus / "blockscout/stats_story_2025-03-10.json").read_bytes())


def test_price_may_be_an_object() -> None:
    """Explorers that are configured so tell price, time and fiat of each tier."""
    told: dict[str, Any] = {tier: {"price": 1.5, "time": 9} for tier in ("slow", "average", "fast")}

    assert (Decimal("1.5"),) * 3 == read({"gas_prices": told})[5:8]


def test_tier_without_a_price_is_none() -> None:
    """After a quiet hour a tier is null; the others stand."""
    told = {"slow": None, "average": 2, "fast": 3}

    assert (None, Decimal(2), Decimal(3)) == read({"gas_prices": told})[5:8]


def test_present_value_can_be_stored(sandbox: Sandbox, browser: Browser) -> None:
    """The sandbox's prices are of now and break no promise."""
    price = present(Asking(at(sandbox, BLOCKSCOUT), browser), "gas_prices", "ethereum/tiers")

    assert isinstance(price, GasPrice)
    assert price.broken_promise() is None
    assert price.observed_at is not None


def test_failure_that_may_pass_is_transient(sandbox: Sandbox, browser: Browser) -> None:
    """A page instead of JSON is asked for again."""
    sandbox.order("html")

    with pytest.raises(TransientError):
        present(Asking(at(sandbox, BLOCKSCOUT), browser), "gas_prices", "ethereum/tiers")


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"7", b'{"gas_prices": null}', b'{"gas_prices": {"slow": 1}}']
)
def test_odd_body_is_malformed(body: bytes) -> None:
    """JSON without prices is never read as prices."""
    with pytest.raises(MalformedReply):
        read(body)
