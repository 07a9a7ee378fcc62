"""JSON-RPC: what a question is, in which order results come, and what errors mean."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.json_rpc import Node, fault, quantity, results
from crypto_pipeline.providers.replies import DEFAULT_PAUSE

JSON = {"content-type": "application/json"}


def failing(code: int | None, message: str, status: int = 200, **headers: str) -> Reply:
    """A reply that is an error of a call."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = {"message": message} if code is None else {"code": code, "message": message}
    body = {"jsonrpc": "2.0", "id": 0, "error": error}
    return Reply(status, JSON | named, json.dumps(body).encode())


def answering(*answers: Any) -> Reply:
    """A reply to a batch."""
    return Reply(200, JSON, json.dumps(list(answers)).encode())


def test_one_call_is_an_object_and_several_are_a_list() -> None:
    """A node without batches never sees one; a batch weighs what its calls weigh."""
    call = ("eth_chainId", ())
    one, two = Node("/eth").question([call]), Node().question([call, call])

    assert {"jsonrpc": "2.0", "id": 0, "method": "eth_chainId", "params": ()} == one.body
    assert ("/eth", 1, "/", 2) == (one.path, one.weight, two.path, two.weight)
    assert isinstance(two.body, list)
    assert [0, 1] == [body["id"] for body in two.body]


def test_results_come_in_the_order_of_the_calls() -> None:
    """A node may answer a batch in any order."""
    assert ["a", "b"] == results(answering({"id": 1, "result": "b"}, {"id": 0, "result": "a"}))


@pytest.mark.parametrize(
    "answers",
    [[{"id": 1, "result": 1}], [{"id": 0}], [{"result": 1}], [7], [{"id": "0", "result": 1}]],
    ids=str,
)
def test_answer_without_its_result_is_malformed(answers: list[Any]) -> None:
    """A batch that lacks an answer, or tells whose it is in another way, is not guessed at."""
    with pytest.raises(MalformedReply):
        results(answering(*answers))


def test_recorded_results_are_read(corpus: Path) -> None:
    """Whatever id a node gave back is a number, and a quantity is hexadecimal."""
    body = json.loads((corpus / "ethereum_rpc/eth_blockNumber.json").read_bytes()) | {"id": 0}
    (told,) = results(Reply(200, JSON, json.dumps(body).encode()))

    assert 0x17EAD53 == quantity(told)


@given(st.integers(min_value=0, max_value=2**80 - 1))
def test_quantity_is_read_back(value: int) -> None:
    """Any number of wei that there can be."""
    assert value == quantity(hex(value))


@pytest.mark.parametrize(
    "value", ["", "0x", "12", "0x_1", "-0x1", "0x1 ", "0x" + "f" * 21, 7, None]
)
def test_no_quantity_is_refused(value: object) -> None:
    """What is not 0x and hexadecimal digits, or too many of them, is no number."""
    with pytest.raises((TypeError, ValueError)):
        quantity(value)


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        (failing(-32005, "daily request count exceeded"), RateLimited),
        (failing(-32097, "too many"), RateLimited),
        (failing(429, "slow down"), RateLimited),
        (failing(-32016, "over rate limit"), RateLimited),
        (failing(15, "Too many request, try again later", 429), RateLimited),
        (failing(None, "25/second request limit reached"), RateLimited),
        (failing(-32601, "the method eth_feeHistory does not exist"), RequestRejected),
        (failing(-32602, "invalid argument 0"), RequestRejected),
        (failing(-32000, "missing trie node 5c99 (path )"), RequestRejected),
        (failing(4444, "pruned history unavailable"), RequestRejected),
        (failing(-32602, "Archive requests require a personal token.", 403), RequestRejected),
        (failing(31, "Batch of more than 3 requests are not allowed", 500), RequestRejected),
        (failing(35, "chain is not available on free plan", 400), RequestRejected),
        (failing(-32701, "Please specify an address in your request", 403), HostRefused),
        (failing(-32000, "request beyond head block: requested 9, head 8"), TransientError),
        (failing(-32000, "header not found"), TransientError),
        (failing(-32603, "Internal error"), TransientError),
        (failing(19, "Temporary internal error. Please retry", 500), TransientError),
        (Reply(503, {"content-type": "text/html"}, b"<html>"), TransientError),
        (Reply(200, {"content-type": "text/html"}, b"<html>"), MalformedReply),
    ],
)
def test_error_means_what_to_do(reply: Reply, meaning: type[ProviderError]) -> None:
    """A limit is a pause, what a node lacks is for the next one, and the rest may pass."""
    assert meaning is type(fault(reply))


def test_pause_is_the_one_a_node_names() -> None:
    """Or the usual one, where it names none."""
    told = [fault(failing(-32005, "limit exceeded", **one)) for one in ({"retry_after": "3"}, {})]

    assert [3.0, DEFAULT_PAUSE] == [one.retry_after for one in told if isinstance(one, RateLimited)]


def test_error_is_told_in_the_words_of_the_node() -> None:
    """Its code first."""
    assert "-32601 no such method" == str(fault(failing(-32601, "no such method")))


def test_one_failed_call_fails_the_batch() -> None:
    """Half an answer is none."""
    failed = {"id": 1, "error": {"code": -32005, "message": "limit exceeded"}}

    assert RateLimited is type(fault(answering({"id": 0, "result": "0x1"}, failed)))


def test_error_that_is_null_is_none() -> None:
    """Some nodes print the field whatever happened."""
    assert fault(answering({"id": 0, "result": "0x1", "error": None})) is None
