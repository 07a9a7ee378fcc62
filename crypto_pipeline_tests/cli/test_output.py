"""Printing: nothing is rounded, nothing is cut, and a pipe gets plain text."""

import csv
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto_pipeline.cli.output import (
    lag_of,
    minute_of,
    print_csv,
    print_json,
    print_table,
    text_of,
)

CELLS = st.lists(
    st.tuples(
        st.decimals(allow_nan=False, allow_infinity=False, places=8),
        st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    ),
    max_size=5,
)
quietly = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (Decimal("0E-8"), "0.00000000"),
        (Decimal("1E+3"), "1000"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00Z"),
        (
            datetime(2026, 1, 31, 12, 0, 0, 5, timezone(timedelta(hours=2))),
            "2026-01-31T10:00:00.000005Z",
        ),
        ([1, Decimal("1.10")], '[1, "1.10"]'),
        ("as it is", "as it is"),
    ],
)
def test_values_are_printed_exactly(value: object, text: str) -> None:
    """Decimals keep their zeros and have no exponent; times are ISO in UTC."""
    assert text == text_of(value)


@quietly
@given(CELLS)
def test_csv_reads_back_equal(
    capsys: pytest.CaptureFixture[str], cells: list[tuple[Decimal, str]]
) -> None:
    """Whatever is in a cell, a CSV reader gets just that."""
    print_csv(["number", "text"], cells)
    header, *rows = csv.reader(StringIO(capsys.readouterr().out, newline=""))

    assert ["number", "text"] == header
    assert cells == [(Decimal(number), text) for number, text in rows]


@quietly
@given(CELLS)
def test_json_reads_back_equal(
    capsys: pytest.CaptureFixture[str], cells: list[tuple[Decimal, str]]
) -> None:
    """A list with one object a row, also when there are no rows; decimals are strings."""
    print_json(["number", "text"], cells)
    rows = json.loads(capsys.readouterr().out)

    assert [{"number": text_of(number), "text": text} for number, text in cells] == rows


def test_table_in_a_pipe_is_aligned_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    """No frame, no colour, no cell broken, nothing behind the last word of a line."""
    long = "x" * 300
    print_table(["name", "count"], [["[bold]a", "1,000"], [long, "5"]], right={"count"})

    assert capsys.readouterr().out.splitlines() == [
        f"{'name':300}  count",
        f"{'[bold]a':300}  1,000",
        f"{long}      5",
    ]


def test_table_without_rows_is_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty answer still tells its columns."""
    print_table(["a", "b"], [])

    assert capsys.readouterr().out == "a  b\n"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (61, "1 m 1 s"), (3600, "1 h"), (90_061, "1 d 1 h")],
)
def test_lag_is_said_in_its_two_largest_units(seconds: int, said: str) -> None:
    """How far behind something is, as a person would say it."""
    assert said == lag_of(timedelta(seconds=seconds))


def test_minutes_keep_seconds_only_where_there_are_some() -> None:
    """Slots of a minute read shortly, slots of a second exactly, and none is none."""
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)

    assert minute_of(noon) == "2026-01-31 12:00"
    assert minute_of(noon + timedelta(seconds=7)) == "2026-01-31 12:00:07"
    assert minute_of(None) == ""
