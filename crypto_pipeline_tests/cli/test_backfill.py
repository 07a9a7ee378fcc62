"""``backfill``: days are fetched here, recorded in Dagster, and what is still missing is told."""

import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.cli.backfill import still_missing
from crypto_pipeline.market.datasets import SENTIMENT
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.cli.commands import COMMAND, HOURLY, day, directory, run, since

FEW = {
    "CRYPTO_PIPELINE_MARKET_PRICES__ASSETS": "bitcoin",
    "CRYPTO_PIPELINE_GAS_PRICES__CHAINS": "ethereum",
}
PATIENCE_SECONDS = 60.0


@pytest.fixture
def hourly(settings_environment: dict[str, str]) -> dict[str, str]:
    """The environment of hourly candles."""
    return settings_environment | HOURLY


def runs(database: Database) -> list[tuple[object, ...]]:
    """Job and status of each run that Dagster knows, oldest first."""
    with database.connect() as connection:
        return list(
            connection.execute("select pipeline_name, status from dagster.runs order by id")
        )


def partitions(database: Database) -> list[str]:
    """The days of candles that Dagster shows as materialized."""
    with database.connect() as connection:
        rows = connection.execute(
            "select distinct partition from dagster.event_logs "
            "where dagster_event_type = 'ASSET_MATERIALIZATION' and asset_key = '[\"ohlc\"]' "
            "order by 1"
        )
        return [str(one) for (one,) in rows]


def test_days_are_whole_and_recorded(hourly: dict[str, str], database: Database) -> None:
    """Both ends are included; Dagster has one run over the same days, and its log is not ours to read."""
    done = run(hourly, "backfill", "ohlc", "--start", day(hourly, 0), "--end", day(hourly, 1))
    gaps = run(hourly, "gaps", "--end", day(hourly, 1), "--format", "json")

    assert done.code == 0
    assert done.out == (
        f"ohlc {day(hourly, 0)} to {day(hourly, 1)}: 96 new rows; nothing is missing\n"
    )
    assert [] == [line for line in done.err.splitlines() if "requests" not in line]
    assert gaps.data == []
    assert [("collect_everything", "SUCCESS")] == runs(database)
    assert [day(hourly, 0), day(hourly, 1)] == partitions(database)


@pytest.mark.parametrize(
    ("dataset", "provider"), [("market_prices", "defillama"), ("gas_prices", "publicnode")]
)
def test_other_datasets_are_brought_alone(
    hourly: dict[str, str], sandbox: Sandbox, dataset: str, provider: str
) -> None:
    """Five minutes each of a day that is over, and nobody is asked for anything else."""
    first = day(hourly, 0)
    done = run(hourly | FEW, "backfill", dataset, "--start", first, "--end", first)

    assert (0, f"{dataset} {first}: 288 new rows; nothing is missing\n") == (done.code, done.out)
    assert {provider} == {one.path.split("/")[1] for one in sandbox.requests()}


def test_each_series_is_due_by_its_own_time(
    settings_environment: dict[str, str], database: Database
) -> None:
    """One that comes late excuses no other, and nothing is missed that was not due at the beginning."""
    settings = load_settings(settings_environment)
    first = since(settings_environment)
    series = [one for one in settings.observed_series() if one.dataset == SENTIMENT.name]
    register(database, SENTIMENT, series, first, datetime.now(UTC))

    def missed(hours: int) -> list[str]:
        now = first + timedelta(hours=hours)
        return [
            one.series for one in still_missing(database, settings, SENTIMENT, [first.date()], now)
        ]

    assert ([], ["fear_greed"]) == (missed(24), missed(25))
    assert {"fear_greed", "bitcoin_pageviews"} == set(missed(61))


def test_second_time_brings_nothing_new(hourly: dict[str, str], sandbox: Sandbox) -> None:
    """A single day is asked for once; with --refetch it is asked for again, and nothing changes."""
    arguments = ("backfill", "ohlc", "--start", day(hourly, 0), "--end", day(hourly, 0))
    first = run(hourly, *arguments)
    sandbox.clear_requests()
    second = run(hourly, *arguments)
    asked_again = len(sandbox.requests())
    third = run(hourly, *arguments, "--refetch")

    assert (0, 0, 0) == (first.code, second.code, third.code)
    assert second.out == f"ohlc {day(hourly, 0)}: 0 new rows; nothing is missing\n"
    assert second.out == third.out
    assert asked_again == 0
    assert len(sandbox.requests()) > 0


def test_today_is_whole_up_to_now(hourly: dict[str, str]) -> None:
    """Slots that are not due yet are not missing."""
    done = run(hourly, "backfill", "ohlc", "--start", day(hourly, 3), "--end", day(hourly, 3))

    assert (0, True) == (done.code, done.out.endswith("; nothing is missing\n"))


def test_shortfall_names_days_and_reason(
    hourly: dict[str, str], sandbox: Sandbox, database: Database
) -> None:
    """What could not be had is told with its reason, and exit code 1."""
    sandbox.order("empty_page:BTCUSDT")
    done = run(hourly, "backfill", "ohlc", "--start", day(hourly, 0), "--end", day(hourly, 1))

    span = f"{day(hourly, 0)} to {day(hourly, 1)}"

    assert (1, f"ohlc {span}: 48 new rows\n") == (done.code, done.out)
    assert done.err.splitlines()[-1] == (
        "crypto-pipeline: ohlc still misses 48 slots of binance/BTC-USDT/1h "
        f"on {span}: the provider answered without these slots"
    )
    assert [("collect_everything", "SUCCESS")] == runs(database)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(-1, 0, "the first day kept"), (0, 5, "lies in the future"), (1, 0, "is after --end")],
)
def test_days_out_of_reach_are_wrong_use(
    first: int, last: int, said: str, hourly: dict[str, str], database: Database
) -> None:
    """Before the first day kept, after today, or the wrong way round: a sentence, and no run."""
    done = run(
        hourly, "backfill", "ohlc", "--start", day(hourly, first), "--end", day(hourly, last)
    )

    assert (2, "", 1) == (done.code, done.out, len(done.err.splitlines()))
    assert said in done.err
    with database.connect() as connection:
        found = connection.execute("select to_regclass('dagster.runs')").fetchone()
    assert found == (None,)


def test_ctrl_c_keeps_what_was_stored(
    settings_environment: dict[str, str], sandbox: Sandbox, database: Database
) -> None:
    """It ends at once with exit code 130; Dagster has the run as cancelled, and its rows stay."""
    one_by_one = settings_environment | {
        "CRYPTO_PIPELINE_PROVIDERS__BINANCE__LIMITS__CONCURRENCY": "1"
    }
    sandbox.order("slow:ms=1000")
    span = ("--start", day(one_by_one, 0), "--end", day(one_by_one, 2))
    process = subprocess.Popen(
        [*COMMAND, "backfill", "ohlc", *span],
        env=one_by_one,
        cwd=directory(one_by_one),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stored = wait_for_rows(database)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    said = [line for line in err.splitlines() if "requests" not in line]

    assert (130, "") == (process.returncode, out)
    assert said == [
        "crypto-pipeline: stopped: what was stored stays, and the next run asks only for the rest"
    ]
    assert [("collect_everything", "CANCELED")] == runs(database)
    assert stored <= rows(database) < 2 * 3 * 1440


def rows(database: Database) -> int:
    """How many candles are stored."""
    with database.connect() as connection:
        found = connection.execute("select count(*) from market.ohlc").fetchone()
    return int(str(found[0])) if found else 0


def wait_for_rows(database: Database) -> int:
    """Until the first page is stored; how many rows there are."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := rows(database)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found
