"""Nodes of the sandbox: what they answer by JSON-RPC, and how they word what they will not."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from crypto_pipeline.sandbox.chain import CHAINS
from crypto_pipeline.sandbox.server import Sandbox

from .conftest import NOW

HEAD = CHAINS["ethereum"].newest(NOW.timestamp(), 7)


@pytest.fixture
def node(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of a node that takes three calls at once."""
    with httpx.Client(base_url=shared.base_url("drpc")) as client:
        yield client
    shared.clear_faults()
    shared.clear_requests()


def call(node: httpx.Client, method: str, *params: object) -> dict[str, Any]:
    """The answer to one call."""
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    reply = node.post("/", json=body)
    assert 200 == reply.status_code
    answer: dict[str, Any] = reply.json()
    return answer


def test_newest_block_is_that_of_the_clock(node: httpx.Client) -> None:
    """By number, and by the tag."""
    block = call(node, "eth_getBlockByNumber", "latest", False)

    assert hex(HEAD) == call(node, "eth_blockNumber")["result"] == block["result"]["number"]
    assert 0 <= NOW.timestamp() - int(block["result"]["timestamp"], 16) < 24
    assert 7 == block["id"]


def test_block_to_come_is_null(node: httpx.Client) -> None:
    """It is no error to ask for it."""
    assert call(node, "eth_getBlockByNumber", hex(HEAD + 1), False)["result"] is None


def test_fee_history_ends_with_the_block_that_was_asked_for(node: httpx.Client) -> None:
    """It has a row a block, one base fee more, and no more than 1,024 of them."""
    told = call(node, "eth_feeHistory", hex(5000), hex(HEAD - 9), [10, 50])["result"]

    assert hex(HEAD - 9 - 1023) == told["oldestBlock"]
    assert (1025, 1024, 1024) == tuple(
        len(told[key]) for key in ("baseFeePerGas", "gasUsedRatio", "reward")
    )
    assert {2} == {len(one) for one in told["reward"]}


def test_fee_histories_overlap_in_what_they_say(node: httpx.Client) -> None:
    """The base fee after the last block is that of the next one."""
    first, second = (
        call(node, "eth_feeHistory", "0x2", hex(HEAD - at), [50])["result"] for at in (4, 2)
    )

    assert first["baseFeePerGas"][-1] == second["baseFeePerGas"][0]


def test_history_beyond_the_head_is_refused(node: httpx.Client) -> None:
    """As geth words it, with status 200."""
    error = call(node, "eth_feeHistory", "0x1", hex(HEAD + 5), [50])["error"]

    assert {
        "code": -32000,
        "message": f"request beyond head block: requested {HEAD + 5}, head {HEAD}",
    } == error


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("eth_call", [], -32601),
        ("eth_getBlockByNumber", [], -32602),
        ("eth_feeHistory", [1], -32602),
    ],
)
def test_odd_call_is_an_error(
    node: httpx.Client, method: str, params: list[object], code: int
) -> None:
    """An unknown method and wrong parameters have codes of their own."""
    assert code == call(node, method, *params)["error"]["code"]


def test_batch_is_answered_call_by_call(node: httpx.Client) -> None:
    """Up to as many as the host takes; more are refused as a whole."""
    calls = [{"id": at, "method": "eth_blockNumber", "params": []} for at in range(4)]

    assert [0, 1, 2] == [one["id"] for one in node.post("/", json=calls[:3]).json()]
    refused = node.post("/", json=calls)
    assert (500, 31) == (refused.status_code, refused.json()["error"]["code"])


def test_body_that_is_no_json_is_a_parse_error(node: httpx.Client) -> None:
    """The code is the protocol's."""
    assert -32700 == node.post("/", content=b"{").json()["error"]["code"]


def test_faults_strike_nodes_too(shared: Sandbox, node: httpx.Client) -> None:
    """A rate limit is worded as nodes word it; faults can be told by the chain."""
    shared.order("429:ethereum:times=1")
    refused = node.post("/", json={"id": 1, "method": "eth_blockNumber"})

    assert (429, -32005) == (refused.status_code, refused.json()["error"]["code"])
    assert hex(HEAD) == call(node, "eth_blockNumber")["result"]


def test_chain_of_a_venue_is_its_own(shared: Sandbox) -> None:
    """Base has a block every two seconds."""
    with httpx.Client(base_url=shared.base_url("base_rpc")) as base:
        times = [
            int(call(base, "eth_getBlockByNumber", hex(at), False)["result"]["timestamp"], 16)
            for at in range(1000, 1005)
        ]

    assert {2} == {after - before for before, after in pairwise(times)}
