"""Hacker News' Algolia: stories with an address and without, and the bounds of a window."""

import json
from datetime import UTC, datetime

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.hn_algolia import HN_ALGOLIA
from crypto_pipeline.providers.news import news_endpoint

JSON = {"content-type": "application/json"}
HIT = {
    "objectID": "42",
    "title": "Bitcoin &amp; friends",
    "url": "https://www.a.com/1?ref=hn#x",
    "created_at_i": 1709163000,
    "story_text": None,
}


def test_stories_are_read() -> None:
    """The publisher is the site; a question to the readers is a page of its own."""
    asked = HIT | {"url": None, "story_text": "<p>Why?</p>"}
    body = json.dumps({"hits": [HIT, asked]}).encode()
    story, question = news_endpoint(HN_ALGOLIA).rows(Reply(200, JSON, body))

    assert ("https://www.a.com/1", "Bitcoin & friends", "a.com") == (
        *(story.url, story.title, story.publisher),
    )
    assert (datetime(2024, 2, 28, 23, 30, tzinfo=UTC), "42") == (story.published_at, story.guid)
    assert ("https://news.ycombinator.com/item?id=42", "Why?") == (question.url, question.summary)


def test_bounds_are_exclusive_at_the_provider() -> None:
    """The first second of a window is asked for, the one after it is not."""
    window = Window(datetime(2024, 2, 28, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC))
    params = news_endpoint(HN_ALGOLIA).question(window, "bitcoin").params

    assert "created_at_i>1709078399,created_at_i<1709164800" == params["numericFilters"]
    assert "bitcoin" == params["query"]


def test_error_is_told_in_its_words() -> None:
    """A wrong filter is rejected with what the provider says of it."""
    body = b'{"message":"invalid numeric attribute","status":400}'
    fault = HN_ALGOLIA.fault(Reply(400, JSON, body))

    assert (RequestRejected, True) == (type(fault), "invalid numeric attribute" in str(fault))
