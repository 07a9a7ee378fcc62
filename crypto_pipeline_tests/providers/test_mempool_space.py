"""What mempool.space recommends, tier by tier."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import MalformedReply, RateLimited
from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.mempool_space import MEMPOOL_SPACE
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Asking, Browser
from crypto_pipeline_tests.providers.telling import JSON, at, present, understood


def read(body: bytes) -> GasPrice:
    """What is understood of a body."""
    price = understood(MEMPOOL_SPACE, "gas_prices", Reply(200, JSON, body))["bitcoin"]
    assert isinstance(price, GasPrice)
    return price


def test_documented_reply_is_read_as_it_was_printed(corpus: Path) -> None:
    """An hour is slow, half an hour standard, the next block fast; no time of its own is told."""
    body = (corpus / "mempool_space/doc_fees_recommended.json").read_bytes()
    one = Decimal(1)

    assert GasPrice(None, slow_sat_vb=one, standard_sat_vb=one, fast_sat_vb=one) == read(body)


def test_tiers_are_not_mixed_up() -> None:
    """Each tier has the number of its name, fractions too."""
    body = json.dumps({"hourFee": 1.2, "halfHourFee": 2, "fastestFee": 3}).encode()

    assert (Decimal("1.2"), Decimal(2), Decimal(3)) == read(body)[8:11]


def test_present_value_can_be_stored(sandbox: Sandbox, browser: Browser) -> None:
    """The sandbox's recommendation breaks no promise, and slow is not dearer than fast."""
    price = present(Asking(at(sandbox, MEMPOOL_SPACE), browser), "gas_prices", "bitcoin/tiers")

    assert isinstance(price, GasPrice)
    assert price.broken_promise() is None
    assert sorted(price[8:11]) == [*price[8:11]]


def test_too_many_requests_are_a_pause(sandbox: Sandbox, browser: Browser) -> None:
    """It says 429 and does not say for how long."""
    sandbox.order("429")

    with pytest.raises(RateLimited):
        present(Asking(at(sandbox, MEMPOOL_SPACE), browser), "gas_prices", "bitcoin/tiers")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"7", b'{"hourFee": null}', b'{"hourFee": 1}'])
def test_odd_body_is_malformed(body: bytes) -> None:
    """A tier that is missing makes the answer none."""
    with pytest.raises(MalformedReply):
        read(body)


def test_only_its_own_series_is_told() -> None:
    """It recommends for Bitcoin alone, and tells no history."""
    snapshot = MEMPOOL_SPACE.snapshots["gas_prices"]

    assert ["bitcoin", None, None] == [
        snapshot.name(one) for one in ("bitcoin/tiers", "ethereum/tiers", "bitcoin/fees")
    ]
