"""Hacker News by Algolia: every story that was submitted about the terms, by date, since 2006.

Docs: https://hn.algolia.com/api
Its time of an article is when it was submitted; the publisher is the site that it is on.
"""

from datetime import timedelta
from typing import Any

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.frames.articles import Article, site_of
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Limits, NewsEndpoint, Provider, Question, Reply
from crypto_pipeline.providers.news import article, listed, optional_text, words_of
from crypto_pipeline.providers.reading import from_seconds, text
from crypto_pipeline.providers.replies import http_fault

MOST_HITS = 1000


def _question(window: Window | None, term: str) -> Question:
    """Both bounds of a numeric filter are exclusive."""
    assert window is not None
    start, end = (int(moment.timestamp()) for moment in (window.start, window.end))
    return Question(
        "/api/v1/search_by_date",
        {
            "query": term,
            "tags": "story",
            "numericFilters": f"created_at_i>{start - 1},created_at_i<{end}",
            "hitsPerPage": MOST_HITS,
        },
    )


def _rows(reply: Reply) -> list[Article]:
    return listed(reply, "hits", _article)


def _article(hit: Any) -> Article:
    """One story; a question to the readers has no address but its own."""
    number = text(hit["objectID"])
    url = optional_text(hit.get("url")) or f"https://news.ycombinator.com/item?id={number}"
    return article(
        url,
        optional_text(hit.get("title")) or "",
        site_of(url),
        published_at=from_seconds(hit["created_at_i"]),
        summary=optional_text(hit.get("story_text")),
        guid=number,
    )


def _fault(reply: Reply) -> ProviderError | None:
    """Errors are ``{"message": …, "status": 400}`` with the status they name."""
    return http_fault(reply, words_of(reply, "message", "error"))


HN_ALGOLIA = Provider(
    name="hn_algolia",
    title="Hacker News Search by Algolia",
    docs="https://hn.algolia.com/api",
    base_url="https://hn.algolia.com",
    # 10,000 requests an hour and address.
    limits=Limits(weight_per_minute=120, concurrency=2),
    fault=_fault,
    history="every story since 2006-10",
    news=NewsEndpoint(
        _question,
        _rows,
        terms=("bitcoin", "ethereum", "cryptocurrency"),
        full=MOST_HITS,
        span=timedelta(days=7),
        trust=2,
    ),
)
