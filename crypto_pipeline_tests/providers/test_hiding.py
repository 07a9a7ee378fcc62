"""Keys stay out of all that is written."""

import pytest

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.providers.hiding import HIDDEN, host_of, without_secret


def test_no_error_holds_a_key_nor_does_its_cause() -> None:
    """Whoever prints the whole chain finds the key nowhere, as it is or as an address spells it."""
    error = RequestRejected("the key a+b/c is invalid")
    error.__cause__ = ValueError("?token=a%2Bb%2Fc", 7)
    hidden = without_secret(error, "a+b/c")

    assert str(hidden) == f"the key {HIDDEN} is invalid"
    assert hidden.__cause__ is not None
    assert hidden.__cause__.args == (f"?token={HIDDEN}", 7)


def test_without_a_key_nothing_is_hidden() -> None:
    """An error is told as it is."""
    assert str(without_secret(RequestRejected("no such symbol"), None)) == "no such symbol"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://api.binance.com", "api.binance.com"),
        ("http://127.0.0.1:8787/binance/", "127.0.0.1:8787/binance"),
        ("https://node.example/v3/0123456789abcdef01234567", f"node.example/v3/{HIDDEN}"),
        ("https://user:word@node.example/rpc", "node.example/rpc"),
    ],
)
def test_key_in_an_address_is_hidden(address: str, host: str) -> None:
    """A rented node's address holds its key, and its host is told in logs and views."""
    assert host == host_of(address)
