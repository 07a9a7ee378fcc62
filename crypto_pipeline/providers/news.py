"""Asking for articles: the newest of a feed, or those of a window, split where an answer is cut off."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import pairwise
from typing import Any

from crypto_pipeline.errors import MalformedReply, RequestRejected
from crypto_pipeline.frames.articles import Article, canonical_url, plain
from crypto_pipeline.market.series import Series
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import NewsEndpoint, Provider, Question, Reply
from crypto_pipeline.providers.reading import text
from crypto_pipeline.providers.replies import json_body, reading

PINNED = timedelta(days=14)
"""An item so much older than the next one is pinned to its feed, and says nothing of its reach."""
_NOT_MODIFIED = frozenset({int(HTTPStatus.NOT_MODIFIED)})


@dataclass(frozen=True, slots=True)
class Marks:
    """How a feed told its state the last time, for it to say whether anything is new."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a conditional request; none where nothing is known."""
        told = {"if-none-match": self.etag, "if-modified-since": self.last_modified}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class NewsPage:
    """What one answer gave.

    All that was published in ``covered`` is among the articles; None where nothing is known to be
    whole. A feed covers the time from its oldest item ``until`` it was answered, which a cache may
    have done before we asked; one that is ``not_modified`` holds what it held before.
    """

    articles: Sequence[Article] = ()
    covered: Window | None = None
    until: datetime | None = None
    marks: Marks = Marks()
    not_modified: bool = False


def news_endpoint(provider: Provider) -> NewsEndpoint:
    """How the provider is asked for news; a RequestRejected where it has none."""
    if provider.news is None:
        msg = f"{provider.name} offers no news"
        raise RequestRejected(msg)
    return provider.news


async def newest_news(client: Client, series: Series, now: datetime, marks: Marks) -> NewsPage:
    """What a feed holds now, or that it is as it was when it gave these marks."""
    endpoint = news_endpoint(client.provider)
    question = endpoint.question(None, endpoint.terms[0])
    told = Question(
        question.path,
        question.params,
        headers={**question.headers, **marks.headers},
        weight=question.weight,
    )

    def read(reply: Reply) -> NewsPage:
        until = min(now, reply.sent_at or now)
        if reply.status == HTTPStatus.NOT_MODIFIED:
            return NewsPage(until=until, marks=marks, not_modified=True)
        articles = endpoint.rows(reply)
        oldest = oldest_of(articles)
        covered = Window(oldest, until) if oldest and oldest < until else None
        fresh = Marks(reply.headers.get("etag"), reply.headers.get("last-modified"))
        return NewsPage(articles, covered, until, fresh)

    accepts = _NOT_MODIFIED if marks.headers else frozenset[int]()
    return await client.ask(Ask(told, series, None, read, _count, accepts))


async def news_of(client: Client, series: Series, window: Window) -> AsyncIterator[NewsPage]:
    """The articles of a window, an answer each, oldest first; a window that is cut off is split.

    An answer that cannot be split further covers nothing, for some of it is missing.
    """
    endpoint = news_endpoint(client.provider)
    found: dict[str, Article] = {}
    is_whole = True
    for term in endpoint.terms:
        ask = Ask(endpoint.question(window, term), series, window, endpoint.rows)
        rows = await client.ask(ask)
        is_whole = is_whole and (endpoint.full is None or len(rows) < endpoint.full)
        if not is_whole and window.span > endpoint.narrowest:
            break
        found |= {one.url: one for one in rows if _is_inside(one, window)}
    else:
        yield NewsPage(tuple(found.values()), window if is_whole else None)
        return
    for half in _halves(window):
        async for page in news_of(client, series, half):
            yield page


def oldest_of(articles: Sequence[Article]) -> datetime | None:
    """When the oldest of a feed's items was published, those that are pinned to it aside."""
    times = sorted({one.published_at for one in articles if one.published_at}, reverse=True)
    for newer, older in pairwise(times):
        if newer - older > PINNED:
            return newer
    return times[-1] if times else None


def article(url: str, title: str, publisher: str, **told: Any) -> Article:
    """An article as a source words it, with the canonical address and text as people read it."""
    summary, guid = plain(told.pop("summary", None) or ""), plain(told.pop("guid", None) or "")
    return Article(
        url=canonical_url(url),
        title=plain(title),
        publisher=plain(publisher),
        published_at=told.pop("published_at"),
        summary=summary or None,
        guid=guid or None,
        link=plain(url),
        **told,
    )


def listed(reply: Reply, key: str, read: Callable[[Any], Article]) -> list[Article]:
    """The articles that a JSON body lists under a key; another shape is a MalformedReply."""

    def rows(body: Any) -> list[Article]:
        if not isinstance(body[key], list):
            raise TypeError
        return [read(one) for one in body[key]]

    return reading(rows, reply)


def optional_text(value: object) -> str | None:
    """A text where one is given; null and an empty one give none."""
    return (text(value) or None) if value is not None else None


def words_of(reply: Reply, *keys: str) -> str:
    """What a JSON body says under the first of some keys; nothing where it is no such body."""
    try:
        body = json_body(reply)
    except MalformedReply:
        return ""
    found = (body.get(key) for key in keys) if isinstance(body, dict) else ()
    return next((plain(one) for one in found if isinstance(one, str) and one), "")


def _count(page: NewsPage) -> int:
    return len(page.articles)


def _is_inside(one: Article, window: Window) -> bool:
    """Whether an article belongs to the window; one without a time is for its promise to refuse."""
    return one.published_at is None or one.published_at in window


def _halves(window: Window) -> tuple[Window, Window]:
    """Both halves, cut at a whole second."""
    middle = window.start + timedelta(seconds=window.span // timedelta(seconds=2))
    return Window(window.start, middle), Window(middle, window.end)
