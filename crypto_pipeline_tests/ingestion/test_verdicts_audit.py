"""The verdict on the ledger itself: what differed from the rows is named, repaired, and asked for again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.verdicts import SHOWN, Verdict, ledger_matches_rows
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline_tests.warehouse.storing import Warehouse

SINCE = datetime(2024, 2, 28, tzinfo=UTC)
NOW = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC)
ALL = Window(SINCE, NOW)
HOUR = timedelta(hours=1)
NAME = "binance/BTC-USDT/1h"


@pytest.fixture
def line(make_line: Callable[..., Line]) -> Line:
    """One series of hours over two days and a half, as the venue has them."""
    line = make_line(SINCE, interval="1h")
    ingest(line, ALL, now=NOW)
    return line


def delete(line: Line, condition: str = "true") -> None:
    """Take rows away behind the ledger's back."""
    store = Warehouse(line.database, line.series, line.since)
    store.execute(f"delete from warehouse.ohlc where {condition}")  # noqa: S608


def test_ledger_that_agrees_passes(line: Line) -> None:
    """The verdict says how much was looked at."""
    assert Verdict(
        "ledger_matches_rows",
        passed=True,
        summary="rows and ledger agree on 3 series-days",
        facts={
            "series_days": 3,
            "series_days_repaired": 0,
            "slots_only_in_rows": 0,
            "slots_only_in_ledger": 0,
        },
    ) == ledger_matches_rows(line, OHLC, ALL)


def test_differences_are_named_and_repaired(line: Line) -> None:
    """A difference is an error once: the next verdict passes."""
    delete(line, "open_time in ('2024-02-28 05:00Z', '2024-02-29 00:00Z', '2024-02-29 01:00Z')")
    verdict = ledger_matches_rows(line, OHLC, ALL)

    assert (False, True) == (verdict.passed, verdict.is_error)
    assert verdict.summary == (
        "the ledger was wrong on 2 of 3 series-days, and was repaired: "
        f"{NAME} 2024-02-28: 0 slots unknown to the ledger, 1 without a row (present was wrong); "
        f"{NAME} 2024-02-29: 0 slots unknown to the ledger, 2 without a row (present was wrong)"
    )
    assert (2, 3) == (verdict.facts["series_days_repaired"], verdict.facts["slots_only_in_ledger"])
    assert ledger_matches_rows(line, OHLC, ALL).passed


def test_window_bounds_what_is_judged(line: Line) -> None:
    """A difference on another day is another verdict's."""
    delete(line, "open_time = '2024-02-28 05:00Z'")

    assert ledger_matches_rows(line, OHLC, Window(SINCE + DAY, NOW)).passed


def test_long_list_of_differences_is_cut(make_line: Callable[..., Line]) -> None:
    """Some examples, and how many more there are."""
    line = make_line(SINCE - 20 * DAY, interval="1h")
    ingest(line, Window(SINCE - 20 * DAY, NOW), now=NOW)
    delete(line)
    verdict = ledger_matches_rows(line, OHLC, Window(SINCE - 20 * DAY, NOW))

    assert SHOWN == verdict.summary.count(NAME)
    assert verdict.summary.endswith(f" and {23 - SHOWN} more")


def test_deleted_rows_are_fetched_again_after_the_repair(line: Line) -> None:
    """Until then nobody asks for them; afterwards they are missing, and the next run brings them back."""
    store = Warehouse(line.database, line.series, line.since)
    before = store.rows()
    delete(line, "open_time < '2024-02-28 05:00Z'")

    assert 0 == ingest(line, ALL, now=NOW).requests
    ledger_matches_rows(line, OHLC, ALL)
    assert 5 == line.ledger.totals(OHLC, NOW).slots
    assert 5 == ingest(line, ALL, now=NOW).stored.inserted
    assert before == store.rows()
    assert ledger_matches_rows(line, OHLC, ALL).passed
