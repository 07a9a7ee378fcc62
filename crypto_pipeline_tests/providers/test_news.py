"""News over HTTP against the sandbox: conditional requests, windows that are split, the contract of all."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crypto_pipeline.errors import HostRefused, MalformedReply, RequestRejected, TransientError
from crypto_pipeline.frames.articles import Article
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.client import Client
from crypto_pipeline.providers.declaration import Provider, Reply
from crypto_pipeline.providers.news import (
    PINNED,
    Marks,
    NewsPage,
    newest_news,
    news_endpoint,
    news_of,
    oldest_of,
)
from crypto_pipeline.sandbox.newsroom import Newsroom
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.providers.asking import Asking, Browser

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DAY = timedelta(days=1)
PAST = Window(NOW - 3 * DAY, NOW - 2 * DAY)
WITH_NEWS = {name: provider.news for name, provider in PROVIDERS.items() if provider.news}
FEEDS = [name for name, news in WITH_NEWS.items() if news.is_feed]
BY_DATE = [name for name, news in WITH_NEWS.items() if not news.is_feed]
every_provider = pytest.mark.parametrize("name", WITH_NEWS)
every_feed = pytest.mark.parametrize("name", FEEDS)
every_archive = pytest.mark.parametrize("name", BY_DATE)


@pytest.fixture(scope="module")
def still() -> Iterator[Sandbox]:
    """A sandbox whose clock stands still."""
    with running(SandboxSettings(clock=lambda: NOW, weight_limit=None)) as one:
        yield one


@pytest.fixture
def newsroom(still: Sandbox) -> Sandbox:
    """The sandbox, as if it were new."""
    still.clear_faults()
    still.clear_requests()
    return still


def at(sandbox: Sandbox, name: str, **changes: Any) -> Provider:
    """A provider of PROVIDERS at the sandbox, with a key, its endpoint changed."""
    provider = PROVIDERS[name]
    news = replace(news_endpoint(provider), **changes)
    return replace(provider, base_url=sandbox.base_url(name), secret="made-up", news=news)


def series(name: str) -> ObservedSeries:
    """The series of a provider's news."""
    return ObservedSeries("news", name, Interval.parse("15m"))


def newest(asking: Asking, marks: Marks | None = None) -> NewsPage:
    """What a feed holds now."""
    name = asking.provider.name
    return asking.run(lambda client: newest_news(client, series(name), NOW, marks or Marks()))


def pages(asking: Asking, window: Window) -> list[NewsPage]:
    """The answers about a window."""

    async def gathered(client: Client) -> list[NewsPage]:
        return [page async for page in news_of(client, series(client.provider.name), window)]

    return asking.run(gathered)


def any_articles(asking: Asking) -> int:
    """How many articles the provider gives, whichever way it is asked."""
    if news_endpoint(asking.provider).is_feed:
        return len(newest(asking).articles)
    window = Window(PAST.start, PAST.start + timedelta(hours=2))
    return sum(len(page.articles) for page in pages(asking, window))


@every_feed
def test_feed_covers_from_its_oldest_item_until_now(
    newsroom: Sandbox, browser: Browser, name: str
) -> None:
    """Its articles keep their promises, are not tracked, and bound what is known to be whole."""
    page = newest(Asking(at(newsroom, name), browser))

    assert 20 <= len(page.articles) <= 50
    assert [None] * len(page.articles) == [one.broken_promise(NOW) for one in page.articles]
    assert not [one.url for one in page.articles if "utm_" in one.url]
    oldest = min(one.published_at for one in page.articles if one.published_at)
    assert Window(oldest, NOW) == page.covered


@every_feed
def test_feed_that_did_not_change_is_not_sent_again(
    newsroom: Sandbox, browser: Browser, name: str
) -> None:
    """Who says what he has is told that it is still so, where the source knows how to."""
    asking = Asking(at(newsroom, name), browser)
    first = newest(asking)
    again = newest(asking, first.marks)

    knows_how = bool(first.marks.headers)
    assert knows_how == again.not_modified == (name != "cryptopanic")
    assert ([], first.marks, NOW) == ([], again.marks, again.until)
    assert (304 if knows_how else 200) == asking.fetches[-1].status


def test_unasked_for_304_is_no_answer(browser: Browser, answering: Any) -> None:
    """Only who said what he has can be told that nothing changed."""
    server = answering(304)
    provider = replace(PROVIDERS["rss_decrypt"], base_url=server.url)

    with pytest.raises(TransientError):
        newest(Asking(provider, browser))


def test_a_cached_answer_covers_until_it_was_made(browser: Browser, answering: Any) -> None:
    """A cache that answered an hour ago knows nothing of the hour since."""
    body = (
        b'<rss version="2.0"><channel><item><title>A</title><link>https://a.com/1</link>'
        b"<pubDate>Wed, 04 Mar 2026 02:00:00 GMT</pubDate></item></channel></rss>"
    )
    server = answering(200, body)
    server.RequestHandlerClass.date_time_string = lambda *_: "Wed, 04 Mar 2026 04:00:00 GMT"
    try:
        page = newest(Asking(replace(PROVIDERS["rss_decrypt"], base_url=server.url), browser))
    finally:
        del server.RequestHandlerClass.date_time_string

    assert (
        Window(datetime(2026, 3, 4, 2, tzinfo=UTC), datetime(2026, 3, 4, 4, tzinfo=UTC))
        == page.covered
    )


