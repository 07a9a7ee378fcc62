"""Errors by code: which error a code means, with what status it may come, and in whose words."""

import pytest

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.providers.coded import Codes
from crypto_pipeline_tests.providers.saying import reply_of

CODES = Codes(
    code="code",
    words="msg",
    answer="0",
    too_often=frozenset({"11"}),
    passing=frozenset({"12"}),
    refused=frozenset({"13"}),
)


@pytest.mark.parametrize(
    ("status", "code", "kind", "told"),
    [
        (200, "11", RateLimited, "11: no"),
        (200, 11, RateLimited, "11: no"),
        (400, "11", RateLimited, "11: no"),
        (200, "12", TransientError, "12: no"),
        (400, "12", TransientError, "12: no"),
        (200, "13", HostRefused, "13: no"),
        (400, "13", HostRefused, "13: no"),
        (200, "99", RequestRejected, "99: no"),
        (404, "99", RequestRejected, "HTTP 404: 99: no"),
        (429, "99", RateLimited, "HTTP 429: 99: no"),
        (418, "11", HostRefused, "HTTP 418: 11: no"),
        (503, "99", TransientError, "HTTP 503: 99: no"),
        (502, "0", TransientError, "HTTP 502"),
    ],
)
def test_code_is_told_in_the_venues_words(
    status: int, code: object, kind: type[ProviderError], told: str
) -> None:
    """A status that only rejects says less than the code; any other says enough."""
    fault = CODES.fault(reply_of({"code": code, "msg": "no"}, status))

    assert (kind, told) == (type(fault), str(fault))


@pytest.mark.parametrize("body", [{"code": "0"}, {"code": 0}, {"data": []}, [], ["11"]])
def test_answer_is_no_error(body: object) -> None:
    """The code of no error, or none at all, passes: what the body holds is for who reads it."""
    assert CODES.fault(reply_of(body)) is None


def test_page_where_json_is_due_is_malformed() -> None:
    """Whatever stands before the venue says nothing in its words."""
    assert MalformedReply is type(CODES.fault(reply_of(b"<html>")))


@pytest.mark.parametrize(("code", "seconds"), [("11", 7.0), ("13", 7.0)])
def test_wait_that_is_asked_for_is_kept(code: str, seconds: float) -> None:
    """Both a limit and a refusal end when the venue says."""
    fault = CODES.fault(reply_of({"code": code}, retry_after="7"))

    assert isinstance(fault, RateLimited | HostRefused)
    assert seconds == fault.retry_after
