"""The marts over holes, a leap day and recorded outages; and what a repaired day changes in them."""

import csv
import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from math import log, sqrt
from pathlib import Path

import pytest

from crypto_pipeline.market.windows import DAY
from crypto_pipeline.sandbox.server import running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.conftest import _database
from crypto_pipeline_tests.history import (
    FIRST,
    LACKING,
    NOW,
    OUTAGE,
    PEAK,
    QUARTER,
    REPAIRED,
    History,
    quarter,
    sandbox_says,
)
from crypto_pipeline_tests.marts import MODELS, Days, Marts, Row, changed

DAYS_OF_2019 = "binance/klines_BTCUSDT_1d_2018-12-29_2020-01-04_372rows.json"
DAYS_OF_2020 = "basana_testdata/binance_btcusdt_day_2020.csv"
OUTAGE_DAY = OUTAGE.start.date()
TODAY = NOW.date()
"""It goes on, so that its ledger changes by itself."""


@dataclass(frozen=True)
class Built:
    """What dbt told, what the venue says, and what the marts held before a day was repaired and after."""

    marts: Marts
    told: str
    venue: dict[str, list[Row]]
    before: dict[str, Days]
    after: dict[str, Days]


@pytest.fixture(scope="module")
def built(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Built]:
    """Two runs of dbt that all tests here look at: of all days, and of the one that was repaired."""
    databases = _database(server_url, template)
    marts = Marts(next(databases), tmp_path_factory.mktemp("dbt") / "project")
    history = History(marts.database)
    with running(SandboxSettings(weight_limit=None)) as sandbox:
        history.fill(sandbox)
        venue = {interval: sandbox_says(sandbox, interval) for interval in ("1h", "1d")}
    told = marts.dbt("build")
    before = marts.by_day()
    history.repair()
    of_the_day = f"{{first_day: {REPAIRED}, last_day: {REPAIRED}}}"
    marts.dbt("run", "--vars", of_the_day, "--target-path", "of_the_day")
    yield Built(marts, told, venue, before, marts.by_day())
    next(databases, None)


def test_every_promise_of_the_models_holds(built: Built) -> None:
    """No test of dbt's fails or is left out."""
    assert "WARN=0 ERROR=0 SKIP=0" in built.told
    assert built.told.count(" PASS assert_") == len([*MODELS.parent.glob("tests/*.sql")])


def test_whoever_looks_at_the_database_reads_what_each_column_is(built: Built) -> None:
    """Every model says there what a row of it is, and every column what it holds."""
    silent = built.marts.select(
        """
        select held.oid::regclass::text, part.attname
        from pg_class as held
        join pg_attribute as part on part.attrelid = held.oid and part.attnum > 0
        where
            held.relnamespace in ('marts'::regnamespace, 'staging'::regnamespace)
            and held.relkind in ('r', 'v')
            and coalesce(col_description(held.oid, part.attnum), '') = ''
        union all
        select held.oid::regclass::text, 'itself'
        from pg_class as held
        where
            held.relnamespace in ('marts'::regnamespace, 'staging'::regnamespace)
            and held.relkind in ('r', 'v')
            and coalesce(obj_description(held.oid), '') not like '%one row per%'
        """
    )
    assert [] == silent


@pytest.mark.parametrize(
    ("interval", "time"), [("1h", "open_time"), ("1d", "day::timestamp at time zone 'utc'")]
)
def test_candles_made_of_minutes_equal_the_venues_own(
    built: Built, interval: str, time: str
) -> None:
    """Hours and days made from minutes are what the venue says of the same; the present one is not complete."""
    made = built.marts.select(
        f"select {time}, open, high, low, close, volume, quote_volume, trade_count, is_complete "  # noqa: S608
        f"from marts.candles_{interval} where instrument = 'SOL-USDT' order by 1"
    )
    own = built.venue[interval]

    assert [(*row, True) for row in own] == made[: len(own)]
    assert [row[-1] for row in made[len(own) :]][-1:] in ([], [False])


def test_recorded_days_are_what_the_venue_says(built: Built, corpus: Path) -> None:
    """A year and a week made of four hours each, digit for digit, with the days of three outages."""
    own = [
        (datetime.fromtimestamp(row[0] / 1000, UTC).date(), *map(Decimal, row[1:6]), row[8])
        for row in json.loads((corpus / DAYS_OF_2019).read_bytes())
    ]
    made = built.marts.select(
        "select day, open, high, low, close, volume, trade_count from marts.candles_1d "
        "where base_interval = '4h' order by day limit 372"
    )

    assert own == made


