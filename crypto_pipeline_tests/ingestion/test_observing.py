"""Present values: the most trusted provider that answers, and nobody twice."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.market.datasets import FIVE_MINUTES, GAS_PRICES, INDICES, ONE_DAY, SENTIMENT
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.ingestion.observed import ASSETS, NOON, SLOT, Observatory, observatory

FIRST, SECOND, THIRD = "coingecko", "coinpaprika", "coinlore"
PRESENT = FIVE_MINUTES.floor(NOON)


@pytest.fixture
def prices(database: Database) -> Iterator[Observatory]:
    """Prices of two assets, from the slot that is the present."""
    with observatory(database, since=PRESENT) as one:
        yield one


def test_present_prices_come_from_the_most_trusted_in_one_request(prices: Observatory) -> None:
    """One request has all assets' prices; the rows say whose they are, and nothing is missing."""
    done = prices.tick()

    assert (2, {}) == (done.stored.inserted, done.failures)
    assert [FIRST] == prices.asked()
    assert [(name, PRESENT, FIRST, False) for name in ASSETS] == prices.rows(
        "asset_id", "slot", "source", "is_refilled"
    )
    assert prices.missing() == 0


def test_price_that_is_there_is_not_asked_for_again(prices: Observatory) -> None:
    """Another tick in the same slot asks nobody; the next slot is another value."""
    prices.tick()
    prices.asked()
    prices.tick()

    assert [] == prices.asked()
    prices.now += SLOT
    assert prices.tick().stored.inserted == 2


@pytest.mark.parametrize("fault", ["503", "429:retry_after=600", "garbage", "html", "451", "reset"])
def test_next_provider_is_asked_when_the_first_three_fail(prices: Observatory, fault: str) -> None:
    """Whatever ails them, the fourth is asked within the same tick, and the source is told."""
    kind, _, options = fault.partition(":")
    for down in (FIRST, SECOND, THIRD):
        prices.sandbox.order(f"{kind}:path=/{down}" + (f",{options}" if options else ""))
    done = prices.tick()

    assert (2, {}) == (done.stored.inserted, done.failures)
    assert [("defillama",)] * 2 == prices.rows("source")
    assert prices.missing() == 0


def test_first_provider_is_asked_again_when_it_is_back(prices: Observatory) -> None:
    """A fallback lasts no longer than the failure and the pause that follows it."""
    prices.sandbox.order(f"503:path=/{FIRST}")
    prices.tick()
    prices.sandbox.clear_faults()
    prices.select("delete from warehouse.rate_limits returning 1")
    prices.now += SLOT
    prices.tick()

    assert {PRESENT: SECOND, PRESENT + SLOT: FIRST} == dict(prices.rows("slot", "source"))


def test_what_one_provider_lacks_the_next_one_gives(database: Database) -> None:
    """An asset that the first does not know is asked of those that do, and only that one."""
    series = [ObservedSeries("market_prices", name, FIVE_MINUTES) for name in ("bitcoin", "ripple")]
    with observatory(
        database, series=series, since=PRESENT, names=("bitstamp_ticker", FIRST)
    ) as one:
        one.tick()
        given = dict(one.rows("asset_id", "source"))

    assert given.keys() == {"bitcoin", "ripple"}
    assert one.missing() == 0


def test_when_nobody_answers_the_slot_is_missing_and_says_why(prices: Observatory) -> None:
    """Nothing is invented: the slot stays open, with the last reason, and is had later."""
    prices.sandbox.order("503")
    done = prices.tick()

    assert {*ASSETS} == done.failures.keys()
    assert done.failed_wholly
    assert prices.missing() == 2
    prices.sandbox.clear_faults()
    prices.select("delete from warehouse.rate_limits returning 1")
    prices.now += timedelta(minutes=30)
    prices.all()
    assert prices.missing() == 0
    assert (True,) in prices.rows("is_refilled")


def test_live_price_is_never_replaced_by_history(prices: Observatory) -> None:
    """What was seen when it was the present is trusted more than what is told of it later."""
    prices.tick()
    before = prices.rows("slot", "asset_id", "price_usd", "source", "is_refilled")
    prices.now += timedelta(hours=1)
    prices.all(asking="everything")

    assert before == prices.rows("slot", "asset_id", "price_usd", "source", "is_refilled")[:2]


