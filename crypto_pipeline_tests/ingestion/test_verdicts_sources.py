"""Whether sources agree: who is named, who is quarantined, and what becomes of the slot."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.verdicts import SHOWN, Verdict, ledger_matches_rows, sources_agree
from crypto_pipeline.market.datasets import MARKET_PRICES
from crypto_pipeline.market.holes import STUCK_AFTER
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.ingestion import observed
from crypto_pipeline_tests.ingestion.observed import observatory
from crypto_pipeline_tests.warehouse.pricing import (
    ALL,
    BITCOIN,
    ETHEREUM,
    MINUTE,
    NOON,
    NOW,
    SINCE,
    SLOT,
    Exchange,
)

BY_BINANCE = "against 100 by binance/BTC-USDT/1m"
FALLBACK_IS_WRONG = f"bitcoin 2026-03-04T12:00Z: coinpaprika says 150 (50.0% off), {BY_BINANCE}"


@pytest.fixture
def exchange(database: Database) -> Exchange:
    """A warehouse without any price."""
    return Exchange(database)


def judge(exchange: Exchange, now: datetime = NOW, *, sets_aside: bool = True) -> Verdict:
    """The verdict on everything."""
    line = Line(exchange.database, {}, (), SINCE, (BITCOIN, ETHEREUM))
    return sources_agree(line, ALL, now, sets_aside=sets_aside)


def holes(exchange: Exchange) -> list[tuple[object, ...]]:
    """What is noted of slots without a price."""
    return exchange.select(
        "select lower(slots), attempts, next_at, error_class, error, state from warehouse.holes"
    )


def test_prices_near_each_other_pass(exchange: Exchange) -> None:
    """The verdict counts what was compared."""
    exchange.venues(["100", "101", "99"])
    exchange.price("101.5")

    assert Verdict(
        "sources_agree",
        passed=True,
        summary="1 of 1 prices agree with candles",
        facts={"compared": 1, "in_doubt": 0, "quarantined": 0},
        is_error=False,
    ) == judge(exchange)


def test_nothing_to_compare_is_said(exchange: Exchange) -> None:
    """A pass without a comparison does not look like agreement."""
    exchange.price("100")
    verdict = judge(exchange)

    assert (True, "there are no candles to compare a price with") == (
        verdict.passed,
        verdict.summary,
    )


def test_outlier_of_a_less_trusted_source_is_quarantined(exchange: Exchange) -> None:
    """It is named beside the reference and who gives it, as a warning, and served no more."""
    exchange.venues(["100"])
    exchange.price("150")
    verdict = judge(exchange)

    assert (
        Verdict(
            "sources_agree",
            passed=False,
            summary=f"0 of 1 prices agree with candles; {FALLBACK_IS_WRONG} (quarantined)",
            facts={"compared": 1, "in_doubt": 1, "quarantined": 1},
            is_error=False,
        )
        == verdict
    )
    assert [] == exchange.served()
    assert [(f"quarantined: {FALLBACK_IS_WRONG}",)] == exchange.select(
        "select reason from warehouse.rejected_rows"
    )


def test_candle_is_named_and_never_quarantined(exchange: Exchange) -> None:
    """What a venue said is what it said: one that stands against all others stays."""
    exchange.venues(["100", "70", "101"])
    exchange.price("100.5")
    verdict = judge(exchange)

    assert "kraken/BTC-USD/1m says 70 (30.2% off), against 100.25 by" in verdict.summary
    assert (1, 0) == (verdict.facts["in_doubt"], verdict.facts["quarantined"])
    assert [("bitcoin", 0, "100.5", "coinpaprika")] == exchange.served()
    assert 3 == len(exchange.select("select from warehouse.ohlc"))


def test_most_trusted_source_is_named_and_never_quarantined(exchange: Exchange) -> None:
    """There is nobody to ask instead who would be believed more."""
    exchange.venues(["100", "100", "101"])
    exchange.price("150", "coingecko", 0)
    verdict = judge(exchange)

    assert "coingecko says 150 (49.3% off), against 100.5 by binance" in verdict.summary
    assert (False, 0) == (verdict.is_error, verdict.facts["quarantined"])
    assert [("bitcoin", 0, "150", "coingecko")] == exchange.served()


def test_nobody_is_quarantined_where_nobody_can_say(exchange: Exchange) -> None:
    """All apart: each is named with its price, and all are kept."""
    exchange.venues(["100", "110"])
    exchange.price("105")
    verdict = judge(exchange)

    assert verdict.summary.endswith(
        "bitcoin 2026-03-04T12:00Z: coinpaprika says 105, binance/BTC-USDT/1m says 100, "
        "kraken/BTC-USD/1m says 110, and nobody can say who is wrong"
    )
    assert (1, 0) == (verdict.facts["in_doubt"], verdict.facts["quarantined"])
    assert 1 == len(exchange.served())


def test_who_only_looks_changes_nothing(exchange: Exchange) -> None:
    """The same is named, and goes on being served."""
    exchange.venues(["100"])
    exchange.price("150")
    verdict = judge(exchange, sets_aside=False)

    assert verdict.summary.endswith(FALLBACK_IS_WRONG)
    assert (1, 0) == (verdict.facts["in_doubt"], verdict.facts["quarantined"])
    assert 1 == len(exchange.served())
    assert [] == holes(exchange)


def test_quarantined_slot_waits_and_is_asked_for_again(exchange: Exchange) -> None:
    """It is missing like one that was asked for in vain once, with the reason; the audit agrees."""
    exchange.venues(["100"])
    exchange.price("150")
    judge(exchange)
    line = Line(exchange.database, {}, (), SINCE, (BITCOIN, ETHEREUM))
    slot = Window(NOON, NOON + SLOT)
    wanted = [
        BITCOIN.name in line.ledger.wanted(MARKET_PRICES, slot, now, "patiently")
        for now in (NOW, NOW + 2 * MINUTE)
    ]

    assert [
        (NOON, 1, NOW + 2 * MINUTE, "Outlier", f"quarantined: {FALLBACK_IS_WRONG}", "retrying")
    ] == holes(exchange)
    assert [False, True] == wanted
    assert ledger_matches_rows(line, MARKET_PRICES, ALL).passed


def test_source_that_repeats_itself_is_never_served_for_long(exchange: Exchange) -> None:
    """Each time it is quarantined again and the pause doubles, until the hole is stuck."""
    exchange.venues(["100"])
    now, pauses = NOW, list[timedelta]()
    for _ in range(STUCK_AFTER):
        exchange.price("150")
        assert judge(exchange, now).summary.endswith("(quarantined)")
        ((_, _, next_at, *_, state),) = holes(exchange)
        assert isinstance(next_at, datetime)
        pauses.append(next_at - now)
        now = next_at

    assert [2, 4, 8, 16, 32, 64] == [pause // MINUTE for pause in pauses]
    assert ("stuck", []) == (state, exchange.served())


def test_refilled_slot_ends_the_matter(exchange: Exchange) -> None:
    """When another source has filled it, the check passes, and no hole is left."""
    exchange.venues(["100"])
    exchange.price("150")
    judge(exchange)
    exchange.price("100", "coinlore", 101)

    assert judge(exchange).passed
    assert [] == holes(exchange)


def test_long_list_of_outliers_is_cut(exchange: Exchange) -> None:
    """All of them are quarantined, some of them shown."""
    minutes = range(-55, 0, 5)
    for minute in minutes:
        exchange.venues(["100"], minute)
        exchange.price("150", at=minute)
    verdict = judge(exchange)

    assert len(minutes) == verdict.facts["quarantined"]
    assert SHOWN == verdict.summary.count("(quarantined)")
    assert verdict.summary.endswith(f" and {len(minutes) - SHOWN} more")
    assert [] == exchange.served()


def test_what_was_quarantined_is_had_from_another_source(database: Database) -> None:
    """Over HTTP: a fallback's wrong price goes, and the first source's history fills the slot."""
    with observatory(database, since=observed.NOON.replace(second=0)) as one:
        candles = CandleSeries("binance", Instrument.parse("BTC-USDT"), Interval.parse("1m"))
        before = one.since - timedelta(hours=1)
        line = replace(
            one.line,
            providers={"binance": one._at_sandbox("binance")},
            series=[candles],
            since=before,
        )
        one.sandbox.order("503:path=/coingecko")
        one.tick()
        one.select("update warehouse.market_prices set price_usd = price_usd * 2 returning 1")
        ingest(line, Window(before, one.now), now=one.now)
        window = Window(one.since, one.since + timedelta(hours=1))
        first = sources_agree(line, window, one.now, sets_aside=True)
        one.sandbox.clear_faults()
        one.select("delete from warehouse.rate_limits returning 1")
        one.now += timedelta(minutes=30)
        one.all(asking="patiently")
        second = sources_agree(line, window, one.now, sets_aside=True)

        assert ("coinpaprika says" in first.summary, 1) == (True, first.facts["quarantined"])
        assert [("bitcoin", "coingecko", True), ("ethereum", "coinpaprika", False)] == one.rows(
            "asset_id", "source", "is_refilled"
        )[:2]
        assert (True, 0) == (second.passed, one.missing())
