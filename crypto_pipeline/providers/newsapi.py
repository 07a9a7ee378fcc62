"""NewsAPI: articles of many publishers by date, for keys that are free a month back and a day late.

Docs: https://newsapi.org/docs/endpoints/everything
An error is ``{"status": "error", "code": "rateLimited", "message": …}``, most with a status of its own.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected
from crypto_pipeline.frames.articles import Article, site_of
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
from crypto_pipeline.providers.reading import from_iso, text
from crypto_pipeline.providers.replies import REFUSAL_PAUSE, http_fault

PAGE = 100
QUERY = 'bitcoin OR ethereum OR cryptocurrency OR "crypto market"'
_REMOVED = "[Removed]"
_TOO_MANY = frozenset({"rateLimited", "apiKeyExhausted", "maximumResultsReached"})


def _question(window: Window | None, _: str) -> Question:
    """``to`` is inclusive, so it is one second before ours."""
    assert window is not None
    last = window.end - timedelta(seconds=1)
    return Question(
        "/v2/everything",
        {
            "q": QUERY,
            "language": "en",
            "from": f"{window.start:%Y-%m-%dT%H:%M:%S}",
            "to": f"{last:%Y-%m-%dT%H:%M:%S}",
            "sortBy": "publishedAt",
            "pageSize": PAGE,
        },
    )


def _rows(reply: Reply) -> list[Article]:
    return listed(reply, "articles", _article)


def _article(row: Any) -> Article:
    """One article; what a publisher withdrew keeps its place in the list and says [Removed]."""
    url, title = text(row["url"]), optional_text(row["title"]) or ""
    return article(
        url,
        "" if title == _REMOVED else title,
        optional_text(row["source"]["name"]) or site_of(url),
        published_at=from_iso(row["publishedAt"]),
        summary=optional_text(row.get("description")),
        language="en",
    )


def _fault(reply: Reply) -> ProviderError | None:
    """The status, or a code in a body that came with 200; 426 is a window that the plan does not reach."""
    code, words = words_of(reply, "code"), words_of(reply, "message")
    told = f"{code} {words}".strip()
    if code in _TOO_MANY or reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(told or None, retry_after=reply.retry_after or REFUSAL_PAUSE)
    fault = http_fault(reply, told)
    if fault is None and words_of(reply, "status") == "error":
        return RequestRejected(told)
    return fault


NEWSAPI = Provider(
    name="newsapi",
    title="NewsAPI",
    docs="https://newsapi.org/docs/endpoints/everything",
    base_url="https://newsapi.org",
    limits=Limits(weight_per_minute=1, concurrency=1),
    key=Key("NEWSAPI_API_KEY", header="x-api-key"),
    fault=_fault,
    history="the last 29 days",
    news=NewsEndpoint(
        _question,
        _rows,
        # A hundred requests a day: every quarter of an hour would be too many.
        interval="12h",
        full=PAGE,
        span=timedelta(hours=12),
        depth=timedelta(days=29),
        grace=timedelta(hours=25),
        trust=1,
    ),
)