def test_recorded_leap_day_and_outage_are_what_the_venue_says(built: Built, corpus: Path) -> None:
    """February and March 2020: the 29th is a day like others; the 19th lacks four hours that never were."""
    with (corpus / DAYS_OF_2020).open(encoding="utf-8") as file:
        own = [
            (date.fromisoformat(row["datetime"][:10]), *map(Decimal, [*row.values()][1:5]))
            for row in csv.DictReader(file)
        ][31:91]
    made = built.marts.select(
        "select day, open, high, low, close, present, is_complete from marts.candles_1d "
        "where base_interval = '4h' and day between '2020-02-01' and '2020-03-31' order by day"
    )

    assert own == [row[:5] for row in made]
    assert [(date(2020, 2, 19), 5)] == [(row[0], row[5]) for row in made if row[5:] != (6, True)]


def test_an_hour_with_a_hole_says_so(built: Built) -> None:
    """One that lacks a quarter is not complete, nor is its day; what never was is not missing."""
    odd = [
        row
        for days in (built.before["candles_1h"][REPAIRED], built.before["candles_1h"][OUTAGE_DAY])
        for row in days
        if row[-1] == "15m" and row[10] != row[11]
    ]
    assert {
        (LACKING - 3 * QUARTER, 4, 3, False),
        (OUTAGE.end - 2 * QUARTER, 4, 2, True),
    } == {(row[2], *row[10:13]) for row in odd}
    assert {(95, False)} == {row[11:13] for row in built.before["candles_1d"][REPAIRED]}


def test_first_and_last_are_so_by_time(built: Built) -> None:
    """Whatever arrived first: over the month's end and the leap day."""
    days = [FIRST + number * DAY for number in range(16)]
    expected = [(at.date(), quarter(at).open, quarter(at + DAY - QUARTER).close) for at in days]
    made = built.marts.select(
        "select day, open, close from marts.candles_1d where base_interval = '15m' order by day"
    )
    repaired = (REPAIRED, quarter(LACKING - DAY + QUARTER).open, PEAK)

    assert [repaired if row[0] == REPAIRED else row for row in expected] == made


def test_returns_follow_from_the_closes_of_days(built: Built) -> None:
    """Return, volatility of seven returns, and the fall from the highest close there was."""
    closes = built.marts.select(
        "select close from marts.candles_1d where base_interval = '15m' order by day"
    )
    prices = [float(row[0]) for row in closes]
    returns = [log(one / former) for former, one in pairwise(prices)]
    (found,) = built.marts.select(
        "select return_pct, volatility_7d_pct, returns_7d, returns_30d, peak_close, drawdown_pct "
        "from marts.price_returns_daily where instrument = 'ETH-USDT' order by day desc limit 1"
    )
    assert (
        pytest.approx(100 * (prices[-1] / prices[-2] - 1)),
        pytest.approx(100 * sqrt(365) * statistics.stdev(returns[-7:])),
        7,
        15,
        PEAK,
        pytest.approx(100 * (prices[-1] / PEAK - 1)),
    ) == found


def test_a_repaired_day_changes_what_follows_from_it_and_no_other(built: Built) -> None:
    """A run of that day replaces its rows, takes away those that are no more, and corrects what depends."""
    follows = [REPAIRED + number * DAY for number in range(8)]

    assert {
        **{f"candles_{interval}": [REPAIRED] for interval in ("15m", "1h", "4h", "1d")},
        "data_completeness_daily": [REPAIRED],
        "gas_hourly": [REPAIRED],
        "sentiment_daily": follows[:7],
        "price_returns_daily": follows,
        "fear_greed_vs_price": [REPAIRED - 7 * DAY, REPAIRED - DAY, *follows[:2]],
    } == changed(built.before, built.after, TODAY)
    assert REPAIRED not in built.after["gas_hourly"]


def test_building_all_again_changes_nothing(built: Built) -> None:
    """What one day's run has made is what all days' run makes; and the pages on it are written."""
    built.marts.dbt("run")
    assert {} == changed(built.after, built.marts.by_day(), TODAY)

    built.marts.dbt("docs", "generate", "--no-compile")
    catalog = (built.marts.project / "target" / "catalog.json").read_text(encoding="utf-8")
    names = [path.stem for path in MODELS.rglob("*.sql")]
    assert [] == [name for name in names if f'"model.crypto_pipeline.{name}"' not in catalog]
