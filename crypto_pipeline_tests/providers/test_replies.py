"""What HTTP itself says about a reply, the same for every provider."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.replies import (
    BAN_PAUSE,
    DEFAULT_PAUSE,
    REFUSAL_PAUSE,
    http_fault,
    json_body,
    reading,
)

JSON = {"content-type": "application/json;charset=UTF-8"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRejected),
        (401, RequestRejected),
        (403, HostRefused),
        (404, RequestRejected),
        (408, TransientError),
        (418, HostRefused),
        (429, RateLimited),
        (451, HostRefused),
        (500, TransientError),
        (502, TransientError),
        (503, TransientError),
        (504, TransientError),
        (520, TransientError),
    ],
)
def test_status_says_what_to_do(status: int, kind: type[ProviderError]) -> None:
    """Each refusal has its class, and the message holds the status and what the provider said."""
    fault = http_fault(Reply(status, {}, b""), "-1121 Invalid symbol.")

    assert kind is type(fault)
    assert f"HTTP {status}: -1121 Invalid symbol." == str(fault)


@pytest.mark.parametrize("status", [200, 204, 301, 304])
def test_status_below_400_is_no_fault(status: int) -> None:
    """What is not refused is for others to judge."""
    assert http_fault(Reply(status, {}, b"")) is None


@pytest.mark.parametrize("status", [429, 418, 403, 451])
def test_retry_after_is_obeyed(status: int) -> None:
    """The pause is the one the host asks for."""
    fault = http_fault(Reply(status, {"retry-after": "37"}, b""))

    assert isinstance(fault, RateLimited | HostRefused)
    assert 37 == fault.retry_after


@pytest.mark.parametrize(
    ("status", "pause"),
    [(429, DEFAULT_PAUSE), (418, BAN_PAUSE), (403, REFUSAL_PAUSE), (451, REFUSAL_PAUSE)],
)
@pytest.mark.parametrize("said", [None, "Wed, 21 Oct 2026 07:28:00 GMT", "-3", "soon", "²"])
def test_pause_without_a_number_of_seconds_is_our_own(
    status: int, pause: float, said: str | None
) -> None:
    """Where the host names no number of seconds, the class of the refusal decides."""
    fault = http_fault(Reply(status, {} if said is None else {"retry-after": said}, b""))

    assert isinstance(fault, RateLimited | HostRefused)
    assert pause == fault.retry_after


def test_absurd_pause_is_a_week() -> None:
    """A number that no clock can hold does not stop us for ever."""
    fault = http_fault(Reply(429, {"retry-after": "9" * 400}, b""))

    assert isinstance(fault, RateLimited)
    assert 7 * 86_400 == fault.retry_after


def test_numbers_are_read_as_printed() -> None:
    """A JSON number keeps its trailing zero."""
    assert [Decimal("1.10")] == json_body(Reply(200, JSON, b"[1.10]"))
    assert "1.10" == str(json_body(Reply(200, JSON, b"1.10")))


@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=utf-8", None])
def test_content_type_is_checked_before_the_body(content_type: str | None) -> None:
    """A body that is not called JSON is not parsed, and the message says what came instead."""
    headers = {"content-type": content_type} if content_type else {}

    with pytest.raises(MalformedReply, match=r"HTTP 200 with (text/html|no content type) where"):
        json_body(Reply(200, headers, b"[]"))


@pytest.mark.parametrize(
    "body",
    [b"", b"[[1502942400000,", b'[[1502942400000,"4261.48\x00\xff<<', b"\xff\xfe[", b"["],
    ids=str,
)
def test_cut_body_is_malformed(body: bytes) -> None:
    """Half a JSON is an error worth another try, and it says so."""
    with pytest.raises(MalformedReply, match="it may be cut"):
        json_body(Reply(200, JSON, body))


def test_endlessly_nested_body_is_malformed() -> None:
    """A body that no parser can follow is the provider's failure, not ours."""
    with pytest.raises(MalformedReply):
        json_body(Reply(200, JSON, b"[" * 100_000))


@pytest.mark.parametrize("error", [ArithmeticError, KeyError, IndexError, TypeError, ValueError])
def test_unexpected_shape_is_malformed(error: type[Exception]) -> None:
    """Whatever a reader trips over is one error of ours, with the kind of the stumble in it."""

    def read(_: object) -> None:
        raise error

    with pytest.raises(MalformedReply, match=f"unexpected shape: {error.__name__}"):
        reading(read, Reply(200, JSON, b"[]"))


@given(st.binary())
def test_any_body_is_read_or_malformed(body: bytes) -> None:
    """No body raises anything but our error."""
    with suppress(MalformedReply):
        json_body(Reply(200, JSON, body))
