"""Etherscan's oracle: what it recommends, and the errors that it sends with 200."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import (
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.etherscan import ETHERSCAN
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Asking, Browser
from crypto_pipeline_tests.providers.telling import JSON, at, present, understood


def not_ok(why: str, status: int = 200) -> ProviderError | None:
    """What an error with these words means."""
    body = json.dumps({"status": "0", "message": "NOTOK", "result": why}).encode()
    return ETHERSCAN.fault(Reply(status, JSON, body))


def test_recorded_reply_is_read_as_it_was_printed(corpus: Path) -> None:
    """Safe, proposed and fast are the tiers; the base fee and the last block come with them."""
    body = (corpus / "etherscan/gasoracle_no_key_v1_2022.json").read_bytes()

    assert {
        "ethereum": GasPrice(
            None,
            base_fee_gwei=Decimal("80.856621497"),
            slow_gwei=Decimal(81),
            standard_gwei=Decimal(82),
            fast_gwei=Decimal(83),
            last_block=14836699,
        )
    } == understood(ETHERSCAN, "gas_prices", Reply(200, JSON, body))


def test_recorded_refusal_of_a_chain_is_permanent(corpus: Path) -> None:
    """A chain that is not free stays so however often it is asked for."""
    body = (corpus / "etherscan/errors/status0_notok_2.json").read_bytes()
    fault = ETHERSCAN.fault(Reply(200, JSON, body))

    assert isinstance(fault, RequestRejected)
    assert str(fault).startswith("Free API access is not supported for this chain.")


@pytest.mark.parametrize("name", ["status0_no_data_found_10", "status0_notok_7"])
def test_recorded_error_is_never_an_answer(corpus: Path, name: str) -> None:
    """Status 0 with 200 is an error whatever its words."""
    body = (corpus / f"etherscan/errors/{name}.json").read_bytes()

    assert isinstance(ETHERSCAN.fault(Reply(200, JSON, body)), RequestRejected)


@pytest.mark.parametrize(
    ("why", "meaning"),
    [
        ("Max calls per sec rate limit reached (3/sec)", RateLimited),
        ("Max rate limit reached, please use API Key for higher rate limit", RateLimited),
        ("Invalid API Key (#err2)|KEY-1", RequestRejected),
        ("Missing/Invalid API Key", RequestRejected),
        (
            "Free API access is temporarily unavailable due to unusually high network activity.",
            TransientError,
        ),
    ],
)
def test_words_of_an_error_tell_what_to_do(why: str, meaning: type[ProviderError]) -> None:
    """A limit is a pause, a key is no use, and what is temporary may pass."""
    assert meaning is type(not_ok(why))


def test_key_that_an_error_repeats_is_not_told() -> None:
    """What stands behind a bar stays out of messages."""
    assert "Invalid API Key (#err2)" == str(not_ok("Invalid API Key (#err2)|KEY-1"))


def test_present_value_can_be_stored(sandbox: Sandbox, browser: Browser) -> None:
    """With a key the sandbox recommends something, slow first."""
    asking = Asking(at(sandbox, ETHERSCAN, "secret"), browser)
    price = present(asking, "gas_prices", "ethereum/tiers")

    assert isinstance(price, GasPrice)
    assert price.broken_promise() is None
    assert sorted(price[5:8]) == [*price[5:8]]
    assert {"chainid": "1", "apikey": "secret"}.items() <= sandbox.requests()[-1].query.items()


def test_without_a_key_it_is_not_asked() -> None:
    """Whoever wants it is told which variable must hold one."""
    assert "ETHERSCAN_API_KEY" == ETHERSCAN.needs_key


def test_without_a_key_it_refuses_for_good(sandbox: Sandbox, browser: Browser) -> None:
    """Asking again would not help."""
    with pytest.raises(RequestRejected, match="API Key"):
        present(Asking(at(sandbox, ETHERSCAN), browser), "gas_prices", "ethereum/tiers")
    assert len(sandbox.requests()) == 1


@pytest.mark.parametrize("body", [b"{}", b"[]", b"7", b'{"status": "1", "result": {}}'])
def test_odd_body_is_malformed(body: bytes) -> None:
    """JSON that recommends nothing is never read as a recommendation."""
    with pytest.raises(MalformedReply):
        understood(ETHERSCAN, "gas_prices", Reply(200, JSON, body))
