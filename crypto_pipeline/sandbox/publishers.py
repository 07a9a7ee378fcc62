"""The feeds of the sandbox's publishers: RSS or Atom, with an ETag, a date, and 304 for who knows both."""

from collections.abc import Sequence
from email.utils import format_datetime
from html import escape
from zlib import crc32

from starlette.requests import Request

from crypto_pipeline.sandbox.faults import PAGES, REFUSALS, Asked, Fault, FaultBook, disarranged
from crypto_pipeline.sandbox.newsroom import PUBLISHERS, Newsroom, Publisher, Story
from crypto_pipeline.sandbox.refusals import Refusal, Words
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.venues import Reply

NOT_MODIFIED = 304
_WORDS = Words(
    unknown_symbol=Refusal(404, {"error": "not found"}),
    bad_request=Refusal(400, {"error": "bad request"}),
    too_many=Refusal(429, {"error": "too many requests"}),
)
_RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>{title}</title><link>https://{domain}/</link><language>en-US</language><ttl>5</ttl>
{items}</channel></rss>
"""
_ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-US">
<title>{title}</title><id>https://{domain}/</id><updated>{updated}</updated>
{items}</feed>
"""


class PublisherFeed:
    """One publisher's feed, whatever path it is asked at."""

    def __init__(self, publisher: Publisher, settings: SandboxSettings) -> None:
        self.name = publisher.name
        self._publisher = publisher
        self._settings = settings
        self._newsroom = Newsroom(settings.seed)

    def asked(self, path: str, _: Request) -> Asked:
        """Every request is one for the page of items."""
        return Asked(f"/{self.name}{path}", is_page=True)

    def reply(self, _: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """Refusal, unchanged, or the items."""
        refused = next((fault for fault in faults if fault.kind in REFUSALS), None)
        if refused:
            return _WORDS.refusal(refused)
        now, publisher = self._settings.clock(), self._publisher
        stories = self._newsroom.newest(publisher, now, publisher.size)
        kinds = [fault.kind for fault in faults if fault.kind in PAGES]
        told = [stories[at] for at in disarranged(len(stories), kinds)]
        tag = f'"{crc32("".join(one.url for one in told).encode()):08x}"'
        marks = {"etag": tag, "last-modified": format_datetime(stories[0].at, usegmt=True)}
        if request.headers.get("if-none-match") == tag:
            return Reply(NOT_MODIFIED, b"", headers=marks)
        kind = "application/atom+xml" if publisher.is_atom else "application/rss+xml; charset=utf-8"
        body = _atom(publisher, told) if publisher.is_atom else _rss(publisher, told)
        return Reply(200, body.encode(), kind, marks, weight=1)


def publisher_feeds(settings: SandboxSettings, _: FaultBook) -> list[PublisherFeed]:
    """The feed of every publisher."""
    return [PublisherFeed(publisher, settings) for publisher in PUBLISHERS]


def tracked(story: Story, medium: str) -> str:
    """An article's address as those spell it who count their readers."""
    return f"{story.url}?utm_source={medium}&utm_medium=feed"


def _rss(publisher: Publisher, stories: Sequence[Story]) -> str:
    items = "".join(
        f"<item><title><![CDATA[{one.title}]]></title><link>{escape(tracked(one, 'rss'))}</link>"
        f'<guid isPermaLink="false">{publisher.name}-{one.number}</guid>'
        f"<pubDate>{format_datetime(one.at)}</pubDate>"
        f"<description><![CDATA[<p>{escape(one.summary)}</p>]]></description></item>\n"
        for one in stories
    )
    return _RSS.format(title=escape(publisher.title), domain=publisher.domain, items=items)


def _atom(publisher: Publisher, stories: Sequence[Story]) -> str:
    items = "".join(
        f'<entry><title>{escape(one.title)}</title><link href="{escape(tracked(one, "atom"))}"/>'
        f"<id>tag:{publisher.domain},{one.number}</id><published>{one.at.isoformat()}</published>"
        f'<updated>{one.at.isoformat()}</updated><summary type="text">{escape(one.summary)}</summary>'
        "</entry>\n"
        for one in stories
    )
    updated = stories[0].at.isoformat() if stories else ""
    title, domain = escape(publisher.title), publisher.domain
    return _ATOM.format(title=title, domain=domain, updated=updated, items=items)
