"""CoinMarketCap's protocol: what its recorded replies say, its index, and what its codes mean."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.observations import IndexValue
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.coinmarketcap import COINMARKETCAP
from crypto_pipeline_tests.providers.observing import DAY, Answers, present_in, question_of
from crypto_pipeline_tests.providers.saying import fault_of

OK = {"status": {"error_code": "0", "error_message": ""}}
NEWEST = datetime(2024, 9, 18, tzinfo=UTC)


def coded(code: object, said: str | None = "why") -> dict[str, object]:
    """A body with that code."""
    return {"status": {"error_code": code, "error_message": said}}


def days(count: int, newest: datetime) -> dict[str, Any]:
    """A page of the index, newest day first."""
    moments = [newest - number * DAY for number in range(count)]
    rows = [
        {
            "timestamp": str(round(moment.timestamp())),
            "value": 38,
            "value_classification": "Fear",
        }
        for moment in moments
    ]
    return {**OK, "data": rows}


def test_quotes_are_read_as_they_were_printed(corpus: Path) -> None:
    """All hundred coins of a recorded list have their digits and times."""
    body = (corpus / "coinmarketcap/listings_latest_2022.json").read_text()
    told = json.loads(body, parse_float=str)
    told["data"] = {str(row["id"]): row for row in told["data"]}
    columns = ("price", "market_cap", "volume_24h", "percent_change_24h")
    quotes = {name: row["quote"]["USD"] for name, row in told["data"].items()}
    expected = {
        name: (
            datetime.fromisoformat(quote["last_updated"]),
            *(Decimal(quote[column]) for column in columns),
        )
        for name, quote in quotes.items()
    }
    by_number = {str(row["id"]): row for row in json.loads(body)["data"]}
    read = present_in(COINMARKETCAP, {**json.loads(body), "data": by_number})

    assert 100 == len(expected)
    assert expected == {name: tuple(row) for name, row in read.items()}


def test_coins_are_asked_for_by_number() -> None:
    """Numbers, unlike symbols, mean one coin; one that is gone spoils nothing."""
    question = question_of(COINMARKETCAP, "1", "1027")

    assert {"id": "1,1027", "convert": "USD", "skip_invalid": "true"} == question.params


def test_latest_index_is_read() -> None:
    """The newest value has its own time and the publisher's word."""
    told = {
        "value": 40,
        "update_time": "2024-09-19T02:54:56.017Z",
        "value_classification": "Neutral",
    }
    moment = datetime(2024, 9, 19, 2, 54, 56, 17_000, tzinfo=UTC)
    found = present_in(COINMARKETCAP, {**OK, "data": told}, "sentiment")

    assert {"fear-and-greed": IndexValue(moment, Decimal(40), "Neutral")} == found
    assert COINMARKETCAP.snapshots["sentiment"].name("fear_greed") is None


def test_index_is_paged_back_to_the_window() -> None:
    """Full pages are followed by older ones until the window begins within one."""
    pages = [days(500, NEWEST), days(500, NEWEST - 500 * DAY), days(500, NEWEST - 1000 * DAY)]
    answers = Answers(COINMARKETCAP, pages)
    window = Window(NEWEST - 700 * DAY, NEWEST - 690 * DAY)
    rows = answers.past("fear-and-greed", window, DAY, "sentiment")
    inside = [row for row in rows if row.observed_at and row.observed_at in window]

    assert 10 == len(inside)
    assert {IndexValue(window.start, Decimal(38), "Fear")} <= {*inside}
    assert [1, 501] == [question.params["start"] for question in answers.asked]


@pytest.mark.parametrize(("count", "asked"), [(0, 1), (3, 1), (500, 20)])
def test_index_is_not_paged_for_ever(count: int, asked: int) -> None:
    """A page that is not full is the last, and a host that gives the same page again is left."""
    answers = Answers(COINMARKETCAP, [days(count, NEWEST)])
    window = Window(NEWEST - timedelta(days=700), NEWEST)

    assert count * asked == len(answers.past("fear-and-greed", window, DAY, "sentiment"))
    assert asked == len(answers.asked)


def test_recorded_rejection_is_told_in_its_words(corpus: Path) -> None:
    """What the plan does not hold is refused for good, and does not stop other questions."""
    body = (corpus / "coinmarketcap/errors/403_plan_not_supported.json").read_bytes()
    fault = fault_of(COINMARKETCAP, body, 403)

    assert type(fault) is RequestRejected
    assert "1006 Your API Key subscription plan doesn't support this endpoint." == str(fault)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, coded(1001), RequestRejected),
        (200, coded(1002), RequestRejected),
        (429, coded(1008), RateLimited),
        (200, coded(1011), RateLimited),
        (429, coded(1009), HostRefused),
        (429, coded(1010), HostRefused),
        (400, coded(400), RequestRejected),
        (200, coded(400), RequestRejected),
        (500, coded(500), TransientError),
        (200, {"data": {}}, MalformedReply),
        (503, {"data": {}}, TransientError),
        (200, {"status": 7}, MalformedReply),
        (200, {"status": {}}, MalformedReply),
    ],
)
def test_error_means_what_its_code_says(
    status: int, body: object, kind: type[ProviderError]
) -> None:
    """The code counts, whatever the status; a body without one is no answer."""
    fault = fault_of(COINMARKETCAP, body, status)

    assert kind is type(fault)


def test_price_of_null_has_no_row() -> None:
    """A coin that is listed and not priced is not there."""
    told = {"price": None, "last_updated": "2022-01-29T23:30:00.000Z"}

    assert {} == present_in(COINMARKETCAP, {**OK, "data": {"1": {"quote": {"USD": told}}}})
