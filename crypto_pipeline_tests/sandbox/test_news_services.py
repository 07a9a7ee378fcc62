"""CryptoPanic, NewsAPI, GDELT and Hacker News in the sandbox: keys, limits of a page, words for errors."""

from typing import Any

import httpx
import pytest

from crypto_pipeline.sandbox.server import Sandbox

POSTS = "/api/developer/v2/posts/"
DOC = "/api/v2/doc/doc"
EVERYTHING = "/v2/everything"
SEARCH = "/api/v1/search_by_date"
KEY = {"x-api-key": "made-up"}


def ask(sandbox: Sandbox, name: str, path: str, **options: Any) -> httpx.Response:
    """A question to one service."""
    return httpx.get(sandbox.base_url(name) + path, **options)


def days(first: int, last: int) -> dict[str, str]:
    """GDELT's words for some days of 2026-02 from noon to noon."""
    return {
        "startdatetime": f"202602{first:02}120000",
        "enddatetime": f"202602{last:02}115959",
        "maxrecords": "1000",
    }


@pytest.mark.parametrize(("name", "path"), [("cryptopanic", POSTS), ("newsapi", EVERYTHING)])
def test_key_is_due(shared: Sandbox, name: str, path: str) -> None:
    """Who brings no key is refused in the provider's words."""
    reply = ask(shared, name, path)

    assert (401, True) == (reply.status_code, reply.json()["status"] in ("error", "Incorrect"))


def test_pages_are_limited(shared: Sandbox) -> None:
    """Each holds as many as the provider's, though more is asked for."""
    window = {"from": "2026-03-01T00:00:00", "to": "2026-03-02T00:00:00"}
    posts = ask(shared, "cryptopanic", POSTS, params={"auth_token": "x"}).json()["results"]
    listed = ask(shared, "gdelt", DOC, params=days(1, 3)).json()["articles"]
    news = ask(shared, "newsapi", EVERYTHING, params=window, headers=KEY).json()["articles"]

    assert (20, 250, 100) == (len(posts), len(listed), len(news))


def test_quiet_window_of_gdelt_is_an_empty_object(shared: Sandbox) -> None:
    """What lies ahead holds nothing, and that is told as the provider does."""
    assert (
        {}
        == ask(
            shared, "gdelt", DOC, params=days(28, 28) | {"startdatetime": "20270101000000"}
        ).json()
    )


def test_gdelt_tells_errors_as_text_with_200(shared: Sandbox) -> None:
    """A wrong date is no error to HTTP."""
    reply = ask(shared, "gdelt", DOC, params={"startdatetime": "soon"})

    assert (200, True) == (reply.status_code, "invalid" in reply.text)


def test_newsapi_keeps_a_month(shared: Sandbox) -> None:
    """What is older costs an upgrade."""
    window = {"from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00"}

    assert 426 == ask(shared, "newsapi", EVERYTHING, params=window, headers=KEY).status_code


def test_stories_are_searched_by_term(shared: Sandbox) -> None:
    """Only stories with the term are hits, and a filter that cannot be read is refused."""
    filters = "created_at_i>1772000000,created_at_i<1772200000"
    query = {"query": "bitcoin", "numericFilters": filters, "hitsPerPage": "1000"}
    hits = ask(shared, "hn_algolia", SEARCH, params=query).json()["hits"]
    wrong = ask(shared, "hn_algolia", SEARCH, params=query | {"numericFilters": "x"})

    assert {True} == {"bitcoin" in hit["title"].lower() for hit in hits}
    assert 400 == wrong.status_code
