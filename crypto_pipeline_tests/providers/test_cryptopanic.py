"""CryptoPanic: recorded posts, what small plans leave out, and its words for an error."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crypto_pipeline.errors import HostRefused, MalformedReply, RateLimited, RequestRejected
from crypto_pipeline.frames.articles import Article, plain
from crypto_pipeline.providers.cryptopanic import CRYPTOPANIC
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.news import news_endpoint

JSON = {"content-type": "application/json"}
POST = {
    "id": 7,
    "slug": "A-title",
    "title": "A title",
    "published_at": "2026-03-04T05:06:07Z",
    "source": {"title": "CoinDesk", "region": "en"},
    "original_url": "https://a.com/1?utm_source=x",
    "url": "https://cryptopanic.com/news/7/",
    "instruments": [{"code": "BTC"}],
    "votes": {"positive": 3, "negative": 1},
}


def rows(*posts: Any) -> list[Article]:
    """What is read from a page of posts."""
    body = json.dumps({"results": posts}).encode()
    return [*news_endpoint(CRYPTOPANIC).rows(Reply(200, JSON, body))]


@pytest.mark.parametrize("name", ["v1_posts_NEO_2018.json", "v1_posts_generic_2018.json"])
def test_recorded_posts_are_read_whole(corpus: Path, name: str) -> None:
    """Every recorded post comes as it was told, its votes as a sentiment."""
    body = (corpus / "cryptopanic" / name).read_bytes()
    posts = json.loads(body)["results"]
    found = news_endpoint(CRYPTOPANIC).rows(Reply(200, JSON, body))
    expected = [
        (
            *(plain(post["title"]), post["url"], post["source"]["title"], str(post["id"])),
            datetime.fromisoformat(post["published_at"]),
            tuple(one["code"] for one in post.get("currencies", ())),
            post["votes"]["positive"] > post["votes"]["negative"],
        )
        for post in posts
    ]

    assert expected == [
        (
            *(one.title, one.link, one.publisher, one.guid, one.published_at, one.tickers),
            (one.sentiment or 0) > 0,
        )
        for one in found
    ]


def test_publishers_own_address_is_preferred() -> None:
    """The article is the publisher's; the page about it here is known by its number alone."""
    (full,) = rows(POST)
    (small,) = rows({key: POST[key] for key in ("id", "slug", "title", "published_at")})

    assert ("https://a.com/1", Decimal("0.5"), "en") == (full.url, full.sentiment, full.language)
    assert ("https://cryptopanic.com/news/7/A-title", None) == (small.url, small.sentiment)
    assert datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC) == full.published_at


def test_nobodys_vote_is_no_sentiment() -> None:
    """Without votes nothing is known, which is not the same as neutral."""
    votes = [{"positive": 0, "negative": 0}, {"positive": 2, "negative": 2}, {}, None]

    assert [None, Decimal(0), None, None] == [rows(POST | {"votes": v})[0].sentiment for v in votes]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"status":"Incorrect","info":"Token not found"}', RequestRejected),
        (403, b'{"status":"Incorrect","info":"Rate limit exceeded"}', RateLimited),
        (403, b"<html>blocked</html>", HostRefused),
        (429, b"", RateLimited),
    ],
)
def test_errors_are_told_by_their_words(status: int, body: bytes, kind: type[Exception]) -> None:
    """A wrong token cannot help, a spent plan passes, a block is left alone."""
    assert kind is type(CRYPTOPANIC.fault(Reply(status, JSON, body)))


@pytest.mark.parametrize(
    "changes", [{"title": None}, {"published_at": "now"}, {"votes": {"positive": "1"}}]
)
def test_post_of_another_shape_is_malformed(changes: dict[str, Any]) -> None:
    """What is not as documented is refused, not guessed."""
    with pytest.raises(MalformedReply):
        rows(POST | changes)
