"""The catalogue: what every provider offers, told without asking anybody."""

from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.market.datasets import SENTIMENT
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.providers.catalogue import SERVED, auth, limit, offers, recent
from crypto_pipeline.providers.declaration import Provider


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda one: one.name)
def test_every_provider_offers_something(provider: Provider) -> None:
    """Whoever is declared is in the catalogue, with all that it is declared for."""
    found = offers(provider)
    declared = (
        *(provider.candles, provider.archive, provider.instruments, provider.news),
        *(*provider.snapshots.values(), *provider.histories.values()),
    )

    assert len([one for one in declared if one]) == len(found) > 0
    assert all(one.question.path.startswith("/") and one.reach for one in found)
    assert sorted(found, key=lambda one: SERVED.index(one.dataset)) == found


def test_offer_tells_endpoint_key_limit_and_reach() -> None:
    """What a person wants to know before choosing."""
    candles, instruments = offers(BINANCE)

    assert ("ohlc", "/api/v3/klines", "none", "6000 a minute, a request takes 2") == (
        candles.dataset,
        candles.question.path,
        auth(BINANCE),
        limit(BINANCE, candles),
    )
    assert ("every candle since 2017-07 or the pair's listing", "the present") == (
        candles.reach,
        instruments.reach,
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("etherscan", "needs ETHERSCAN_API_KEY"),
        ("coingecko", "optional COINGECKO_API_KEY"),
        ("alternative_me", "none"),
    ],
)
def test_key_is_told_by_the_name_of_its_variable(name: str, told: str) -> None:
    """Needed, optional, or none."""
    assert told == auth(PROVIDERS[name])


def test_history_that_takes_several_replies_tells_its_first_question() -> None:
    """A node is asked by POST, whatever it is asked."""
    (fees,) = offers(PROVIDERS["publicnode"])

    assert ("gas_prices", "past") == (fees.dataset, fees.kind)
    assert fees.question.body is not None


def test_recent_slots_are_over() -> None:
    """The last whole day of a daily dataset, or as many as fit a span."""
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    today = datetime(2026, 1, 5, tzinfo=UTC)

    assert Window(today - DAY, today) == recent(SENTIMENT.name, noon)
    assert Window(today - DAY, today) == recent(SENTIMENT.name, noon, timedelta(hours=1))
    assert Window(today - 3 * DAY, today) == recent(SENTIMENT.name, noon, 3 * DAY)
