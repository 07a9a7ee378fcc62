"""Parsing one saved reply: rows, an error, or a sentence that says why neither."""

from decimal import Decimal

import pytest

from crypto_pipeline.errors import MalformedReply, ProviderError, RateLimited, UsageError
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.parsing import Row, parsed

JSON = {"content-type": "application/json"}
FEAR = b'{"data": [{"value": "26", "value_classification": "Fear", "timestamp": "1783728000"}]}'
CHART = (
    b'{"prices": [[1620999919770, 50675.25]], "market_caps": [[1620999919770, null]],'
    b' "total_volumes": [[1620999919770, 7.1]]}'
)
BLOCK = b'{"jsonrpc": "2.0", "id": 1, "result": "0x1"}'


def rows_of(name: str, dataset: str, body: bytes, status: int = 200) -> list[Row]:
    """What a body becomes."""
    return parsed(PROVIDERS[name], dataset, Reply(status, JSON, body))


def test_present_value_is_a_row() -> None:
    """An index of two kinds of questions takes a reply to either."""
    (row,) = rows_of("alternative_me", "sentiment", FEAR)

    assert (Decimal(26), "Fear") == (row["value"], row["classification"])


def test_present_values_have_the_providers_names() -> None:
    """Whose price it is stands beside it."""
    body = b'{"bitcoin": {"usd": 7.5, "last_updated_at": 1620999919}}'
    (row,) = rows_of("coingecko", "market_prices", body)

    assert ("bitcoin", Decimal("7.5")) == (row["name"], row["price_usd"])


def test_past_values_are_rows() -> None:
    """A reply of another endpoint of the same dataset is told by its shape."""
    (row,) = rows_of("coingecko", "market_prices", CHART)

    assert (Decimal("50675.25"), None) == (row["price_usd"], row["market_cap_usd"])


def test_step_of_several_cannot_be_parsed_alone() -> None:
    """One sentence says so."""
    with pytest.raises(UsageError, match="publicnode about gas_prices cannot be parsed alone"):
        rows_of("publicnode", "gas_prices", BLOCK)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b'{"code": -1003, "msg": "Too much request weight used"}', 429, RateLimited),
        (b'[["cut', 200, MalformedReply),
        (b"[[]]", 200, MalformedReply),
    ],
)
def test_reply_that_means_an_error_is_that_error(
    body: bytes, status: int, kind: type[ProviderError]
) -> None:
    """The same that a run would have met."""
    with pytest.raises(kind):
        rows_of("binance", "ohlc", body, status)


def test_dataset_that_is_not_offered_is_told() -> None:
    """Beside it stands what is."""
    with pytest.raises(UsageError, match="binance offers no news: it offers ohlc, instruments"):
        rows_of("binance", "news", b"[]")
