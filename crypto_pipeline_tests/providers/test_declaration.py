"""What a provider is: data that can be checked before anything is asked."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.declaration import Provider, Reply
from crypto_pipeline.providers.hiding import host_of


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("application/json;charset=UTF-8", "application/json"),
        ("Application/JSON ; charset=utf-8", "application/json"),
        ("text/html", "text/html"),
        ("", ""),
    ],
)
def test_content_type_is_the_media_type_alone(header: str, media_type: str) -> None:
    """Parameters and capitals make no other type."""
    assert media_type == Reply(200, {"content-type": header}, b"").content_type


def sent(date: str) -> datetime | None:
    """When a reply with this Date was sent."""
    return Reply(200, {"date": date}, b"").sent_at


@pytest.mark.parametrize(
    "date",
    [
        "Wed, 01 Jul 2026 00:00:07 GMT",
        "Wednesday, 01-Jul-26 00:00:07 GMT",
        "Wed Jul  1 00:00:07 2026",
        "Wed, 01 Jul 2026 00:00:07 -0000",
        "Wed, 01 Jul 2026 02:00:07 +0200",
    ],
)
def test_reply_says_when_it_was_sent(date: str) -> None:
    """The host's time is an instant in UTC, in each of HTTP's three spellings and any zone."""
    moment = sent(date)

    assert datetime(2026, 7, 1, 0, 0, 7, tzinfo=UTC) == moment
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "date",
    [
        *("", " ", ",", "now", "1782864007", "2026-07-01T00:00:07Z", "Wed, 01 Jul 2026"),
        *("Wed, 31 Jun 2026 00:00:07 GMT", "Wed, 01 Jul 2026 25:00:07 GMT"),
        *("Wed, 01 Jul 99999999999999999999 00:00:07 GMT", "Fri, 31 Dec 9999 23:59:59 -0100"),
        *("Wed, 01 Jul 2026 00:00:07 +9999", f"Wed, 01 Jul 2026 00:00:07 +{'9' * 40}"),
    ],
)
def test_unreadable_date_is_none(date: str) -> None:
    """A host that tells its time wrongly has told none."""
    assert sent(date) is None


def test_date_without_a_zone_is_not_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this machine stands changes nothing."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "JST-9")
        time.tzset()
        moment = sent("Wed Jul  1 00:00:07 2026")
    time.tzset()

    assert datetime(2026, 7, 1, 0, 0, 7, tzinfo=UTC) == moment


def test_reply_without_a_date_was_sent_at_no_known_time() -> None:
    """Our own clock is never put in the host's place."""
    assert Reply(200, {}, b"").sent_at is None


date_parts = st.sampled_from(
    ["Wed,", "01", "Jul", "2026", "00:00:07", "GMT", "-", "+", ":", ",", "²"]
)


@given(st.text() | st.lists(date_parts | st.text(max_size=3)).map(" ".join))
def test_any_date_is_an_instant_or_none(date: str) -> None:
    """No header brings the pipeline down."""
    moment = sent(date)

    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://api.binance.com", "api.binance.com"),
        ("http://127.0.0.1:8787/binance/", "127.0.0.1:8787/binance"),
    ],
)
def test_host_is_the_address_without_its_scheme(base_url: str, host: str) -> None:
    """An allowance belongs to what is asked, however the address is written."""
    assert host == host_of(base_url)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda one: one.name)
def test_declaration_is_complete(provider: Provider) -> None:
    """A provider is found by its name, documented, encrypted, and bounded."""
    assert PROVIDERS[provider.name] is provider
    assert provider.docs.startswith("https://")
    assert all(base_url.startswith("https://") for base_url in provider.hosts)
    assert all(not base_url.endswith("/") for base_url in provider.hosts)
    assert provider.limits.weight_per_minute > 0
    assert provider.limits.concurrency > 0
    # Who tells only what is so now has no history to describe.
    assert provider.history or not (provider.candles or provider.histories)
