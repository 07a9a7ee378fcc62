"""The indices of the sandbox answer as the recorded ones do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox

VIEWS = "/api/rest_v1/metrics/pageviews/per-article/en.wikipedia/all-access/user/{}/daily/{}/{}"


@pytest.fixture
def index(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of alternative.me."""
    with httpx.Client(base_url=shared.base_url("alternative_me")) as client:
        yield client


@pytest.fixture
def views(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of Wikimedia."""
    with httpx.Client(base_url=shared.base_url("wikimedia")) as client:
        yield client


def shape(value: Any) -> Any:
    """The keys and types of a JSON value."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value)


def test_index_has_the_shape_of_the_recorded_one(corpus: Path, index: httpx.Client) -> None:
    """All values are texts, and only the newest tells when the next one is due."""
    recorded = json.loads((corpus / "alternative_me/fng_limit2_2026-07-11.json").read_bytes())

    assert shape(recorded) == shape(index.get("/fng/?limit=2").json())


def test_index_tells_one_value_unless_asked_for_more(index: httpx.Client) -> None:
    """And all of them by 0, newest first, without the days that were never published."""
    one, every = index.get("/fng/").json()["data"], index.get("/fng/?limit=0").json()["data"]
    times = [int(row["timestamp"]) for row in every]

    assert every[:1] == one
    assert sorted(times, reverse=True) == times
    assert 1517443200 == times[-1]
    assert 4 == (times[0] - times[-1]) // 86_400 + 1 - len(times)


def test_limit_that_is_no_number_is_a_bad_request(index: httpx.Client) -> None:
    """It is not taken for anything else."""
    assert 400 == index.get("/fng/?limit=many").status_code


def test_views_are_told_of_both_days_and_those_between(views: httpx.Client) -> None:
    """The range is inclusive, and the hour of a day's timestamp is a placeholder."""
    items = views.get(VIEWS.format("Bitcoin", "20240228", "20240301")).json()["items"]

    assert ["2024022800", "2024022900", "2024030100"] == [one["timestamp"] for one in items]


@pytest.mark.parametrize(
    "asked",
    [
        ("Bitcoin", "20260304", "20260304"),
        ("Bitcoin", "20150601", "20150630"),
        ("No_such_article", "20240101", "20240102"),
    ],
)
def test_nothing_to_tell_is_a_404(views: httpx.Client, asked: tuple[str, str, str]) -> None:
    """Days not published yet, days before the first, and unknown articles are all worded alike."""
    reply = views.get(VIEWS.format(*asked))

    assert 404 == reply.status_code
    assert "do not have data for those date(s)" in reply.json()["detail"]


def test_day_that_is_none_is_a_bad_request(views: httpx.Client) -> None:
    """The thirtieth of February is not there."""
    assert 400 == views.get(VIEWS.format("Bitcoin", "20240230", "20240301")).status_code
