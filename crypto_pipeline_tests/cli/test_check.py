"""``check``: the verdicts, and an exit code that a CI job can trust."""

from datetime import UTC, datetime

from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline_tests.cli.commands import day, run


def outcomes(environment: dict[str, str], *arguments: str) -> tuple[int, dict[str, str]]:
    """The exit code and the outcome of each check."""
    done = run(environment, "check", *arguments, "--format", "json")
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
    code, found = outcomes(filled, "ohlc", "--start", day(filled, 0), "--end", day(filled, 1))

    assert ("passed", "passed", 1) == (found["complete"], found["rows_are_valid"], code)


def test_whole_and_fresh_warehouse_passes(filled: dict[str, str], line: Line) -> None:
    """Exit code 0, and nothing on standard error."""
    now = datetime.now(UTC)
    ingest(line, Window(line.since, now), now=now)
    done = run(filled, "check")

    assert (0, "") == (done.code, done.err)
    assert [words[2] for words in done.table] == ["outcome", *["passed"] * 4]


def test_failure_names_the_checks(filled: dict[str, str]) -> None:
    """The table is on standard output, the sentence on standard error."""
    done = run(filled, "check")

    assert done.err == "crypto-pipeline: 2 of 4 checks failed: ohlc complete, ohlc fresh\n"
    assert done.out.startswith("dataset  check")


def test_nothing_collected_has_not_passed(settings_environment: dict[str, str]) -> None:
    """An empty warehouse is not whole, so CI does not go green on it."""
    assert outcomes(settings_environment) == (1, {"complete": "failed"})


def test_days_out_of_reach_are_wrong_use(filled: dict[str, str]) -> None:
    """A mistyped year does not pass for want of anything to look at."""
    done = run(filled, "check", "--start", "2001-01-01")

    assert (2, "") == (done.code, done.out)


def test_unknown_dataset_is_wrong_use(filled: dict[str, str]) -> None:
    """It names the known ones."""
    done = run(filled, "check", "ohlc", "trades")

    assert (2, "crypto-pipeline: there is no dataset 'trades': expected ohlc\n") == (
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
