"""How far the data has come, in one line: every dataset that anything is expected of."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.cli.following import Follower
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import MARKET_PRICES, OHLC
from crypto_pipeline.market.windows import DAY, midnight
from crypto_pipeline.warehouse.calendar import listings, note_listings
from crypto_pipeline_tests.warehouse.pricing import BITCOIN, ETHEREUM

HOUR = timedelta(hours=1)


@pytest.fixture
def yesterday(line: Line) -> Line:
    """Two hourly series of candles and two assets, of which nothing is there."""
    since = midnight(datetime.now(UTC).date()) - DAY
    line = replace(line, since=since, observed=(BITCOIN, ETHEREUM))
    for dataset in (OHLC, MARKET_PRICES):
        line.register(datetime.now(UTC), dataset)
    return line


def due_hours(line: Line) -> int:
    """How many hours are over since the first one."""
    return (datetime.now(UTC) - line.since) // HOUR


def test_each_dataset_is_told(yesterday: Line, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, once; those of which nothing is collected are left out."""
    follower = Follower(yesterday)
    hours = {due_hours(yesterday)}
    follower.look()
    hours.add(due_hours(yesterday))
    told = capsys.readouterr().err

    assert 1 == len(told.splitlines())
    assert ["ohlc", "market_prices"] == re.findall(r"(\w+): 0\.0 % of", told)
    assert int(re.findall(r"ohlc: 0\.0 % of (\d+) slots, ", told)[0]) / 2 in hours
    assert " series-days to go" in told
    assert "sentiment" not in told


def test_series_counts_from_its_own_beginning(
    yesterday: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was before a series began is not among the slots there should be."""
    (first, second) = listings(yesterday.database, OHLC)
    begun = replace(first, listed_at=yesterday.since + 20 * HOUR)
    note_listings(yesterday.database, OHLC, [begun], datetime.now(UTC))
    hours = {due_hours(yesterday)}
    Follower(replace(yesterday, observed=())).look()
    hours.add(due_hours(yesterday))
    told = int(re.findall(r"% of (\d+) slots", capsys.readouterr().err)[0])

    assert second.listed_at is None
    assert told in {2 * one - 20 for one in hours}


def test_nothing_new_is_not_told_again(yesterday: Line, capsys: pytest.CaptureFixture[str]) -> None:
    """The same picture is one line, however often one looks."""
    follower = Follower(replace(yesterday, observed=()))
    follower.look()
    follower.look()

    assert 1 == len(capsys.readouterr().err.splitlines())


def test_pipeline_without_series_has_nothing_to_tell(
    yesterday: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    """No line at all."""
    Follower(replace(yesterday, series=(), observed=())).look()

    assert "" == capsys.readouterr().err
