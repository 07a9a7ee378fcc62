"""``check``: the verdicts, and an exit code that a CI job can trust."""

from datetime import UTC, datetime

from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import DATASETS
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline_tests.cli.commands import day, run

ALONE = {
    f"CRYPTO_PIPELINE_{key}": ""
    for key in (
        "MARKET_PRICES__ASSETS",
        "SENTIMENT__INDICES",
        "GAS_PRICES__CHAINS",
        "NEWS__PROVIDERS",
    )
}
"""Of somebody who collects candles and nothing else."""


def outcomes(environment: dict[str, str], *arguments: str) -> tuple[int, dict[str, str]]:
    """The exit code and the outcome of each check of candles."""
    done = run(environment, "check", "ohlc", *arguments, "--format", "json")
    return done.code, {one["check"]: one["outcome"] for one in done.data}


def test_missing_days_fail(filled: dict[str, str]) -> None:
    """What is due and missing is a failure; that nobody has asked for it yet is a warning beside."""
    assert outcomes(filled) == (
        1,
        {
            "complete": "failed",
            "no_unexplained_gaps": "warning",
            "rows_are_valid": "passed",
            "fresh": "failed",
        },
    )


def test_range_bounds_what_looks_at_rows(filled: dict[str, str]) -> None:
    """Days that are whole pass, whatever the days around them lack."""
    code, found = outcomes(filled, "--start", day(filled, 0), "--end", day(filled, 1))

    assert ("passed", "passed", 1) == (found["complete"], found["rows_are_valid"], code)


def test_whole_and_fresh_warehouse_passes(filled: dict[str, str], line: Line) -> None:
    """Exit code 0, and nothing on standard error."""
    now = datetime.now(UTC)
    ingest(line, Window(line.since, now), now=now)
    done = run(filled, "check", "ohlc")

    assert (0, "") == (done.code, done.err)
    assert [words[2] for words in done.table] == ["outcome", *["passed"] * 4]


def test_failure_names_the_checks(filled: dict[str, str]) -> None:
    """The table is on standard output, the sentence on standard error."""
    done = run(filled, "check")

    assert done.err == (
        "crypto-pipeline: 6 of 8 checks failed: ohlc complete, ohlc fresh, market_prices complete, "
        "sentiment complete, gas_prices complete, news complete\n"
    )
    assert ["dataset", "check"] == done.table[0][:2]


def test_dataset_that_is_not_collected_is_not_asked_about(filled: dict[str, str]) -> None:
    """What the settings leave out is judged when a person names it, and fails no CI job else."""
    done = run(filled | ALONE, "check")
    named = run(filled | ALONE, "check", "news")

    assert done.err == "crypto-pipeline: 2 of 4 checks failed: ohlc complete, ohlc fresh\n"
    assert named.err == "crypto-pipeline: 1 of 1 checks failed: news complete\n"


def test_nothing_collected_has_not_passed(settings_environment: dict[str, str]) -> None:
    """An empty warehouse is not whole, so CI does not go green on it."""
    done = run(settings_environment, "check", "--format", "json")

    assert 1 == done.code
    assert [(name, "complete", "failed") for name in DATASETS] == [
        (one["dataset"], one["check"], one["outcome"]) for one in done.data
    ]


def test_days_out_of_reach_are_wrong_use(filled: dict[str, str]) -> None:
    """A mistyped year does not pass for want of anything to look at."""
    done = run(filled, "check", "--start", "2001-01-01")

    assert (2, "") == (done.code, done.out)


def test_unknown_dataset_is_wrong_use(filled: dict[str, str]) -> None:
    """It names the known ones."""
    done = run(filled, "check", "ohlc", "trades")

    known = "ohlc or market_prices or sentiment or gas_prices or news"
    assert (2, f"crypto-pipeline: there is no dataset 'trades': expected {known}\n") == (
        done.code,
        done.err,
    )


def test_row_that_breaks_a_promise_fails(filled: dict[str, str], line: Line) -> None:
    """A high below the low is found, and its row named."""
    with line.database.connect() as connection:
        connection.execute(
            "update warehouse.ohlc set high = low / 2 where open_time = %s", (line.since + DAY,)
        )
    done = run(filled, "check")

    assert "rows_are_valid" in done.err
    assert f"{day(filled, 1)}T00:00:00Z: stored row breaks a promise" in done.out
