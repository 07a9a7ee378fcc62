"""The checks: questions to the ledger and the rows, answered with evidence.

Dagster and the command line ask the same ones; how an answer is shown is theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.audit import audit
from crypto_pipeline.warehouse.ledger import DayCoverage, by_day

SHOWN = 8
"""Examples that a verdict names, at most."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's answer; ``is_error`` tells a failure from a warning."""

    check: str
    passed: bool
    summary: str
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    is_error: bool = True


def complete(days: Sequence[DayCoverage]) -> Verdict:
    """Whether every slot that the calendar expects of these days is there or explained."""
    short = [day for day in days if day.missing]
    expected, missing = sum(day.expected for day in days), sum(day.missing for day in days)
    examples = [f"{day.series} {day.day}: {day.missing}" for day in short]
    return Verdict(
        "complete",
        passed=not short,
        summary=f"{expected - missing:,} of {expected:,} slots are there or explained"
        + (f"; missing in {_shown(examples, ', ')}" if examples else ""),
        facts={"expected": expected, "missing": missing, "incomplete_series_days": len(short)},
    )


def completeness_by_day(days: Sequence[DayCoverage]) -> dict[date, Verdict]:
    """The ``complete`` verdict of each day that the ledger knows, oldest first."""
    return {day: complete(rows) for day, rows in sorted(by_day(days).items())}


def no_unexplained_gaps(line: Line, dataset: Dataset, due_at: datetime) -> Verdict:
    """Whether anything at all is missing; only holes that no provider can fill are an error."""
    totals, stuck = line.ledger.totals(dataset, due_at), line.ledger.stuck(dataset)
    slots_stuck = sum(one.slots for one in stuck)
    summary = "nothing is missing"
    if totals.slots:
        summary = f"{totals.slots:,} slots are missing on {totals.days:,} series-days"
        summary += f"; {totals.slots_tried:,} were asked for in vain" if totals.slots_tried else ""
    if stuck:
        examples = [f"{one.series} {one.slots:,} ({one.reason})" for one in stuck]
        summary += f"; {slots_stuck:,} are stuck: {_shown(examples, '; ')}"
    return Verdict(
        "no_unexplained_gaps",
        passed=not totals.slots and not stuck,
        summary=summary,
        facts={
            "missing_slots": totals.slots,
            "missing_series_days": totals.days,
            "asked_in_vain": totals.slots_tried,
            "stuck_slots": slots_stuck,
        },
        is_error=bool(stuck),
    )


def rows_are_valid(line: Line, dataset: Dataset, window: Window) -> Verdict:
    """Whether every row of the window keeps the dataset's promises."""
    broken = line.ledger.broken_promises(dataset, window, SHOWN)
    examples = [f"{name} {at:%Y-%m-%dT%H:%M:%SZ}: {why}" for name, at, why in broken]
    more = " (and perhaps more)" if len(broken) == SHOWN else ""
    return Verdict(
        "rows_are_valid",
        passed=not broken,
        summary="every row keeps its promises" if not broken else "; ".join(examples) + more,
        facts={"broken_rows_shown": len(broken)},
    )


def fresh(line: Line, dataset: Dataset, now: datetime, late_after: timedelta) -> Verdict:
    """Whether the newest due slot of every series came in time."""
    late: list[str] = []
    lags: list[float] = []
    for one in line.ledger.newest(dataset, now):
        if one.newest is None:
            late.append(f"{one.series} has no row")
            continue
        lag = max(one.newest_due - one.newest, timedelta())
        lags.append(lag.total_seconds())
        if lag > late_after:
            late.append(f"{one.series} is {lag} behind")
    return Verdict(
        "fresh",
        passed=not late,
        summary=_shown(late, "; ") or "the newest due slot of every series is there",
        facts={"late_series": len(late), "largest_lag_seconds": max(lags, default=0.0)},
    )


def ledger_matches_rows(line: Line, dataset: Dataset, window: Window) -> Verdict:
    """Whether the ledger says what the rows say; where it did not, it does afterwards."""
    found = audit(line.database, dataset, window, repair=True)
    wrong, of_days = found.differences, f"{found.days:,} series-days"
    summary = f"rows and ledger agree on {of_days}"
    if wrong:
        summary = f"the ledger was wrong on {len(wrong):,} of {of_days}, and was repaired: "
        summary += _shown([str(one) for one in wrong], "; ")
    return Verdict(
        "ledger_matches_rows",
        passed=not wrong,
        summary=summary,
        facts={
            "series_days": found.days,
            "series_days_repaired": len(wrong),
            "slots_only_in_rows": sum(one.slots_only_in_rows for one in wrong),
            "slots_only_in_ledger": sum(one.slots_only_in_ledger for one in wrong),
        },
    )


def _shown(examples: Sequence[str], separator: str) -> str:
    """The first few, and how many more there are."""
    more = len(examples) - SHOWN
    return separator.join(examples[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")
