"""``crypto-pipeline gaps list`` and ``explained``: the holes and the explanations, to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from datetime import UTC, datetime
from typing import Annotated

import typer

from crypto_pipeline.bootstrap import open_database
from crypto_pipeline.cli.arguments import End, Start, dataset_named, window_between
from crypto_pipeline.cli.output import Format, minute_of, print_csv, print_json, print_table
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.settings import load_settings
from crypto_pipeline.warehouse import gaps as warehouse
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.gaps import Explanation, Gap
from crypto_pipeline.warehouse.revisions import require_migrated

SHOWN = 50
NUMBERS = {"slots", "attempts"}
Name = Annotated[str | None, typer.Argument(help="Only this one.")]
HowToPrint = Annotated[Format, typer.Option("--format", help="How to print them.")]


def list_gaps(
    dataset: Name = None, start: Start = None, end: End = None, format_: HowToPrint = Format.TABLE
) -> None:
    """List every hole, newest first.

    A hole is a run of due slots that are neither there nor explained: missing until somebody asks for
    it, then retrying, and stuck after an hour in vain or when the request itself is rejected.
    """
    wanted, window, database = _asked(dataset, start, end)
    found = warehouse.gaps(database, window, wanted)
    if format_ is not Format.TABLE:
        _print_all(Gap, found, format_)
    elif not found:
        typer.echo(_why_none("gaps", "explained", wanted, database))
    else:
        columns = ["dataset", "series", "start (UTC)", "end (UTC)", "slots"]
        columns += ["state", "attempts", "next attempt (UTC)", "why"]
        print_table(columns, map(_gap_row, found[:SHOWN]), right=NUMBERS)
        _print_totals("gap", "missing", found)


def explained(
    dataset: Name = None, start: Start = None, end: End = None, format_: HowToPrint = Format.TABLE
) -> None:
    """List the slots that never were, and how that is known.

    They count as complete, and are asked for again now and then: what comes after all is stored.
    """
    wanted, window, database = _asked(dataset, start, end)
    found = warehouse.explanations(database, window, wanted)
    if format_ is not Format.TABLE:
        _print_all(Explanation, found, format_)
    elif not found:
        typer.echo(_why_none("explanations", "missing", wanted, database))
    else:
        columns = ["series", "from (UTC)", "to (UTC)", "slots", "reason"]
        columns += ["next recheck (UTC)", "note", "evidence"]
        print_table(columns, map(_explanation_row, found[:SHOWN]), right=NUMBERS)
        _print_totals("explanation", "explained", found)


def count(number: int, noun: str) -> str:
    """A number of things as people say it."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def evidence_of(one: Explanation) -> str:
    """How an explanation is known, in words."""
    seen_on = f"{one.last_seen_at:%Y-%m-%d}" if one.last_seen_at else "unknown"
    match one.evidence:
        case {"provider": source, "row_before": before, "row_after": after}:
            rows = f"rows at {_minute(before)} and {_minute(after)} and none between"
            return f"{source}: {rows}; seen {count(one.confirmations, 'time')}, last {seen_on}"
        case {"provider": source, "documented_in": page}:
            return f"{source}: keeps no history this old, says {page}"
        case {"told_by": somebody}:
            return f"told by {somebody}, {seen_on}"
        case {"first_candle": first}:
            return f"the venue's first candle is {_minute(first)}; read {seen_on}"
        case {"last_candle_ended": last}:
            return f"the venue's last candle ended {_minute(last)}; read {seen_on}"
        case evidence:
            return _listed(evidence or {})


def _asked(
    dataset: str | None, start: str | None, end: str | None
) -> tuple[Dataset | None, Window, Database]:
    wanted = dataset_named(dataset) if dataset else None
    window = window_between(start, end, Window(EPOCH, datetime.now(UTC) + DAY))
    return wanted, window, require_migrated(open_database(load_settings()))


def _print_all(kind: type, found: Sequence[Gap | Explanation], format_: Format) -> None:
    print_rows = print_csv if format_ is Format.CSV else print_json
    print_rows([field.name for field in fields(kind)], map(astuple, found))


def _gap_row(gap: Gap) -> list[object]:
    times = minute_of(gap.gap_start), minute_of(gap.gap_end)
    told = gap.state, f"{gap.attempts:,}", minute_of(gap.next_attempt_at)
    why = gap.reason or "not asked for yet"
    return [gap.dataset, gap.series, *times, f"{gap.slots:,}", *told, why]


def _explanation_row(one: Explanation) -> list[object]:
    times = minute_of(one.explained_from), minute_of(one.explained_to)
    told = one.reason, minute_of(one.recheck_at), one.note
    return [one.series, *times, f"{one.slots:,}", *told, evidence_of(one)]


def _print_totals(noun: str, state: str, found: Sequence[Gap | Explanation]) -> None:
    if len(found) > SHOWN:
        typer.echo(f"and {len(found) - SHOWN:,} more (--format csv or json lists all)")
    slots = count(sum(one.slots for one in found), "slot")
    series = len({(one.dataset, one.series) for one in found})
    typer.echo(f"\n{count(len(found), noun)}: {slots} {state} in {series} series")


def _why_none(what: str, otherwise: str, dataset: Dataset | None, database: Database) -> str:
    name = dataset.name if dataset else "any dataset"
    if warehouse.expects_anything(database, dataset):
        return f"No {what} in {name}: every due slot is there or {otherwise}."
    return (
        f"Nothing of {name} has been collected yet, so nothing is expected of it: "
        "run 'crypto-pipeline up' or 'crypto-pipeline backfill'."
    )


def _minute(moment: str) -> str:
    return minute_of(datetime.fromisoformat(moment))


def _listed(evidence: Mapping[str, str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in evidence.items())
