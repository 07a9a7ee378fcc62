"""What the providers of prices share: names that mean one asset, errors in JSON, rows by name."""

import pytest

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.observations import Price
from crypto_pipeline.market.assets import ASSETS
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.prices import (
    by_symbol,
    fault_told_in,
    known_as,
    rows_by_name,
    table,
)
from crypto_pipeline.providers.reading import number, text
from crypto_pipeline_tests.providers.saying import reply_of

fault = fault_told_in("reason", "message")


@pytest.mark.parametrize(
    ("column", "asset_id", "expected"),
    [
        ("coinpaprika", "binancecoin", "bnb-binance-coin"),
        ("coinmarketcap", "ripple", "52"),
        ("coincap", "binancecoin", "binance-coin"),
        ("coincap", "ripple", None),
        ("coincap", "no-such-asset", None),
    ],
)
def test_name_is_the_registrys(column: str, asset_id: str, expected: str | None) -> None:
    """An asset is called what the registry says, and nothing where it says nothing."""
    assert expected == known_as(column)(asset_id)


def test_symbol_means_the_asset_that_has_it() -> None:
    """Every asset is asked for by its symbol as it is spelt, and what is unknown is not asked for."""
    assert "tBTCUSD" == by_symbol("t{}USD".format)("bitcoin")
    assert by_symbol()("no-such-asset") is None
    assert [one.symbol for one in ASSETS] == [by_symbol()(one.asset_id) for one in ASSETS]


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, {"message": "bad id"}, RequestRejected, "HTTP 400: bad id"),
        (200, {"reason": "bad id"}, RequestRejected, "bad id"),
        (404, {"other": "x"}, RequestRejected, "HTTP 404"),
        (429, {"reason": "slow", "message": "down"}, RateLimited, "HTTP 429: slow down"),
        (403, {"message": "not here"}, HostRefused, "HTTP 403: not here"),
        (500, [], TransientError, "HTTP 500"),
        (200, b"{", MalformedReply, "not JSON"),
    ],
)
def test_error_is_told_in_its_words(
    status: int, body: object, kind: type[ProviderError], said: str
) -> None:
    """The status says what kind of error it is, the body why; a reason under a 200 is a rejection."""
    found = fault(reply_of(body, status))

    assert kind is type(found)
    assert said in str(found)


def test_html_is_what_its_status_says() -> None:
    """A page for people is no answer, and a refusal where its status is one."""
    page = {"content-type": "text/html"}

    assert isinstance(fault(Reply(403, page, b"<html>")), HostRefused)
    assert isinstance(fault(Reply(200, page, b"<html>")), MalformedReply)
    assert fault(reply_of({"price": 1})) is None


def test_first_of_two_with_one_name_is_kept() -> None:
    """Of two coins with one symbol the one that comes first, the larger, has it."""
    rows = rows_by_name(lambda body: ((text(one[0]), Price(None, number(one[1]))) for one in body))
    found = rows(reply_of([["BTC", 50_000], ["BTC", 1]]))

    assert {"BTC": Price(None, number(50_000))} == found


def test_no_object_is_no_table() -> None:
    """What is no JSON object has no entries to be read."""
    assert {"a": 1} == table({"a": 1})
    with pytest.raises(TypeError):
        table([])
