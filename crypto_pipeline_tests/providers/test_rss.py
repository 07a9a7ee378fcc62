"""Feeds: RSS and Atom as publishers send them, recorded ones among them."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from crypto_pipeline.errors import MalformedReply
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.rss import FEEDS, RSS, read_feed

RECORDED = ("coindesk_2025-12.xml", "decrypt_2025-12.xml", "coindesk_2026-09-25_new_layout.xml")
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">
<entry><title type="html">Fish &amp;amp; &lt;b&gt;chips&lt;/b&gt;</title>
<link rel="alternate" href="https://a.com/1?utm_source=x"/><id>tag:1</id>
<published>2024-02-28T23:30:00+02:00</published><updated>2024-02-29T00:00:00Z</updated></entry>
<entry><title>Only changed</title><link href="https://a.com/2"/><id>tag:2</id>
<updated>2024-02-29T00:00:00Z</updated></entry></feed>"""


def reply(body: str | bytes, content_type: str = "application/rss+xml") -> Reply:
    """A feed's reply."""
    data = body.encode() if isinstance(body, str) else body
    return Reply(200, {"content-type": content_type}, data)


def items(path: Path) -> list[dict[str, str]]:
    """What a recorded feed says, read by the standard library's parser."""
    found = ET.parse(path).getroot().iter("item")  # noqa: S314 - our own recordings
    tags = ("title", "link", "guid", "description", "pubDate")
    return [{tag: " ".join((one.findtext(tag) or "").split()) for tag in tags} for one in found]


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_feed_is_read_whole(corpus: Path, name: str) -> None:
    """Every recorded item comes as the publisher told it."""
    path = corpus / "rss" / name
    rows = read_feed(reply(path.read_bytes()), "Somebody")
    expected = [
        (
            *(one["title"], one["link"], one["guid"], one["description"] or None),
            datetime.strptime(one["pubDate"], "%a, %d %b %Y %H:%M:%S %z"),
        )
        for one in items(path)
    ]

    assert expected == [
        (row.title, row.url, row.guid, row.summary, row.published_at) for row in rows
    ]
    assert {"en"} == {row.language for row in rows}
    assert [None] * len(rows) == [row.broken_promise(datetime.now(UTC)) for row in rows]


def test_atom_is_read_like_rss() -> None:
    """Times come in UTC, of publication where told and of change where not; addresses are canonical."""
    first, second = read_feed(reply(ATOM, "application/atom+xml"), "A")

    assert ("Fish & chips", "https://a.com/1", "tag:1") == (first.title, first.url, first.guid)
    assert "https://a.com/1?utm_source=x" == first.link
    assert datetime(2024, 2, 28, 21, 30, tzinfo=UTC) == first.published_at
    assert datetime(2024, 2, 29, tzinfo=UTC) == second.published_at


def test_content_type_does_not_matter() -> None:
    """Publishers send feeds as XML, as text or as nothing; it is the body that counts."""
    kinds = ("text/xml", "application/xml", "text/html; charset=utf-8", "text/plain", "")

    assert {2} == {len(read_feed(reply(ATOM, kind), "A")) for kind in kinds}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "neither RSS nor Atom"),
        (b"\n<!DOCTYPE HTML><html><body>Checking your browser</body></html>", "web page"),
        (b'{"error": 1}', "neither RSS nor Atom"),
        (b"/etc/hostname", "neither RSS nor Atom"),
        (ATOM.encode()[:300], "cut"),
        (b"\x00\xff<<garbage", "neither RSS nor Atom"),
    ],
)
def test_what_is_no_feed_is_malformed(body: bytes, words: str) -> None:
    """A web page, half a feed or garbage is never a feed without news."""
    with pytest.raises(MalformedReply, match=words):
        read_feed(reply(body), "A")


def test_item_without_a_date_breaks_a_promise() -> None:
    """It is read and set aside, not dated by us; an ampersand that is not escaped spoils nothing."""
    body = (
        '<rss version="2.0"><channel><item><title>Q & A</title><link>https://a.com/1</link>'
        "<pubDate>yesterday</pubDate></item></channel></rss>"
    )
    (row,) = read_feed(reply(body), "A")

    assert ("Q & A", None) == (row.title, row.published_at)
    assert "when it was published" in str(row.broken_promise(datetime.now(UTC)))


def test_feeds_are_many_and_apart() -> None:
    """There are twelve or more, each a provider of its own on a host of its own."""
    assert len(FEEDS) == len(RSS) == len({one.base_url for one in RSS}) >= 12
    assert [f"rss_{one.name.removeprefix('rss_')}" for one in RSS] == [one.name for one in RSS]
