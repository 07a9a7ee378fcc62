"""Those who recommend fees in the sandbox answer as the recorded ones do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox

ORACLE = {"chainid": "1", "module": "gastracker", "action": "gasoracle", "apikey": "any"}
Get = Callable[..., httpx.Response]


@pytest.fixture
def get(shared: Sandbox) -> Get:
    """Ask a service: ``get("etherscan", "/v2/api", **parameters)``."""

    def asked(name: str, path: str, **params: str) -> httpx.Response:
        return httpx.get(shared.base_url(name) + path, params=params)

    return asked


def recorded(corpus: Path, name: str) -> Any:
    """A recorded reply."""
    return json.loads((corpus / name).read_bytes())


def test_oracle_has_the_fields_of_the_recorded_one(corpus: Path, get: Get) -> None:
    """Texts all, and status 1."""
    told = get("etherscan", "/v2/api", **ORACLE).json()
    expected = recorded(corpus, "etherscan/gasoracle_no_key_v1_2022.json")["result"]

    assert "1" == told["status"]
    assert dict.fromkeys(expected, str) == {key: type(one) for key, one in told["result"].items()}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"chainid": "10"}, "Free API access is not supported for this chain"),
        ({"apikey": ""}, "Missing/Invalid API Key"),
        ({"module": "nonsense"}, "Missing Or invalid Module name"),
    ],
)
def test_oracle_refuses_with_200(get: Get, changed: dict[str, str], why: str) -> None:
    """Status 0 and the reason are in the body."""
    reply = get("etherscan", "/v2/api", **(ORACLE | changed))

    assert (200, "0", "NOTOK") == (
        reply.status_code,
        *(reply.json()[k] for k in ("status", "message")),
    )
    assert why in reply.json()["result"]


def test_refusal_of_a_chain_is_the_recorded_one(corpus: Path, get: Get) -> None:
    """Word for word."""
    assert (
        recorded(corpus, "etherscan/errors/status0_notok_2.json")
        == get("etherscan", "/v2/api", **(ORACLE | {"chainid": "10"})).json()
    )


def test_stats_have_the_prices_of_the_recorded_ones(corpus: Path, get: Get) -> None:
    """Three tiers in gwei, and the time at which they were made."""
    told, expected = (
        get("blockscout", "/api/v2/stats").json(),
        recorded(corpus, "blockscout/stats_story_2025-03-10.json"),
    )

    assert expected["gas_prices"].keys() == told["gas_prices"].keys()
    assert len(expected["gas_price_updated_at"]) == len(told["gas_price_updated_at"])
    assert told.keys() <= expected.keys()


def test_recommended_fees_have_the_fields_of_the_documented_ones(corpus: Path, get: Get) -> None:
    """Whole numbers, the next block dearest."""
    told = get("mempool_space", "/api/v1/fees/recommended").json()

    assert recorded(corpus, "mempool_space/doc_fees_recommended.json").keys() == told.keys()
    assert told["hourFee"] < told["halfHourFee"] < told["fastestFee"]


def test_unknown_path_is_not_found(get: Get) -> None:
    """The sandbox says so itself."""
    assert 404 == get("mempool_space", "/api/v1/nowhere").status_code