def test_pinned_item_is_not_the_end_of_a_feed() -> None:
    """An item that is much older than its neighbour says nothing of how far the feed reaches."""
    times = [
        NOW,
        NOW - timedelta(hours=5),
        NOW - timedelta(hours=5) - PINNED * 1.01,
        NOW - 99 * DAY,
    ]
    rows = [Article(f"https://a.com/{at}", "A", "A", at) for at in times]

    assert NOW - timedelta(hours=5) == oldest_of(rows)
    assert NOW - timedelta(hours=5) == oldest_of(rows[:2])
    assert None is oldest_of([rows[0]._replace(published_at=None)])


@every_archive
def test_window_is_split_until_nothing_is_cut_off(
    newsroom: Sandbox, browser: Browser, name: str
) -> None:
    """However few rows an answer may hold, the parts cover the window and lose no article."""
    told = Newsroom(7).between(PAST.start, PAST.end)
    whole = pages(Asking(at(newsroom, name, full=10**9), browser), Window(PAST.start, PAST.end))
    full = 250 if name == "gdelt" else 100
    split = pages(Asking(at(newsroom, name, full=full), browser), PAST)

    assert len(split) > 1 or name == "hn_algolia"
    ends = [(page.covered.start, page.covered.end) for page in split if page.covered]
    assert PAST.start == ends[0][0]
    assert PAST.end == ends[-1][1]
    assert [end for _, end in ends[:-1]] == [start for start, _ in ends[1:]]
    urls = {one.url for page in split for one in page.articles}
    assert urls >= {one.url for page in whole for one in page.articles}
    if name != "hn_algolia":
        assert {one.url for one in told} == urls


@every_archive
def test_window_that_cannot_be_split_covers_nothing(
    newsroom: Sandbox, browser: Browser, name: str
) -> None:
    """What is cut off in the narrowest window is kept, but not taken for the whole."""
    provider = at(newsroom, name, full=1, narrowest=DAY)
    found = pages(Asking(provider, browser), PAST)

    assert [None] == [page.covered for page in found]
    assert found[0].articles


@every_archive
def test_articles_lie_inside_their_window(newsroom: Sandbox, browser: Browser, name: str) -> None:
    """Half-open on both sides, whatever the provider's own bounds are."""
    story = Newsroom(7).between(PAST.start, PAST.end)[10]
    second = timedelta(seconds=1)
    asking = Asking(at(newsroom, name, terms=(story.title.split()[0],)), browser)
    around = pages(asking, Window(story.at, story.at + second))
    before = pages(asking, Window(story.at - second, story.at))

    assert {story.at} == {one.published_at for page in around for one in page.articles}
    assert story.at not in {one.published_at for page in before for one in page.articles}


def test_what_lies_outside_the_window_is_clipped(browser: Browser, answering: Any) -> None:
    """A provider that heeds no bounds gives what was asked for all the same."""
    seconds = [int(at.timestamp()) for at in (PAST.start, PAST.end)]
    hits = [{"objectID": str(at), "title": "A", "created_at_i": at} for at in seconds]
    server = answering(200, json.dumps({"hits": hits}).encode(), content_type="application/json")
    provider = replace(PROVIDERS["hn_algolia"], base_url=server.url)
    (page,) = pages(Asking(provider, browser), PAST)

    assert [PAST.start] == [one.published_at for one in page.articles]


@every_provider
def test_rate_limit_is_waited_out(newsroom: Sandbox, browser: Browser, name: str) -> None:
    """A 429 costs the wait it asks for and nothing else."""
    asking = Asking(at(newsroom, name), browser)
    newsroom.order("429:times=1,retry_after=3")

    assert any_articles(asking)
    assert [3.0] == asking.pacing.slept


@every_provider
@pytest.mark.parametrize("fault", ["451", "403_html"])
def test_refusal_is_not_repeated(
    newsroom: Sandbox, browser: Browser, name: str, fault: str
) -> None:
    """A host that refuses an address is asked once."""
    newsroom.order(fault)

    with pytest.raises(HostRefused):
        any_articles(Asking(at(newsroom, name), browser))
    assert len(newsroom.requests()) == 1


@every_provider
@pytest.mark.parametrize("fault", ["500", "html", "garbage", "cut_body", "reset"])
def test_failure_that_may_pass_is_transient(
    newsroom: Sandbox, browser: Browser, name: str, fault: str
) -> None:
    """Whatever breaks below the protocol is told as an error of ours after several tries."""
    newsroom.order(fault)

    with pytest.raises(TransientError):
        any_articles(Asking(at(newsroom, name), browser))
    assert len(newsroom.requests()) > 1


@every_provider
@pytest.mark.parametrize(
    "body", [b"", b"[", b"null", b"7", b"[7]", b'{"articles": 7}', b'{"hits": [{}]}']
)
def test_odd_body_is_malformed(name: str, body: bytes) -> None:
    """A body that lists no articles is never read as no news."""
    kind = "application/json" if not name.startswith("rss") else "application/rss+xml"

    with pytest.raises(MalformedReply):
        WITH_NEWS[name].rows(Reply(200, {"content-type": kind}, body))


def test_a_provider_without_news_says_so(browser: Browser) -> None:
    """Asking who has none is our mistake, told as one."""
    with pytest.raises(RequestRejected, match="binance offers no news"):
        newest(Asking(PROVIDERS["binance"], browser))
