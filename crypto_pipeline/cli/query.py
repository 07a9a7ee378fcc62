"""``crypto-pipeline query``: a person's own SQL over schema ``market``, read-only."""

import sys
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.cli.output import Format, print_csv, print_json, print_table
from crypto_pipeline.errors import UsageError
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse.query import Answer, answered
from crypto_pipeline.warehouse.revisions import require_migrated

SHOWN = 1_000
STDIN = "-"
A_DAY = 86_400


def query(
    sql: Annotated[
        str, typer.Argument(metavar="[SQL]", help="'-' or none: standard input.")
    ] = STDIN,
    format_: Annotated[
        Format, typer.Option("--format", help="How to print the rows.")
    ] = Format.TABLE,
    timeout: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, max=A_DAY, help="Give up after so long.")
    ] = 60,
) -> None:
    """Run one SQL statement that only reads.

    The views of schema 'market' need no prefix.
    """
    statement = sys.stdin.read() if sql == STDIN else sql
    if not statement.strip():
        msg = "there is no SQL: give it as an argument or on standard input"
        raise UsageError(msg)
    database = require_migrated(open_database(load_settings()))
    with answered(database, statement, timeout) as answer:
        _print(answer, format_)


def _print(answer: Answer, chosen: Format) -> None:
    if chosen is Format.CSV:
        print_csv(answer.columns, answer.rows)
    elif chosen is Format.JSON:
        _require_unique(answer.columns)
        print_json(answer.columns, answer.rows)
    else:
        print_table(answer.columns, islice(answer.rows, SHOWN), answer.numbers)
        if next(iter(answer.rows), None) is not None:
            more = f"only the first {SHOWN:,} rows are shown: --format csv or json prints all"
            typer.echo(more, err=True)


def _require_unique(columns: Sequence[str]) -> None:
    name, count = Counter(columns).most_common(1)[0]
    if count > 1:
        msg = f"{count} columns are called {name!r}, and a JSON object has room for one: name them with AS"
        raise UsageError(msg)
