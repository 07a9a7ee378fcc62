"""DefiLlama's protocol: what its recorded replies say, and how its charts are asked for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from crypto_pipeline.errors import RequestRejected
from crypto_pipeline.frames.observations import Price
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.defillama import DEFILLAMA
from crypto_pipeline_tests.providers.observing import (
    FIVE_MINUTES,
    Answers,
    present_in,
    question_of,
)
from crypto_pipeline_tests.providers.saying import fault_of

START = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)


def test_price_is_read_as_it_was_printed(corpus: Path) -> None:
    """The digits and the time of the price are the source's own."""
    body = (corpus / "defillama/prices_historical_bnb_2020.json").read_bytes()
    moment = EPOCH + timedelta(seconds=1604437689)
    expected = {"coingecko:binancecoin": Price(moment, Decimal("26.765469766407215"))}

    assert expected == present_in(DEFILLAMA, body)


def test_unknown_token_is_not_there(corpus: Path) -> None:
    """Nothing known is an empty object, not an error."""
    body = (corpus / "defillama/prices_current_unknown_token_empty.json").read_bytes()

    assert {} == present_in(DEFILLAMA, body)


def test_coins_are_asked_for_by_path() -> None:
    """All in one request, and none of twelve hours ago."""
    question = question_of(DEFILLAMA, "coingecko:bitcoin", "coingecko:ethereum")

    assert "/prices/current/coingecko:bitcoin,coingecko:ethereum" == question.path
    assert {"searchWidth": "10m"} == question.params


def test_each_slot_is_asked_for_its_own_price() -> None:
    """The middle of every slot is asked for, and nothing that lies beyond its edges."""
    points = [{"timestamp": 1709249400 + 300 * number, "price": 5.25} for number in range(3)]
    body = {"coins": {"coingecko:bitcoin": {"symbol": "BTC", "prices": points}}}
    answers = Answers(DEFILLAMA, [body])
    window = Window(START, START + 3 * FIVE_MINUTES)
    rows = answers.past("coingecko:bitcoin", window, FIVE_MINUTES)
    moments = [START + number * FIVE_MINUTES for number in range(3)]
    middle = round((START - EPOCH).total_seconds()) + 150

    assert [Price(moment, Decimal("5.25")) for moment in moments] == rows
    assert "/chart/coingecko:bitcoin" == answers.asked[0].path
    assert {"start": middle, "span": 3, "period": 300, "searchWidth": 149} == answers.asked[
        0
    ].params


def test_span_keeps_within_five_hundred_points() -> None:
    """A request for more points than that is refused."""
    assert DEFILLAMA.histories["market_prices"].span / FIVE_MINUTES <= 500


def test_refusal_is_told_in_its_words() -> None:
    """A wrong question is refused for good, and it is told why."""
    fault = fault_of(DEFILLAMA, {"message": "start is not an uint"}, 400)

    assert type(fault) is RequestRejected
    assert "HTTP 400: start is not an uint" == str(fault)
