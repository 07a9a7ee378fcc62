"""What a provider is: data that can be checked before anything is asked."""

import pytest

from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.client import host_of
from crypto_pipeline.providers.declaration import Provider, Reply


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
    assert provider.history
