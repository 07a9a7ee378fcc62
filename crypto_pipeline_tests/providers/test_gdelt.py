"""GDELT: its rows, its bounds, and errors that come as text with 200."""

import json
from datetime import UTC, datetime

import pytest

from crypto_pipeline.errors import MalformedReply, RateLimited, RequestRejected, TransientError
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.gdelt import GDELT
from crypto_pipeline.providers.news import news_endpoint

JSON = {"content-type": "application/json; charset=utf-8"}
ROW = {
    "url": "https://a.com/1?utm_source=x",
    "url_mobile": "",
    "title": "Bitcoin rises",
    "seendate": "20240228T233000Z",
    "socialimage": "",
    "domain": "a.com",
    "language": "English",
    "sourcecountry": "United States",
}


def test_row_is_read() -> None:
    """The publisher is the site, the time is when it was seen."""
    body = json.dumps({"articles": [ROW, ROW | {"language": "Klingon"}]}).encode()
    first, second = news_endpoint(GDELT).rows(Reply(200, JSON, body))

    assert ("https://a.com/1", "Bitcoin rises", "a.com") == (
        first.url,
        first.title,
        first.publisher,
    )
    assert (datetime(2024, 2, 28, 23, 30, tzinfo=UTC), "en") == (first.published_at, first.language)
    assert None is second.language


def test_quiet_window_is_an_empty_object() -> None:
    """No articles are no error."""
    assert [] == news_endpoint(GDELT).rows(Reply(200, JSON, b"{}\n"))


def test_window_is_asked_for_to_the_second() -> None:
    """The provider's end is inclusive, so ours ends a second before."""
    window = Window(datetime(2024, 2, 28, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC))
    params = news_endpoint(GDELT).question(window, "").params

    assert ("20240228000000", "20240228235959") == (
        params["startdatetime"],
        params["enddatetime"],
    )


@pytest.mark.parametrize(
    ("status", "content_type", "body", "kind"),
    [
        (429, "text/plain", "Please limit requests to one every 5 seconds", RateLimited),
        (200, "text/html", "Please limit requests to one every 5 seconds", RateLimited),
        (200, "text/html; charset=utf-8", "Timespan is too short.", RequestRejected),
        (200, "text/html", "The specified start date is invalid.", RequestRejected),
        (200, "text/html", "<html><body>You must wait</body></html>", MalformedReply),
        (200, "text/html", "", MalformedReply),
        (503, "text/html", "<html>busy</html>", TransientError),
    ],
)
def test_text_in_place_of_json_is_an_error(
    status: int, content_type: str, body: str, kind: type[Exception]
) -> None:
    """What it says decides: too fast, wrongly asked, or just broken."""
    fault = GDELT.fault(Reply(status, {"content-type": content_type}, body.encode()))

    assert kind is type(fault)


def test_pace_is_one_request_in_five_seconds() -> None:
    """A minute never holds more than twelve."""
    assert (True, 1) == (GDELT.limits.weight_per_minute <= 12, GDELT.limits.concurrency)
