"""GDELT DOC 2.0: what it crawled of the world's online news, by date since 2017.

Docs: https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/
Its time of an article is when it saw it, not when it was published. Errors come as text with 200.
"""

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import MalformedReply, ProviderError, RateLimited, RequestRejected
from crypto_pipeline.frames.articles import Article, plain, site_of
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Limits, NewsEndpoint, Provider, Question, Reply
from crypto_pipeline.providers.news import article, listed, optional_text
from crypto_pipeline.providers.reading import text
from crypto_pipeline.providers.replies import DEFAULT_PAUSE, http_fault

MOST_ROWS = 250
QUERY = "(bitcoin OR ethereum OR cryptocurrency) sourcelang:english"
_LONGEST_WORDS = 200
_LANGUAGES = MappingProxyType({"english": "en"})
_SLOW_DOWN = re.compile(r"limit requests|too many requests", re.IGNORECASE)
_WRONG = re.compile(
    r"too short|too long|too common|invalid|must|not (a )?valid|unknown|out of range", re.IGNORECASE
)


def _question(window: Window | None, _: str) -> Question:
    """``enddatetime`` is inclusive, so it is one second before ours."""
    assert window is not None
    return Question(
        "/api/v2/doc/doc",
        {
            "query": QUERY,
            "mode": "artlist",
            "format": "json",
            "maxrecords": MOST_ROWS,
            "sort": "datedesc",
            "startdatetime": f"{window.start:%Y%m%d%H%M%S}",
            "enddatetime": f"{window.end - timedelta(seconds=1):%Y%m%d%H%M%S}",
        },
    )


def _rows(reply: Reply) -> list[Article]:
    """The articles; a window without any is an empty object."""
    return [] if reply.body.strip() == b"{}" else listed(reply, "articles", _article)


def _article(row: Any) -> Article:
    url = text(row["url"])
    seen = datetime.strptime(text(row["seendate"]), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return article(
        url,
        text(row["title"]),
        optional_text(row.get("domain")) or site_of(url),
        published_at=seen,
        language=_LANGUAGES.get((optional_text(row.get("language")) or "").lower()),
    )


def _fault(reply: Reply) -> ProviderError | None:
    """Where JSON is due, text says what is wrong: with us, with the pace, or with the question."""
    is_json = "json" in reply.content_type
    words = "" if is_json else plain(reply.body.decode("utf-8", "replace"))[:_LONGEST_WORDS]
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS or _SLOW_DOWN.search(words):
        return RateLimited(words or None, retry_after=reply.retry_after or DEFAULT_PAUSE)
    fault = http_fault(reply, words)
    if fault is not None or is_json:
        return fault
    if _WRONG.search(words) and "<" not in reply.body.decode("utf-8", "replace"):
        return RequestRejected(words)
    return MalformedReply(f"HTTP {reply.status} with {reply.content_type}: {words}")


GDELT = Provider(
    name="gdelt",
    title="GDELT DOC 2.0",
    docs="https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/",
    base_url="https://api.gdeltproject.org",
    # One request in five seconds; a little less, so that a minute never holds thirteen.
    limits=Limits(weight_per_minute=11, concurrency=1),
    fault=_fault,
    history="since 2017",
    news=NewsEndpoint(
        _question,
        _rows,
        full=MOST_ROWS,
        span=timedelta(hours=2),
        narrowest=timedelta(minutes=5),
        grace=timedelta(minutes=30),
        trust=2,
    ),
)
