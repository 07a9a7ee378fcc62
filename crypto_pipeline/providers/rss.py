"""The feeds of publishers, RSS or Atom: their newest articles, and no older ones.

What a feed no longer holds is gone for good; a series of articles therefore begins with the oldest
item of its first answer. Adding a feed is a line in FEEDS.
"""

import re
from calendar import timegm
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, NamedTuple

import feedparser

from crypto_pipeline.errors import MalformedReply
from crypto_pipeline.frames.articles import Article
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Limits, NewsEndpoint, Provider, Question, Reply
from crypto_pipeline.providers.news import article
from crypto_pipeline.providers.replies import http_fault

ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8"
_WEB_PAGE = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)
_END = re.compile(rb"</\s*(rss|feed|(\w+:)?rdf)\s*>\s*(<!--.*-->\s*)*$", re.IGNORECASE | re.DOTALL)
_EMPTY = re.compile(rb"<(dc:description|content:encoded)\s*/>")
"""Elements that say nothing, and would hide what the description says."""


class Feed(NamedTuple):
    """One publisher's feed."""

    name: str
    title: str
    base_url: str
    path: str


FEEDS = (
    Feed("rss_ambcrypto", "AMBCrypto", "https://ambcrypto.com", "/feed/"),
    Feed("rss_beincrypto", "BeInCrypto", "https://beincrypto.com", "/feed/"),
    Feed("rss_bitcoinist", "Bitcoinist", "https://bitcoinist.com", "/feed/"),
    Feed("rss_bitcoinmagazine", "Bitcoin Magazine", "https://bitcoinmagazine.com", "/feed"),
    Feed("rss_blockworks", "Blockworks", "https://blockworks.co", "/feed"),
    Feed("rss_coindesk", "CoinDesk", "https://www.coindesk.com", "/arc/outboundfeeds/rss/"),
    Feed("rss_cointelegraph", "Cointelegraph", "https://cointelegraph.com", "/rss"),
    Feed("rss_cryptobriefing", "Crypto Briefing", "https://cryptobriefing.com", "/feed/"),
    Feed("rss_cryptopotato", "CryptoPotato", "https://cryptopotato.com", "/feed/"),
    Feed("rss_cryptoslate", "CryptoSlate", "https://cryptoslate.com", "/feed/"),
    Feed("rss_dailyhodl", "The Daily Hodl", "https://dailyhodl.com", "/feed/"),
    Feed("rss_decrypt", "Decrypt", "https://decrypt.co", "/feed"),
    Feed("rss_newsbtc", "NewsBTC", "https://www.newsbtc.com", "/feed/"),
    Feed("rss_theblock", "The Block", "https://www.theblock.co", "/rss.xml"),
    Feed("rss_u_today", "U.Today", "https://u.today", "/rss"),
)


def _provider(feed: Feed) -> Provider:
    def question(_: Window | None, __: str) -> Question:
        return Question(feed.path, headers={"accept": ACCEPT})

    def rows(reply: Reply) -> list[Article]:
        return read_feed(reply, feed.title)

    return Provider(
        name=feed.name,
        title=feed.title,
        docs=feed.base_url + feed.path,
        base_url=feed.base_url,
        limits=Limits(weight_per_minute=4, concurrency=1),
        fault=http_fault,
        history="the newest twenty to sixty articles",
        news=NewsEndpoint(question, rows, is_feed=True),
    )


def read_feed(reply: Reply, publisher: str) -> list[Article]:
    """The items of a feed as it lists them; what is no whole feed is a MalformedReply that says so."""
    body = reply.body.strip()
    told = reply.content_type or "no content type"
    if _WEB_PAGE.match(body):
        msg = f"HTTP {reply.status} with a web page ({told}) where a feed is due"
        raise MalformedReply(msg)
    # Handed over as a stream: of plain bytes the parser would first try whether they name a file.
    found = feedparser.parse(
        BytesIO(_EMPTY.sub(b"", body)), resolve_relative_uris=False, sanitize_html=False
    )
    if not found.get("version"):
        msg = f"HTTP {reply.status} with {told} that is neither RSS nor Atom"
        raise MalformedReply(msg)
    if not _END.search(body[-1000:]):
        msg = f"HTTP {reply.status} with a feed that has no end: it is cut"
        raise MalformedReply(msg)
    language = str(found.feed.get("language") or "").partition("-")[0].lower() or None
    return [_article(item, publisher, language) for item in found.entries]


def _article(item: Any, publisher: str, language: str | None) -> Article:
    # The parser resolves a guid that is the item's address to its link.
    guid = item.get("id")
    return article(
        str(item.get("link") or ""),
        str(item.get("title") or ""),
        publisher,
        published_at=_moment(item),
        summary=str(item.get("summary") or ""),
        language=language,
        guid=str(guid) if guid else None,
    )


def _moment(item: Any) -> datetime | None:
    """When it was published, or else last changed; None where no date is told that can be read."""
    told = item.get("published_parsed") or ("updated" in item and item.get("updated_parsed"))
    try:
        return EPOCH + timedelta(seconds=timegm(told)) if told else None
    except (ValueError, OverflowError):
        return None


RSS = tuple(map(_provider, FEEDS))
"""One provider for each feed."""
