"""The Fear & Greed Index: what is asked, what a recorded reply says, and which days never were."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import MalformedReply, RateLimited, TransientError
from crypto_pipeline.frames.observations import IndexValue
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.alternative_me import ALTERNATIVE_ME
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.sandbox.sentiment import NEVER_PUBLISHED, index_of
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.providers.asking import Asking, Browser
from crypto_pipeline_tests.providers.telling import JSON, at, past, present, understood

SEED = 7


def days(sandbox: Sandbox, browser: Browser, first: date, count: int) -> dict[date, Decimal]:
    """The values of so many days from a first."""
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    asking = Asking(at(sandbox, ALTERNATIVE_ME), browser)
    rows = past(asking, "sentiment", "fear_greed", Window(start, start + count * DAY), DAY)
    found = {one.observed_at: one.value for one in rows if isinstance(one, IndexValue)}
    assert len(found) == len(rows)
    return {time.date(): value for time, value in found.items() if time}


def test_recorded_reply_is_read_as_it_was_printed(corpus: Path) -> None:
    """The newest value stands first, and its day is the one its timestamp opens."""
    body = (corpus / "alternative_me/fng_limit2_2026-07-11.json").read_bytes()

    assert {
        "fear_greed": IndexValue(datetime(2026, 7, 11, tzinfo=UTC), Decimal(26), "Fear")
    } == understood(ALTERNATIVE_ME, "sentiment", Reply(200, JSON, body))


def test_present_value_is_that_of_the_day(sandbox: Sandbox, browser: Browser) -> None:
    """What is told now carries the day it is the value of."""
    value = present(Asking(at(sandbox, ALTERNATIVE_ME), browser), "sentiment", "fear_greed")
    today = datetime.now(UTC).date()

    assert isinstance(value, IndexValue)
    assert value.observed_at is not None
    assert value.observed_at.date() in (today, today - DAY)
    assert index_of(value.observed_at.date(), SEED) == value.value


def test_past_days_are_filtered_out_of_the_whole_history(
    sandbox: Sandbox, browser: Browser
) -> None:
    """There is no range to ask for: the newest month is asked for first, then everything."""
    first = date(2020, 1, 1)
    found = days(sandbox, browser, first, 3)

    assert {first + DAY * at: Decimal(index_of(first + DAY * at, SEED)) for at in range(3)} == found
    assert ["30", "0"] == [one.query["limit"] for one in sandbox.requests()]


def test_recent_days_cost_one_small_answer(sandbox: Sandbox, browser: Browser) -> None:
    """The whole history is not fetched for yesterday."""
    first = datetime.now(UTC).date() - 3 * DAY

    assert {first, first + DAY} == days(sandbox, browser, first, 2).keys()
    assert ["30"] == [one.query["limit"] for one in sandbox.requests()]


@pytest.mark.parametrize("gap", sorted(NEVER_PUBLISHED))
def test_day_that_was_never_published_has_no_value(
    sandbox: Sandbox, browser: Browser, gap: date
) -> None:
    """Four days are absent between their neighbours, and absent means never published."""
    assert gap not in days(sandbox, browser, gap - 4 * DAY, 9)
    assert "not_published" == ALTERNATIVE_ME.histories["sentiment"].absence


def test_error_beside_an_empty_answer_is_an_error() -> None:
    """``metadata.error`` is read though the status is 200."""
    body = json.dumps({"data": [], "metadata": {"error": "database is away"}}).encode()

    with pytest.raises(TransientError, match="database is away"):
        understood(ALTERNATIVE_ME, "sentiment", Reply(200, JSON, body))


def test_too_many_requests_are_a_pause(sandbox: Sandbox, browser: Browser) -> None:
    """A 429 that names a time is waited out; one without end is told as what it is."""
    asking = Asking(at(sandbox, ALTERNATIVE_ME), browser)
    sandbox.order("429:retry_after=2")

    with pytest.raises(RateLimited):
        present(asking, "sentiment", "fear_greed")


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"data": []}', b'{"data": [{"value": 26}]}', b"7"]
)
def test_odd_body_is_malformed(body: bytes) -> None:
    """JSON that is no index is never read as one."""
    with pytest.raises(MalformedReply):
        understood(ALTERNATIVE_ME, "sentiment", Reply(200, JSON, body))


def test_span_holds_years() -> None:
    """A window of years is one question, for every answer holds everything."""
    assert ALTERNATIVE_ME.histories["sentiment"].span >= timedelta(days=3650)
    assert ALTERNATIVE_ME.histories["sentiment"].name("bitcoin_pageviews") is None
