"""The checks: each answers with evidence, and tells an error from a warning."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from crypto_pipeline.frames.candles import Rejected
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.verdicts import (
    SHOWN,
    Verdict,
    complete,
    completeness_by_day,
    fresh,
    no_unexplained_gaps,
    rows_are_valid,
)
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import STUCK_AFTER, Attempt, Vain
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.holes import account
from crypto_pipeline.warehouse.ledger import DayCoverage
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import Warehouse

SINCE = datetime(2024, 2, 28, tzinfo=UTC)
NOW = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC)
ALL = Window(SINCE, NOW)
HOUR = timedelta(hours=1)
HOURS = 60
NAME = "binance/BTC-USDT/1h"


@pytest.fixture
def line(make_line: Callable[..., Line]) -> Line:
    """One series of hours over two days and a half."""
    line = make_line(SINCE, interval="1h")
    line.register(NOW)
    return line


def store(line: Line, *hours: int) -> None:
    """Store the candles of these hours."""
    warehouse = Warehouse(line.database, line.series, line.since)
    warehouse.store(*(candle(SINCE + hour * HOUR) for hour in hours))


def test_days_without_a_hole_are_complete() -> None:
    """The verdict counts what was looked at."""
    days = [
        DayCoverage(NAME, date(2024, 2, 28), 24, 23, 1, 0),
        DayCoverage(NAME, date(2024, 2, 29), 24, 24, 0, 0),
    ]

    assert Verdict(
        "complete",
        passed=True,
        summary="48 of 48 slots are there or explained",
        facts={"expected": 48, "missing": 0, "incomplete_series_days": 0},
    ) == complete(days)


def test_incomplete_days_are_named() -> None:
    """The verdict says which series lacks how much of which day."""
    days = [
        DayCoverage(NAME, date(2024, 2, 28), 1440, 0, 0, 1440),
        DayCoverage(NAME, date(2024, 2, 29), 24, 24, 0, 0),
    ]
    verdict = complete(days)

    assert not verdict.passed
    assert verdict.summary == (
        f"24 of 1,464 slots are there or explained; missing in {NAME} 2024-02-28: 1440"
    )
    assert {"expected": 1464, "missing": 1440, "incomplete_series_days": 1} == verdict.facts


def test_long_lists_are_cut() -> None:
    """A year of incomplete days does not fill the page."""
    days = [DayCoverage(NAME, SINCE.date() + number * DAY, 24, 0, 0, 24) for number in range(366)]
    verdict = complete(days)

    assert SHOWN == verdict.summary.count(NAME)
    assert 366 == verdict.facts["incomplete_series_days"]


def test_nothing_expected_is_complete() -> None:
    """A day before everything lacks nothing."""
    assert complete([]).passed


def test_each_day_has_its_own_verdict(line: Line) -> None:
    """Of a range, the days that are complete pass and the others do not; days to come are not judged."""
    store(line, *range(24, 48))
    verdicts = completeness_by_day(line.ledger.summary(OHLC, ALL, NOW))

    assert {
        date(2024, 2, 28): False,
        date(2024, 2, 29): True,
        date(2024, 3, 1): False,
    } == {day: verdict.passed for day, verdict in verdicts.items()}
    assert 12 == verdicts[date(2024, 3, 1)].facts["expected"]


def test_warehouse_without_holes_passes(line: Line) -> None:
    """Nothing missing is nothing to tell."""
    store(line, *range(HOURS))
    verdict = no_unexplained_gaps(line, OHLC, NOW)

    assert verdict.passed
    assert "nothing is missing" == verdict.summary


def test_hole_that_nobody_asked_for_is_a_warning(line: Line) -> None:
    """History that is still being filled is no error."""
    store(line, *range(30, HOURS))
    verdict = no_unexplained_gaps(line, OHLC, NOW)

    assert (False, False) == (verdict.passed, verdict.is_error)
    assert "30 slots are missing on 2 series-days" == verdict.summary


def in_vain(line: Line, vain: Vain, *, times: int = 1) -> None:
    """Note of the first day that it was asked for in vain so often."""
    attempt = Attempt(Runs((Window.of_day(SINCE.date()),)), vain)
    account(line.database, OHLC, {NAME: [attempt] * times}, NOW)


def test_hole_that_is_asked_for_again_is_a_warning(line: Line) -> None:
    """What the venue did not give yet may still come."""
    store(line, *range(30, HOURS))
    in_vain(line, Vain("Unanswered", "no answer"), times=STUCK_AFTER - 1)
    verdict = no_unexplained_gaps(line, OHLC, NOW)

    assert (False, False) == (verdict.passed, verdict.is_error)
    assert "30 slots are missing on 2 series-days; 24 were asked for in vain" == verdict.summary
    assert {
        "missing_slots": 30,
        "missing_series_days": 2,
        "asked_in_vain": 24,
        "stuck_slots": 0,
    } == verdict.facts


@pytest.mark.parametrize(
    ("error_class", "times"), [("Unanswered", STUCK_AFTER), ("RequestRejected", 1)]
)
def test_hole_that_is_stuck_is_an_error(line: Line, error_class: str, times: int) -> None:
    """What no provider can fill is an error with the series, the number and the reason."""
    store(line, *range(30, HOURS))
    in_vain(line, Vain(error_class, "what it said"), times=times)
    verdict = no_unexplained_gaps(line, OHLC, NOW)

    assert (False, True) == (verdict.passed, verdict.is_error)
    assert verdict.summary.endswith(f"; 24 are stuck: {NAME} 24 (what it said)")
    assert 24 == verdict.facts["stuck_slots"]


def test_explained_hole_is_no_gap(line: Line) -> None:
    """What is known never to have been is nothing to tell."""
    store(line, *range(24, HOURS))
    in_vain(line, Vain("Told", "quiet", reason="no_trades", is_certain=True))
    verdict = no_unexplained_gaps(line, OHLC, NOW)

    assert verdict.passed
    assert "nothing is missing" == verdict.summary


def test_slots_that_are_not_yet_late_are_no_gap(line: Line) -> None:
    """What was not due at the instant is not counted."""
    store(line, *range(HOURS - 1))

    assert no_unexplained_gaps(line, OHLC, NOW - HOUR).passed
    assert not no_unexplained_gaps(line, OHLC, NOW).passed


def test_valid_rows_pass(line: Line) -> None:
    """Rows that came through the frame keep their promises."""
    store(line, 0, 1)

    assert Verdict(
        "rows_are_valid",
        passed=True,
        summary="every row keeps its promises",
        facts={"broken_rows_shown": 0},
    ) == rows_are_valid(line, OHLC, ALL)


def test_broken_row_is_named_with_its_reason(line: Line) -> None:
    """A row that was set aside, and one that was stored all the same, fail the check by name and time."""
    broken = Rejected(candle(SINCE, low="0"), "a price is not positive")
    warehouse = Warehouse(line.database, line.series, line.since)
    warehouse.store(candle(SINCE + HOUR), rejected=[broken])
    warehouse.execute("update warehouse.ohlc set low = 0")
    verdict = rows_are_valid(line, OHLC, ALL)

    assert not verdict.passed
    assert verdict.summary == (
        f"{NAME} 2024-02-28T01:00:00Z: stored row breaks a promise; "
        f"{NAME} 2024-02-28T00:00:00Z: a price is not positive"
    )
    assert rows_are_valid(line, OHLC, Window(SINCE + DAY, NOW)).passed


def test_many_broken_rows_are_not_all_listed(line: Line) -> None:
    """After some examples the verdict says that there may be more."""
    store(line, *range(HOURS))
    Warehouse(line.database, line.series).execute("update warehouse.ohlc set low = 0")
    verdict = rows_are_valid(line, OHLC, ALL)

    assert SHOWN == verdict.summary.count("breaks a promise")
    assert verdict.summary.endswith("(and perhaps more)")


def test_newest_slot_in_time_is_fresh(line: Line) -> None:
    """A series whose newest due slot is there is not late."""
    store(line, HOURS - 1)
    verdict = fresh(line, OHLC, NOW, 2 * HOUR)

    assert verdict.passed
    assert {"late_series": 0, "largest_lag_seconds": 0.0} == verdict.facts


@pytest.mark.parametrize(("newest", "passed"), [(HOURS - 3, True), (HOURS - 4, False)])
def test_series_may_lag_as_long_as_is_allowed(line: Line, newest: int, passed: bool) -> None:
    """Two hours behind is in time when two are allowed, three are not, and the lag is told."""
    store(line, newest)
    verdict = fresh(line, OHLC, NOW, 2 * HOUR)

    assert passed == verdict.passed
    assert passed == ("3:00:00 behind" not in verdict.summary)


def test_series_without_rows_is_late(line: Line) -> None:
    """Nothing at all is told as such."""
    verdict = fresh(line, OHLC, NOW, 2 * HOUR)

    assert not verdict.passed
    assert f"{NAME} has no row" == verdict.summary


def test_series_that_stopped_long_ago_is_told_by_its_lag(line: Line) -> None:
    """Old rows are rows: a year of silence is not an empty series."""
    store(line, HOURS - 1)
    verdict = fresh(line, OHLC, NOW + 365 * DAY, 2 * HOUR)

    assert not verdict.passed
    assert f"{NAME} is 365 days, 0:00:00 behind" == verdict.summary


def test_long_list_of_incomplete_days_is_cut() -> None:
    """A summary is read by people: some examples, and how many more there are."""
    rows = [DayCoverage(NAME, date(2024, 1, 1), 24, 0, 0, 24)] * (SHOWN + 1_200)

    summary = complete(rows).summary

    assert summary.endswith(" and 1,200 more")
    assert SHOWN == summary.count(NAME)
