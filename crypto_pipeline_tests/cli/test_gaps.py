"""``gaps``: every hole, newest first, in a table, CSV or JSON."""

import pytest

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.holes import Vain
from crypto_pipeline.market.windows import DAY
from crypto_pipeline_tests.cli.commands import day, run
from crypto_pipeline_tests.warehouse.storing import MINUTE, SILENT, Warehouse, hours

REJECTED = Vain("RequestRejected", "unknown symbol")
TOLD = ("state", "attempts", "next_attempt_at", "error_class", "reason")


def test_holes_are_listed_newest_first(filled: dict[str, str]) -> None:
    """CSV has every hole with its exact ends, slots and state."""
    done = run(filled, "gaps", "ohlc", "--format", "csv", "--end", day(filled, 2))

    assert (0, "") == (done.code, done.err)
    assert done.rows == [
        {
            "dataset": "ohlc",
            "series": f"binance/{instrument}/1h",
            "gap_start": f"{day(filled, 2)}T00:00:00Z",
            "gap_end": f"{day(filled, 3)}T00:00:00Z",
            "slots": "24",
            "state": "missing",
            "reason": "",
            "attempts": "0",
            "next_attempt_at": "",
            "error_class": "",
        }
        for instrument in ("BTC-USDT", "ETH-USDT")
    ]


def test_range_cuts_holes_to_its_slots(filled: dict[str, str]) -> None:
    """A hole counts with the slots that open between --start and --end."""
    third = day(filled, 2)
    span = ("--start", f"{third}T10:30:00Z", "--end", f"{third}T13:00:00Z")
    done = run(filled, "gaps", *span, "--format", "json")

    assert [(f"{third}T11:00:00Z", f"{third}T13:00:00Z", 2)] * 2 == [
        (gap["gap_start"], gap["gap_end"], gap["slots"]) for gap in done.data
    ]


def test_table_says_the_totals(filled: dict[str, str]) -> None:
    """A person reads how many holes and slots there are, and that nobody has asked yet."""
    done = run(filled, "gaps", "--end", day(filled, 2))

    assert done.code == 0
    assert done.out.count("not asked for yet") == 2
    assert done.out.endswith("\n2 gaps: 48 slots missing in 2 series\n")


def test_long_table_is_cut_and_says_so(filled: dict[str, str], line: Line) -> None:
    """A table shows 50 holes and how many more there are; JSON has all."""
    with line.database.connect() as connection:
        # Every second hour of the three whole days is there.
        connection.execute(
            "update warehouse.coverage set present = (select range_agg(tstzrange(hour, hour + '1 hour')) "
            "from generate_series(lower(expected), upper(expected) - interval '1 hour', '2 hours') as hour) "
            "where day < (now() at time zone 'utc')::date"
        )
    found = len(run(filled, "gaps", "--format", "json").data)
    done = run(filled, "gaps")

    assert found >= 2 * 3 * 12
    assert done.out.count("binance/") == 50
    assert f"\nand {found - 50} more (--format csv or json lists all)\n" in done.out


def test_no_gaps_is_a_sentence(filled: dict[str, str]) -> None:
    """Nothing to list is good news, and exit code 0; programs get an empty list."""
    done = run(filled, "gaps", "--end", day(filled, 1))

    assert done == run(filled, "gaps", "--end", f"{day(filled, 2)}T00:00:00Z")
    assert (0, "") == (done.code, done.err)
    assert done.out == "No gaps in any dataset: every due slot is there or explained.\n"
    assert run(filled, "gaps", "--end", day(filled, 1), "--format", "json").data == []


def test_nothing_collected_is_not_taken_for_complete(settings_environment: dict[str, str]) -> None:
    """A warehouse that expects nothing has no gaps, and says why that means nothing."""
    done = run(settings_environment, "gaps", "ohlc")

    assert (0, "") == (done.code, done.err)
    assert done.out.startswith("Nothing of ohlc has been collected yet")


@pytest.mark.parametrize(
    "arguments",
    [
        ("olhc",),
        ("--format", "csv", "olhc"),
        ("explian", "binance/BTC-USDT/1h"),
        ("ohlc", "explain"),
        ("--start", "tomorrow"),
        ("--start", "2026-01-02", "--end", "2026-01-01"),
        ("--format", "xml"),
    ],
)
def test_wrong_use_is_exit_code_2(
    arguments: tuple[str, ...], settings_environment: dict[str, str]
) -> None:
    """One sentence and no output."""
    done = run(settings_environment, "gaps", *arguments)

    assert (2, "", 1) == (done.code, done.out, len(done.err.splitlines()))


def test_what_was_asked_for_in_vain_says_how_it_stands(filled: dict[str, str], line: Line) -> None:
    """A hole that was asked for has its state, attempts and next attempt, and why it is still there."""
    warehouse, third = Warehouse(line.database, line.series), line.since + 2 * DAY
    now = third + DAY + MINUTE
    warehouse.ask_in_vain(hours(0, 4, third), now, SILENT)
    warehouse.ask_in_vain(hours(0, 4, third), now, SILENT)
    warehouse.ask_in_vain(hours(4, 24, third), now, REJECTED)
    end = ("--end", day(filled, 2))
    done, table = run(filled, "gaps", *end, "--format", "json"), run(filled, "gaps", *end)

    assert [
        ("stuck", 1, f"{now:%F}T00:03:00Z", "RequestRejected", "unknown symbol", 20),
        ("retrying", 2, f"{now:%F}T00:05:00Z", "TransientError", "no answer", 4),
        ("missing", 0, None, None, None, 24),
    ] == [tuple(gap[name] for name in (*TOLD, "slots")) for gap in done.data]
    assert [f"4 retrying 2 {now:%F} 00:05 no answer"] == [
        " ".join(words[6:]) for words in table.table if "retrying" in words
    ]


def test_list_is_what_plain_gaps_does(filled: dict[str, str]) -> None:
    """``gaps --end D`` and ``gaps ohlc`` are short for ``gaps list`` with the same words."""
    end = ("--end", day(filled, 2))

    assert run(filled, "gaps", *end) == run(filled, "gaps", "list", *end)
    assert run(filled, "gaps", "ohlc", *end) == run(filled, "gaps", "list", "ohlc", *end)


def test_help_shows_the_subcommands_and_what_plain_gaps_does(
    settings_environment: dict[str, str],
) -> None:
    """Who asks for help sees both, and the options of plain gaps one step further."""
    done = run(settings_environment, "gaps", "--help")

    assert [] == [
        name
        for name in ("list", "explained", "explain", "reopen")
        if f"\n  {name} " not in done.out
    ]
    assert "Plain 'gaps' is 'gaps list'" in done.out
    assert run(settings_environment, "gaps", "ohlc", "-h") == run(
        settings_environment, "gaps", "list", "--help"
    )