def test_price_of_long_ago_is_no_present_price(prices: Observatory) -> None:
    """A source whose own time stands still is passed over; its value is set aside with the reason."""
    prices.names = (FIRST,)
    line, today = prices.line, Window(PRESENT, PRESENT + DAY)
    done = ingest(line, today, now=prices.now + timedelta(hours=1), dataset=prices.dataset)

    assert done.stored.rejected > 0
    assert [] == prices.select("select 1 from market.market_prices where not is_refilled")
    assert "is long past" in prices.select("select reason from warehouse.rejected_rows")[0][0]


@pytest.fixture
def indices(database: Database) -> Iterator[Observatory]:
    """Fear & Greed since two days ago."""
    series = [ObservedSeries("sentiment", "fear_greed", ONE_DAY, INDICES["fear_greed"])]
    with observatory(database, SENTIMENT, series, midnight_before(NOON, 2)) as one:
        yield one


def midnight_before(moment: datetime, days: int) -> datetime:
    """Midnight so many days before."""
    return ONE_DAY.floor(moment) - days * DAY


def test_index_of_today_is_provisional_until_the_day_is_over(indices: Observatory) -> None:
    """Today's value is there, and marked; tomorrow it is read once more, and is final."""
    indices.all()
    today = ONE_DAY.floor(indices.now).date()

    assert [(False,), (False,), (True,)] == indices.rows("is_provisional")
    assert indices.missing() == 0
    indices.now += DAY
    indices.all()
    assert {today: False, today + DAY: True} == dict(indices.rows("day", "is_provisional")[2:])


def test_index_is_read_at_every_tick_and_stored_once(indices: Observatory) -> None:
    """However often the value of the day is polled, it is one row."""
    indices.all()
    count = len(indices.rows("day"))
    indices.asked()
    indices.now += timedelta(minutes=5)
    indices.tick()

    assert ["alternative_me"] == indices.asked()
    assert count == len(indices.rows("day"))


def test_day_that_was_never_published_is_explained(database: Database) -> None:
    """Rows on both sides and none for the day, twice: it was never published, and is not missing."""
    series = [ObservedSeries("sentiment", "fear_greed", ONE_DAY, INDICES["fear_greed"])]
    with observatory(
        database, SENTIMENT, series, datetime(2024, 10, 24, tzinfo=NOON.tzinfo)
    ) as one:
        one.now = datetime(2024, 10, 29, 12, tzinfo=NOON.tzinfo)
        one.all()
        one.now += timedelta(minutes=10)
        one.all()
        told = one.select("select explained_from::date::text, reason from market.explanations")

        assert [("2024-10-26", "not_published")] == told
        assert one.missing() == 0


def test_recommendation_that_was_missed_cannot_be_had(database: Database) -> None:
    """Nobody keeps what was recommended: a missed slot is explained at once, not asked for for ever."""
    series = [ObservedSeries("gas_prices", "bitcoin/tiers", FIVE_MINUTES, -SLOT)]
    with observatory(database, GAS_PRICES, series, PRESENT - 3 * SLOT) as one:
        one.tick()
        told = one.select("select slots, reason from market.explanations")

        assert [("bitcoin", "tiers", PRESENT)] == one.rows("chain", "kind", "slot")
        assert [(3, "not_refillable")] == told
        assert one.missing() == 0


def test_fees_are_the_same_live_and_refilled(database: Database) -> None:
    """The fees of a slot's blocks do not depend on when they are asked for."""
    series = [ObservedSeries("gas_prices", "ethereum/fees", FIVE_MINUTES, timedelta(seconds=20))]
    shown = ("slot", "base_fee_gwei", "priority_fee_p50_gwei", "first_block", "last_block")
    with observatory(database, GAS_PRICES, series, PRESENT - 6 * SLOT) as one:
        one.now = NOON + timedelta(seconds=30)
        one.all()
        live = one.rows(*shown)
        one.now += 3 * DAY
        one.all(asking="everything")

        assert len(live) == 6
        assert live == one.rows(*shown)[:6]
        assert [] == one.select("select * from warehouse.gas_prices_revisions")
