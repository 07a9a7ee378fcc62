"""``retention``: says what goes, asks, drops it; what has expired is asked for no more."""

from datetime import UTC, datetime, timedelta

import pytest

from crypto_pipeline.market.windows import midnight
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.cli.commands import HOURLY, run
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import hourly

OLD = midnight((datetime.now(UTC) - timedelta(days=100)).date())
KEPT = midnight(datetime.now(UTC).date())


@pytest.fixture
def environment(settings_environment: dict[str, str]) -> dict[str, str]:
    """Settings by which candles are wanted since longer ago than they are kept."""
    return settings_environment | {
        **HOURLY,
        "CRYPTO_PIPELINE_SINCE": str(OLD.date()),
        "CRYPTO_PIPELINE_RETENTION__OHLC": "40",
    }


def test_months_are_told_and_dropped_with_a_yes(
    environment: dict[str, str], database: Database
) -> None:
    """A dry run and a missing yes change nothing; a yes drops the old month and nothing else."""
    warehouse = hourly(database, since=OLD)
    warehouse.store(candle(OLD), candle(KEPT))
    told = run(environment, "retention", "--dry-run")
    refused = run(environment, "retention")
    before = warehouse.rows()
    done = run(environment, "retention", "--yes")
    again = run(environment, "retention", "--yes")

    assert (0, ["ohlc", f"{OLD:%Y-%m}", "1"]) == (told.code, told.table[3][:3])
    assert (2, True) == (refused.code, "Nothing was changed: add --yes to do so" in refused.err)
    assert [OLD, KEPT] == [row[0] for row in before]
    assert (0, "Dropped 1 month: 1 rows,") == (done.code, done.out.splitlines()[-1][:24])
    assert [KEPT] == [row[0] for row in warehouse.rows()]
    assert (0, True) == (again.code, again.out.endswith("nothing goes\n"))


def test_expired_days_are_not_backfilled(environment: dict[str, str]) -> None:
    """One sentence says since when candles are kept, and what to change."""
    day = str(OLD.date())
    done = run(environment, "backfill", "ohlc", "--start", day, "--end", day)

    assert (2, "") == (done.code, done.out)
    assert f"{day} is beyond retention: ohlc is kept for 40 days, since 20" in done.err
    assert "set retention.ohlc to more days, or to 0 for ever" in done.err


def test_first_day_that_was_named_is_kept_by_default(environment: dict[str, str]) -> None:
    """Who sets ``since`` and no retention keeps everything since then."""
    del environment["CRYPTO_PIPELINE_RETENTION__OHLC"]
    done = run(environment, "retention", "--yes")

    assert (0, "everything is kept for ever: set retention.<dataset> to a number of days\n") == (
        done.code,
        done.out,
    )
