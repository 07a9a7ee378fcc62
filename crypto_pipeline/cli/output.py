"""How results are printed: tables for people, CSV and JSON for programs; nothing is rounded.

What long-running commands say while they run belongs in ``console``.
"""

import csv
import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import typer
from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table

LEAST_LAST = 24
"""Characters that the last column of a table has, even in a narrow terminal."""


class Format(StrEnum):
    """How a list of rows is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class TableOrJson(StrEnum):
    """How what is no plain list of rows is printed."""

    TABLE = "table"
    JSON = "json"


def text_of(value: object) -> str:
    """A value as text that reads back equal: exact decimals, ISO times in UTC with a Z."""
    match value:
        case None:
            text = ""
        case bool():
            text = str(value).lower()
        case datetime():
            text = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Decimal():
            text = format(value, "f")
        case list() | dict():
            text = _json(value)
        case _:
            text = str(value)
    return text


def minute_of(moment: datetime | None) -> str:
    """An instant as a person reads it, in UTC; a slot finer than a minute keeps its seconds."""
    if moment is None:
        return ""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def lag_of(lag: timedelta) -> str:
    """A span of time as a person says it: its two largest units."""
    seconds = int(lag.total_seconds())
    parts = (("d", seconds // 86400), ("h", seconds // 3600 % 24), ("m", seconds // 60 % 60))
    said = [f"{count} {unit}" for unit, count in (*parts, ("s", seconds % 60)) if count]
    return " ".join(said[:2]) or "0 s"


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A header and the rows as they come."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([text_of(value) for value in row] for row in rows)


def print_json(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A list with one object a row, written as they come."""
    opening = "["
    for row in rows:
        sys.stdout.write(f"{opening}\n  {_json(dict(zip(columns, row, strict=True)))}")
        opening = ","
    sys.stdout.write("[]\n" if opening == "[" else "\n]\n")


def print_object(value: Mapping[str, object]) -> None:
    """One JSON object, indented."""
    sys.stdout.write(json.dumps(value, default=text_of, ensure_ascii=False, indent=2) + "\n")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], right: Collection[str] = ()
) -> None:
    """A table in a terminal, aligned plain text elsewhere; ``right`` names the columns of numbers."""
    cells = [list(map(text_of, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    if not sys.stdout.isatty():
        _print_plainly([columns, *cells], widths, [column in right for column in columns])
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        justify: JustifyMethod = "right" if column in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column != columns[-1])
    for row in cells:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, emoji=False)
    # Only the last column may be broken into lines; what is wider still is the terminal's to wrap.
    needed = sum(widths[:-1]) + 2 * len(widths) + min(widths[-1], LEAST_LAST)
    console.width = max(console.width, needed)
    console.print(table)


def _print_plainly(
    lines: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[bool]
) -> None:
    """No cell is broken, for nobody can tell how wide the reader of a pipe is."""
    for line in lines:
        padded = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        )
        typer.echo("  ".join(padded).rstrip())


def _json(value: object) -> str:
    return json.dumps(value, default=text_of, ensure_ascii=False)
