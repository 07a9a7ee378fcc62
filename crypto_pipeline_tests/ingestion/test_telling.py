"""Telling: what counts as evidence, and how a failure reads in the ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.frames.candles import CandleFrame, Rejected
from crypto_pipeline.ingestion.telling import NOT_IN_THE_ANSWER, Telling
from crypto_pipeline.market.holes import LONGEST_PAUSE, SILENT_PAUSE, Reason, Vain
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.providers.candles import Absence, CandlePage, candle_endpoint
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.market.strategies import minute, span

TOLD = Telling(BINANCE, series_of())
NO_FRAME = CandleFrame(())


def test_answer_without_the_slots_is_no_evidence() -> None:
    """What an answer neither holds nor spans may come yet: it is asked for again, ever later."""
    assert Vain("Unanswered", NOT_IN_THE_ANSWER) == TOLD.unanswered
    assert (None, LONGEST_PAUSE) == (TOLD.unanswered.reason, TOLD.unanswered.longest_pause)


@pytest.mark.parametrize(
    ("error", "pause", "said"),
    [
        (TransientError("HTTP 500"), SILENT_PAUSE, "binance: HTTP 500"),
        (RateLimited("HTTP 429", retry_after=9), SILENT_PAUSE, "binance: HTTP 429"),
        (
            MalformedReply("no JSON"),
            SILENT_PAUSE,
            "binance: no JSON: look at providers.binance.base_url",
        ),
        (HostRefused("HTTP 451", retry_after=9), SILENT_PAUSE, "binance: HTTP 451"),
        (
            RequestRejected("-1121"),
            LONGEST_PAUSE,
            "binance rejects BTC-USDT 1m (-1121): look at ohlc.instruments",
        ),
        (ProviderError("what"), LONGEST_PAUSE, "binance: what"),
    ],
)
def test_failure_is_named_and_never_evidence(
    error: ProviderError, pause: timedelta, said: str
) -> None:
    """A silent source may be back at any moment, so it is asked again soon; a wrong request is not."""
    assert Vain(type(error).__name__, said, pause) == TOLD.failure(error)


@pytest.mark.parametrize(("omits_quiet", "reason"), [(False, "venue_outage"), (True, "no_trades")])
def test_slots_between_two_rows_are_evidence(omits_quiet: bool, reason: Reason) -> None:
    """The rows around are kept, so that anybody can look them up; one answer is not certain."""
    endpoint = replace(candle_endpoint(BINANCE, TOLD.series), omits_quiet=omits_quiet)
    told = Telling(replace(BINANCE, candles=endpoint), TOLD.series)
    absence = Absence(span(3, 5), minute(2), minute(5))
    ((slots, vain),) = told.parts(CandlePage(NO_FRAME, (absence,)))

    assert (span(3, 5), "Absent", reason) == (slots, vain.error_class, vain.reason)
    assert not vain.is_certain
    assert {
        "provider": "binance",
        "row_before": minute(2).isoformat(),
        "row_after": minute(5).isoformat(),
    } == vain.evidence


def test_row_that_cannot_be_true_is_told_for_its_whole_slot() -> None:
    """The venue has a row there, so nothing is explained; the reason names what is wrong with it."""
    late = candle(minute(7) + timedelta(seconds=14))
    frame = CandleFrame((), (Rejected(late, "a price is not positive"),))
    said = "binance's row was set aside: a price is not positive"

    assert [(span(7, 8), Vain("BrokenPromise", said))] == list(TOLD.parts(CandlePage(frame)))


def test_page_without_holes_proves_nothing() -> None:
    """Rows alone are no news."""
    assert [] == list(TOLD.parts(CandlePage(CandleFrame((candle(minute(1)),)))))


def test_documented_reach_needs_no_witness() -> None:
    """What the provider's own documents rule out is certain, and they are the evidence."""
    vain = TOLD.beyond_reach()

    assert ("BeyondReach", "not_refillable", True) == (
        *(vain.error_class, vain.reason),
        vain.is_certain,
    )
    assert {"provider": "binance", "documented_in": BINANCE.docs} == vain.evidence
    assert f"binance keeps no history this old: {BINANCE.history}" == vain.error
