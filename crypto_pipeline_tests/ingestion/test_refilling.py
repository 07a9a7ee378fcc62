"""Past values: each provider for what those before it did not give, and what is proven by an answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.market.datasets import (
    FIVE_MINUTES,
    GAS_PRICES,
    INDICES,
    ONE_DAY,
    SENTIMENT,
)
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.ingestion.observed import NOON, SLOT, Observatory, observatory

HOUR = timedelta(hours=1)


@pytest.fixture
def prices(database: Database) -> Iterator[Observatory]:
    """Prices of two assets since two days and an hour ago."""
    with observatory(database, since=NOON.replace(minute=0, second=0) - 49 * HOUR) as one:
        yield one


def test_all_of_the_past_is_had_and_marked(prices: Observatory) -> None:
    """Nothing is missing afterwards; what was not seen when it was the present says so."""
    prices.all()
    slots = 49 * HOUR // SLOT

    assert prices.missing() == 0
    assert {(True, 2 * slots), (False, 2)} == {
        *prices.select("select is_refilled, count(*) from market.market_prices group by 1")
    }


def test_older_slots_come_from_whose_history_goes_so_far(prices: Observatory) -> None:
    """CoinGecko tells five-minute prices of the last day only; what is older is asked of the next."""
    prices.all()
    oldest = dict(
        prices.select(
            "select source, min(slot) from market.market_prices where is_refilled group by 1"
        )
    )

    assert oldest["coingecko"] >= NOON - timedelta(days=1)
    assert oldest["defillama"] == prices.since


def test_refill_is_cheap(prices: Observatory) -> None:
    """Two days of five-minute prices are a handful of requests an asset."""
    prices.all()

    assert len(prices.asked()) <= 1 + 2 * 4


def test_what_was_had_is_not_asked_for_again(prices: Observatory) -> None:
    """A second run over the same days asks nobody."""
    prices.all()
    prices.asked()
    prices.all()

    assert [] == prices.asked()


def test_history_that_fails_leaves_the_slots_to_the_next(prices: Observatory) -> None:
    """One source down is no hole."""
    prices.sandbox.order("503:path=/coingecko")
    prices.all()

    assert prices.missing() == 0
    assert [] == prices.select("select 1 from market.market_prices where source = 'coingecko'")


def test_slots_that_all_histories_fail_to_tell_wait_and_say_why(database: Database) -> None:
    """They stay missing with the last failure, are not explained, and come later."""
    # Of two assets the second may find that its host is left alone already.
    series = [ObservedSeries("market_prices", "bitcoin", FIVE_MINUTES)]
    with observatory(database, series=series) as prices:
        for down in ("coingecko", "defillama"):
            prices.sandbox.order(f"503:path=/{down}")
        prices.all()
        told = prices.select("select distinct state, error_class from warehouse.holes")

        assert [("retrying", "TransientError")] == told
        assert [] == prices.select("select 1 from market.explanations")
        prices.sandbox.clear_faults()
        prices.select("delete from warehouse.rate_limits returning 1")
        prices.select("delete from warehouse.provider_health returning 1")
        prices.all()
        assert prices.missing() == 0


def test_when_no_history_goes_so_far_it_is_said_at_once(database: Database) -> None:
    """What nobody keeps is explained with a certain reason, not asked for for ever."""
    since = NOON.replace(minute=0, second=0) - 26 * HOUR
    with observatory(database, since=since, names=("coingecko",)) as one:
        one.all()
        told = one.select("select distinct reason from market.explanations")

        assert [("not_refillable",)] == told
        assert one.missing() == 0


def test_hole_at_the_edge_of_what_is_asked_is_proven_from_both_sides(database: Database) -> None:
    """A day that is asked for alone has no neighbours in its answer; they are asked for then."""
    series = [ObservedSeries("sentiment", "fear_greed", ONE_DAY, INDICES["fear_greed"])]
    since = datetime(2024, 10, 24, tzinfo=UTC)
    day = Window(since + 2 * DAY, since + 3 * DAY)
    with observatory(database, SENTIMENT, series, since) as one:
        one.now = since + timedelta(days=5, hours=12)
        for _ in range(2):
            one.run(day)
            one.now += timedelta(minutes=10)
        told = one.select("select explained_from::date::text, reason from market.explanations")

        assert [("2024-10-26", "not_published")] == told


def test_no_more_is_asked_for_than_what_lacks(database: Database) -> None:
    """The blocks of a slot are many on some chains: those of its neighbours are left alone."""
    series = [ObservedSeries("gas_prices", "ethereum/fees", FIVE_MINUTES, timedelta(seconds=20))]
    with observatory(database, GAS_PRICES, series, NOON - 6 * SLOT) as one:
        one.now = NOON + timedelta(seconds=30)
        one.all()
        one.select("delete from warehouse.fetches returning 1")
        one.now += SLOT
        one.tick()
        asked = one.select("select distinct upper(asked) - lower(asked) from warehouse.fetches")

        assert [(SLOT,)] == asked


def test_who_can_be_asked_nowhere_else_is_queued_for(prices: Observatory) -> None:
    """However little a host allows, its history is had, for there is no other."""
    prices.names, prices.weight_per_minute = ("defillama",), 1
    prices.all()

    assert prices.missing() == 0


def test_spent_allowance_sends_on_to_the_next(prices: Observatory) -> None:
    """Where another provider can tell the same, nobody waits for a minute to pass."""
    prices.names, prices.weight_per_minute = ("coingecko", "defillama"), 1
    prices.all()

    assert prices.missing() == 0
    assert prices.select(
        "select 1 from warehouse.fetches where provider = 'coingecko' limit 2"
    ) == [(1,)]
