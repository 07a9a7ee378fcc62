"""CryptoPanic: the newest posts, with the assets that editors and the votes that readers gave them.

Docs: https://cryptopanic.com/developers/api/
A feed: it has no dates to ask by, so what scrolled off its page is gone.
"""

from decimal import Decimal
from http import HTTPStatus
from typing import Any

from crypto_pipeline.errors import ProviderError, RateLimited
from crypto_pipeline.frames.articles import Article
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import (
    Key,
    Limits,
    NewsEndpoint,
    Provider,
    Question,
    Reply,
)
from crypto_pipeline.providers.news import article, listed, optional_text, words_of
from crypto_pipeline.providers.reading import from_iso, text, whole
from crypto_pipeline.providers.replies import REFUSAL_PAUSE, http_fault

_QUANTUM = Decimal("0.0001")


def _question(_: Window | None, __: str) -> Question:
    return Question("/api/developer/v2/posts/", {"public": "true", "kind": "news"})


def _rows(reply: Reply) -> list[Article]:
    return listed(reply, "results", _article)


def _article(post: Any) -> Article:
    """One post; small plans are not told the publisher's own address, only the page of the post."""
    source = post.get("source") or {}
    named = post.get("instruments") or post.get("currencies") or ()
    return article(
        _address(post),
        text(post["title"]),
        optional_text(source.get("title")) or optional_text(post.get("domain")) or "CryptoPanic",
        published_at=from_iso(post["published_at"]),
        summary=optional_text(post.get("description")) or optional_text(post.get("body")),
        language=optional_text(source.get("region")),
        sentiment=_sentiment(post.get("votes") or {}),
        tickers=tuple(text(one["code"]) for one in named),
        guid=str(whole(post["id"])) if post.get("id") is not None else None,
    )


def _address(post: Any) -> str:
    told = optional_text(post.get("original_url")) or optional_text(post.get("url"))
    if told is None and post.get("id") is not None:
        return f"https://cryptopanic.com/news/{whole(post['id'])}/{post.get('slug') or ''}"
    return told or ""


def _sentiment(votes: Any) -> Decimal | None:
    """From -1, all votes negative, to 1, all positive; None without a vote."""
    positive, negative = whole(votes.get("positive", 0)), whole(votes.get("negative", 0))
    if not positive + negative:
        return None
    return (Decimal(positive - negative) / (positive + negative)).quantize(_QUANTUM)


def _fault(reply: Reply) -> ProviderError | None:
    """Errors are ``{"status": "Incorrect", "info": …}``; a plan that is spent is a 403 that says so."""
    words = words_of(reply, "info", "detail", "message")
    if reply.status == HTTPStatus.FORBIDDEN and "limit" in words.lower():
        return RateLimited(words, retry_after=reply.retry_after or REFUSAL_PAUSE)
    return http_fault(reply, words)


CRYPTOPANIC = Provider(
    name="cryptopanic",
    title="CryptoPanic",
    docs="https://cryptopanic.com/developers/api/",
    base_url="https://cryptopanic.com",
    limits=Limits(weight_per_minute=1, concurrency=1),
    key=Key("CRYPTOPANIC_API_KEY", param="auth_token"),
    fault=_fault,
    history="the newest page of posts",
    news=NewsEndpoint(_question, _rows, is_feed=True, trust=1),
)
