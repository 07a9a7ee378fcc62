"""``audit``: rows against ledger, in a table or JSON, with an exit code that a CI job can trust."""

import os
import pty
import subprocess

import pytest

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.windows import DAY
from crypto_pipeline_tests.cli.commands import COMMAND, day, directory, run

AGREES = "ohlc: 8 series-days audited, rows and ledger agree\n"
NOTHING = "{}: nothing to audit, the warehouse knows of no such day\n"
OTHERS = "".join(map(NOTHING.format, ("market_prices", "sentiment", "gas_prices", "news")))


@pytest.fixture
def damaged(filled: dict[str, str], line: Line) -> dict[str, str]:
    """Two rows of the second day are gone behind the ledger's back."""
    with line.database.connect() as connection:
        connection.execute(
            "delete from warehouse.ohlc using warehouse.series "
            "where series.series_id = ohlc.series_id and series.instrument = 'BTC-USDT' "
            "and open_time >= %s and open_time < %s + interval '2 hours'",
            (line.since + DAY, line.since + DAY),
        )
    return filled


def test_agreement_is_a_sentence(filled: dict[str, str]) -> None:
    """One for each dataset, exit code 0, and nothing on standard error; programs get an empty list."""
    done = run(filled, "audit")

    assert (0, AGREES + OTHERS, "") == (done.code, done.out, done.err)
    assert (0, []) == ((listed := run(filled, "audit", "--format", "json")).code, listed.data)


def test_difference_is_told_and_repaired(damaged: dict[str, str]) -> None:
    """A table, a sentence that says what to do, exit code 1; the second audit is clean."""
    done = run(damaged, "audit", "ohlc")
    header, row = done.table

    assert "dataset series day unknown to ledger without row wrong outcome" == " ".join(header)
    assert ["ohlc", "binance/BTC-USDT/1h", day(damaged, 1), "0", "2", "present", "repaired"] == row
    assert 1 == done.code
    assert done.err == (
        "crypto-pipeline: the ledger was wrong on 1 of 8 series-days of ohlc; it follows the rows "
        "now, and the gap sensor or 'crypto-pipeline backfill' asks for what is missing\n"
    )
    assert (0, AGREES) == ((again := run(damaged, "audit", "ohlc")).code, again.out)
    (gap, *_) = run(damaged, "gaps", "--end", day(damaged, 1), "--format", "json").data
    assert 2 == gap["slots"]


def test_dry_run_repairs_nothing(damaged: dict[str, str]) -> None:
    """It says so, and how to repair; the next look finds the same."""
    done = run(damaged, "audit", "ohlc", "--dry-run")

    assert done.out.endswith("present  not repaired (--dry-run)\n")
    assert 1 == done.code
    assert done.err == (
        "crypto-pipeline: the ledger is wrong on 1 of 8 series-days of ohlc: "
        "'crypto-pipeline audit' without --dry-run has it follow the rows\n"
    )
    assert done == run(damaged, "audit", "ohlc", "--dry-run")


def test_json_has_the_exact_slots(damaged: dict[str, str]) -> None:
    """A program reads each run with its ends, and whether it was repaired."""
    second = day(damaged, 1)
    done = run(damaged, "audit", "--dry-run", "--format", "json")

    assert done.code == 1
    assert done.data == [
        {
            "dataset": "ohlc",
            "series": "binance/BTC-USDT/1h",
            "day": second,
            "only_in_rows": [],
            "only_in_ledger": [[f"{second}T00:00:00Z", f"{second}T02:00:00Z"]],
            "slots_only_in_rows": 0,
            "slots_only_in_ledger": 2,
            "wrong": ["present"],
            "repaired": False,
        }
    ]


def test_range_bounds_the_audit(damaged: dict[str, str]) -> None:
    """Days outside are not looked at, and a span without any says so."""
    first = run(damaged, "audit", "ohlc", "--end", day(damaged, 0))
    none = run(damaged, "audit", "ohlc", "--start", "2001-01-01", "--end", "2001-12-31")

    assert (0, "ohlc: 2 series-days audited, rows and ledger agree\n") == (first.code, first.out)
    assert (0, NOTHING.format("ohlc")) == (none.code, none.out)


def test_terminal_shows_a_bar_that_goes_away(filled: dict[str, str]) -> None:
    """Who watches sees days go by on standard error; the result is on standard output, alone."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*COMMAND, "audit", "ohlc"],
        env=filled | {"TERM": "xterm", "COLUMNS": "100"},
        cwd=directory(filled),
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=120,
        check=False,
    )
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)

    assert AGREES == done.stdout.decode()
    assert b"series-days" in shown


@pytest.mark.parametrize("arguments", [("olhc",), ("--start", "tomorrow"), ("--format", "csv")])
def test_wrong_use_is_exit_code_2(
    arguments: tuple[str, ...], settings_environment: dict[str, str]
) -> None:
    """One sentence and no output."""
    done = run(settings_environment, "audit", *arguments)

    assert (2, "", 1) == (done.code, done.out, len(done.err.splitlines()))
