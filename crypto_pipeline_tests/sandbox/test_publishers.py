"""The publishers' feeds: well-formed XML, conditional requests, faults."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import httpx
import pytest

from crypto_pipeline.sandbox.newsroom import PUBLISHERS, Publisher
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.sandbox.conftest import Clock, Start

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.mark.parametrize("one", PUBLISHERS, ids=lambda one: one.name)
def test_feed_is_well_formed(shared: Sandbox, one: Publisher) -> None:
    """Each is RSS or Atom with its number of items, no two alike."""
    reply = httpx.get(f"{shared.base_url(one.name)}/feed")
    root = ET.fromstring(reply.content)  # noqa: S314 - our own sandbox
    items = [*root.iter(f"{ATOM}entry" if one.is_atom else "item")]

    assert one.size == len(items)
    assert ("atom" in reply.headers["content-type"]) == one.is_atom
    assert len({ET.tostring(item) for item in items}) == one.size


def test_unchanged_feed_is_304_until_the_next_story(start: Start) -> None:
    """The tag that was told is recognised for as long as nothing is new."""
    clock = Clock()
    sandbox, _ = start(clock=clock)
    url = f"{sandbox.base_url('rss_decrypt')}/feed"
    tag = httpx.get(url).headers["etag"]
    unchanged = httpx.get(url, headers={"if-none-match": tag})
    clock.now += timedelta(hours=2)
    changed = httpx.get(url, headers={"if-none-match": tag})

    assert (304, b"", tag) == (unchanged.status_code, unchanged.content, unchanged.headers["etag"])
    assert (200, True) == (changed.status_code, changed.headers["etag"] != tag)


def test_pages_can_be_disordered(start: Start) -> None:
    """A feed can be ordered to be short, stale or refused, like any page."""
    sandbox, _ = start()
    url = f"{sandbox.base_url('rss_decrypt')}/feed"
    whole = httpx.get(url).text.count("<item>")
    sandbox.order("short_page:path=/rss_decrypt,times=1")
    short = httpx.get(url).text.count("<item>")
    sandbox.order("429:path=/rss_decrypt,times=1,retry_after=3")
    refused = httpx.get(url)

    assert whole // 2 == short
    assert (429, "3") == (refused.status_code, refused.headers["retry-after"])
