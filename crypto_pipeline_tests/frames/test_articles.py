"""Articles: what may be stored, text as people read it, and the one address of a page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.frames.articles import (
    LONGEST_URL,
    MOST_AHEAD,
    Article,
    canonical_url,
    is_web_address,
    plain,
    site_of,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SOUND = Article("https://a.com/1", "Title", "A", NOW)
PARAMETERS = st.sampled_from(
    [
        "id=7",
        "utm_source=x",
        "a=b%20c",
        "fbclid=1",
        "q",
        "=",
        "ref=rss",
        "UTM_Medium=y",
        "",
        "b=?&c",
    ]
)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """Addresses as feeds give them, sound and unsound."""
    scheme = draw(st.sampled_from(["http", "https", "HTTPS", "ftp", "mailto", ""]))
    host = draw(
        st.sampled_from(["a.com", "WWW.A.com", "a.com:443", "a.com:80", "[::1]", "b@a.com:8"])
    )
    query = "&".join(draw(st.lists(PARAMETERS, max_size=4)))
    path = draw(st.sampled_from(["", "/", "/1/", "/a%2Fb", "/ä", "//x"]))
    return (
        f"{scheme}://{host}{path}"
        + (f"?{query}" if query else "")
        + draw(st.sampled_from(["", "#top", "#", " \n"]))
    )


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("HTTPS://WWW.A.com:443/Path/?utm_source=rss&utm_medium=feed", "https://www.a.com/Path/"),
        ("http://a.com:80?b=2&fbclid=x&a=1#top", "http://a.com/?b=2&a=1"),
        ("https://a.com:8443/x?UTM_Campaign=1&id=%C3%A4", "https://a.com:8443/x?id=%C3%A4"),
        ("https://a.com/x?ref=home&reference=7&gclid", "https://a.com/x?reference=7"),
        ("https://[2001:DB8::1]:443/x", "https://[2001:db8::1]/x"),
        (" https://a.com/a\n b ", "https://a.com/ab"),
        ("https://u:p@A.com/", "https://u:p@a.com/"),
        ("mailto:a@b.c", "mailto:a@b.c"),
        ("https://a.com:port/", "https://a.com:port/"),
        ("/relative?utm_source=x", "/relative?utm_source=x"),
        ("", ""),
    ],
)
def test_canonical_address_has_nothing_that_tracks(given_url: str, expected: str) -> None:
    """Host in small letters, no default port, fragment or tracking; the rest as it was, in order."""
    assert expected == canonical_url(given_url)


@given(addresses() | st.text())
def test_canonical_address_is_canonical(url: str) -> None:
    """What is canonical stays as it is, whatever it was made from."""
    once = canonical_url(url)

    assert once == canonical_url(once)


@given(addresses())
def test_tracking_makes_no_other_page(url: str) -> None:
    """Who adds a tracking parameter or a fragment names the same page."""
    if not is_web_address(canonical_url(url)):
        return
    bare = url.partition("#")[0].strip()
    more = bare + ("&" if "?" in bare else "?") + "utm_content=7#part"

    assert canonical_url(url) == canonical_url(more)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"published_at": NOW + MOST_AHEAD}, None),
        ({"title": ""}, "title"),
        ({"publisher": ""}, "who published"),
        ({"url": "ftp://a.com/x"}, "not that of a web page"),
        ({"url": ""}, "not that of a web page"),
        ({"url": "https://a.com/" + "x" * LONGEST_URL}, "beyond all measure"),
        ({"published_at": None}, "when it was published"),
        ({"published_at": NOW.replace(tzinfo=None)}, "no zone"),
        ({"published_at": NOW + MOST_AHEAD + timedelta(seconds=1)}, "in the future"),
        ({"sentiment": Decimal("1.01")}, "sentiment"),
    ],
)
def test_article_keeps_its_promises(changes: dict[str, Any], reason: str | None) -> None:
    """An article without title, page, or believable time is refused with the reason."""
    broken = SOUND._replace(**changes).broken_promise(NOW)

    assert (broken is None) if reason is None else (reason in str(broken))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ('NEO is <span class="green">up</span>', "NEO is up"),
        ("Fish &amp; chips&#39; 5 &lt; 6", "Fish & chips' 5 < 6"),
        ("a\x00b\xa0 \n c\ud800", "a b c"),
        ("<!-- no --><p>One</p><p>Two</p>", "One Two"),
        ("4 < 5 and 6 > 5", "4 < 5 and 6 > 5"),
    ],
)
def test_text_is_as_people_read_it(told: str, expected: str) -> None:
    """No markup, entities or characters that nobody can store."""
    assert expected == plain(told)


def test_site_is_told_without_www() -> None:
    """The site of a page is its host; what is no page has none."""
    assert ["a.com", "b.a.com", ""] == [
        site_of(url) for url in ("https://www.a.com/x", "http://b.a.com", "mailto:a@b.c")
    ]
