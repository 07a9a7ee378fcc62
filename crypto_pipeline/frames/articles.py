"""Articles as typed rows: what each must keep to be stored, and the one address it is known by."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote_plus, urlsplit, urlunsplit

MOST_AHEAD = timedelta(hours=1)
"""How far in the future a time of publication may lie: clocks differ, and embargoes end."""
LONGEST_URL = 2000
"""Bytes; no page has more, and an index takes little more."""
LONGEST_TEXT = 20_000
"""Characters of a summary that are kept: some feeds carry the whole article in it."""

_PORTS = {"http": 80, "https": 443}
_TRACKERS = """
fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid twclid ttclid igshid igsh mc_cid mc_eid mkt_tok
oly_anon_id oly_enc_id vero_id wickedid _hsenc _hsmi __s _ga _gl s_cid cmpid ncid ref ref_src ref_url
referrer campaign_id traffic_source guccounter guce_referrer spm xtor
"""
_TRACKER_NAMES = frozenset(_TRACKERS.split())
_TRACKER_FAMILIES = ("utm_", "utm-", "pk_", "mtm_", "piwik_", "hsa_")
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|<!--.*?-->", re.DOTALL)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0]+")


class Article(NamedTuple):
    """One article as one source tells it; what its source leaves out is None.

    ``url`` is canonical, ``link`` as the source gave it, ``guid`` the source's own name for it.
    ``sentiment`` lies between -1 and 1; ``tickers`` are the assets the source itself names.
    """

    url: str
    title: str
    publisher: str
    published_at: datetime | None
    summary: str | None = None
    language: str | None = None
    sentiment: Decimal | None = None
    tickers: tuple[str, ...] = ()
    guid: str | None = None
    link: str = ""

    def broken_promise(self, now: datetime) -> str | None:
        """Why it may not be stored, or None."""
        at = self.published_at
        broken = (
            (not self.title, "there is no title"),
            (not self.publisher, "it does not say who published it"),
            (not is_web_address(self.url), "its address is not that of a web page"),
            (len(self.url.encode()) > LONGEST_URL, "its address is beyond all measure"),
            (at is None, "it does not say when it was published"),
            (at and at.tzinfo is None, "its time of publication has no zone"),
            (at and at.tzinfo and at > now + MOST_AHEAD, "it was published in the future"),
            (abs(self.sentiment or Decimal()) > 1, "its sentiment lies outside -1 and 1"),
        )
        return next((why for is_broken, why in broken if is_broken), None)


class RejectedArticle(NamedTuple):
    """An article that breaks a promise, kept aside with the reason."""

    article: Article
    reason: str


def plain(text: str) -> str:
    """Text as people read it: no markup, no entities, one space where there is any."""
    bare = unescape(_TAG.sub(" ", text) if "<" in text else text)
    sound = bare.encode("utf-8", "ignore").decode("utf-8")
    return " ".join(_UNPRINTABLE.sub(" ", sound).split())[:LONGEST_TEXT]


def canonical_url(url: str) -> str:
    """The one address of a page: without fragment, default port and what tracks its readers.

    What cannot be read as a web address comes back as it is, for a promise to catch.
    """
    text = _UNPRINTABLE.sub("", url.encode("utf-8", "ignore").decode("utf-8"))
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
    except ValueError:
        return text
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host:
        return text
    host = f"[{host}]" if ":" in host else host
    login = parts.netloc.rpartition("@")[0]
    place = (f"{login}@" if login else "") + host
    if port is not None and port != _PORTS[scheme]:
        place += f":{port}"
    asked = "&".join(one for one in parts.query.split("&") if one and not _tracks(one))
    return urlunsplit((scheme, place, parts.path or "/", asked, ""))


def is_web_address(url: str) -> bool:
    """Whether it is the address of something on the web."""
    try:
        parts = urlsplit(url)
        return parts.scheme in _PORTS and bool(parts.hostname)
    except ValueError:
        return False


def site_of(url: str) -> str:
    """The site a page is on, without ``www.``; empty where there is none."""
    return (urlsplit(url).hostname or "").removeprefix("www.") if is_web_address(url) else ""


def _tracks(parameter: str) -> bool:
    """Whether a parameter tells who sent the reader, and nothing about the page."""
    name = unquote_plus(parameter.partition("=")[0]).lower()
    return name in _TRACKER_NAMES or name.startswith(_TRACKER_FAMILIES)
