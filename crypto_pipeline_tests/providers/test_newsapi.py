"""NewsAPI: recorded articles, bounds and errors."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto_pipeline.errors import RateLimited, RequestRejected
from crypto_pipeline.frames.articles import plain
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.news import news_endpoint
from crypto_pipeline.providers.newsapi import NEWSAPI, PAGE

JSON = {"content-type": "application/json; charset=utf-8"}


def test_recorded_articles_are_read_whole(corpus: Path) -> None:
    """Every recorded article comes as it was told; a full page is known to be cut off."""
    body = (corpus / "newsapi" / "everything_2019.json").read_bytes()
    told = json.loads(body)["articles"]
    found = news_endpoint(NEWSAPI).rows(Reply(200, JSON, body))
    expected = [
        (
            *(plain(one["title"]), one["url"], one["source"]["name"]),
            *(plain(one["description"] or "") or None, datetime.fromisoformat(one["publishedAt"])),
        )
        for one in told
    ]

    assert expected == [
        (one.title, one.link, one.publisher, one.summary, one.published_at) for one in found
    ]
    assert PAGE == len(found) == news_endpoint(NEWSAPI).full


def test_withdrawn_article_has_no_title() -> None:
    """What its publisher took back says so in place of a title, and is set aside."""
    row = {
        "title": "[Removed]",
        "url": "https://removed.com",
        "publishedAt": "1970-01-01T00:00:00Z",
    }
    body = json.dumps({"articles": [row | {"source": {"name": "[Removed]"}}]}).encode()
    (found,) = news_endpoint(NEWSAPI).rows(Reply(200, JSON, body))

    assert "there is no title" == found.broken_promise(datetime.now(UTC))


def test_window_is_asked_for_to_the_second() -> None:
    """The provider's ``to`` is inclusive, so ours ends a second before."""
    window = Window(datetime(2024, 2, 28, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC))
    params = news_endpoint(NEWSAPI).question(window, "").params

    assert ("2024-02-28T00:00:00", "2024-02-28T23:59:59") == (params["from"], params["to"])


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "rateLimited", RateLimited),
        (200, "rateLimited", RateLimited),
        (401, "apiKeyInvalid", RequestRejected),
        (426, "parameterInvalid", RequestRejected),
        (200, "unexpectedError", RequestRejected),
    ],
)
def test_errors_are_told_by_their_code(status: int, code: str, kind: type[Exception]) -> None:
    """An error is one though it comes with 200, and is told in the provider's words."""
    body = json.dumps({"status": "error", "code": code, "message": "Words."}).encode()
    fault = NEWSAPI.fault(Reply(status, JSON, body))

    assert (kind, True) == (type(fault), f"{code} Words." in str(fault))
