"""Refusals have the bodies that Binance sends, over real HTTP."""

import json
from pathlib import Path

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox


@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "code"),
    [
        ("429:retry_after=2", 429, "2", -1003),
        ("429", 429, "53", -1003),
        ("418:retry_after=9", 418, "9", -1003),
        ("451", 451, None, 0),
        ("500", 500, None, -1001),
        ("503:retry_after=1", 503, "1", -1008),
    ],
)
def test_refusals_can_be_ordered(
    shared: Sandbox,
    binance: httpx.Client,
    fault: str,
    status: int,
    retry_after: str | None,
    code: int,
) -> None:
    """Each with its status, its body and when to come back."""
    shared.order(fault)
    reply = binance.get("/api/v3/time")

    assert (reply.status_code, reply.headers.get("Retry-After")) == (status, retry_after)
    assert reply.json()["code"] == code


def test_the_geographic_refusal_is_the_recorded_one(
    corpus: Path, shared: Sandbox, binance: httpx.Client
) -> None:
    """Code 0 and the sentence of the terms, with HTTP 451."""
    recorded = json.loads((corpus / "_geo_blocks" / "binance_451.json").read_text())
    shared.order("451")
    reply = binance.get("/api/v3/time")

    assert (reply.status_code, reply.json()) == (451, recorded)
    assert "x-mbx-used-weight" not in reply.headers


def test_the_edge_refuses_in_html_like_the_recorded(
    corpus: Path, shared: Sandbox, binance: httpx.Client
) -> None:
    """A 403 of the CDN has its headline and no JSON."""
    recorded = (corpus / "_geo_blocks" / "cloudfront_403.html").read_text()
    shared.order("403_html")
    reply = binance.get("/api/v3/time")

    assert (reply.status_code, reply.headers["content-type"]) == (403, "text/html")
    for line in ("<H1>403 ERROR</H1>", "<H2>The request could not be satisfied.</H2>"):
        assert line in recorded
        assert line in reply.text


@pytest.mark.parametrize("kind", ["garbage", "html"])
def test_what_is_no_json_can_be_ordered(shared: Sandbox, binance: httpx.Client, kind: str) -> None:
    """HTTP 200 with a body that no parser takes."""
    shared.order(kind)
    reply = binance.get("/api/v3/time")

    assert reply.status_code == 200
    with pytest.raises(ValueError, match=r"decode|Expecting"):
        reply.json()
