"""The checks: questions to the ledger and the rows, answered with evidence.

Dagster and the command line ask the same ones; how an answer is shown is theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.agreement import Judgement, Told, judged
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import FIVE_MINUTES, MARKET_PRICES, Dataset
from crypto_pipeline.market.holes import Attempt, Vain
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.agreement import Doubt, compared, quarantine
from crypto_pipeline.warehouse.audit import audit
from crypto_pipeline.warehouse.holes import account
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


def sources_agree(
    line: Line, window: Window, now: datetime, *, sets_aside: bool, run_id: str | None = None
) -> Verdict:
    """Whether each price of the window lies near what venues' own candles say of its time.

    Where it can be told who is wrong, he is named; where not, all are. It is never more than a
    warning: nothing is to be done at once. With ``sets_aside`` a wrong price of a source that is not
    the most trusted one is quarantined: served no more, and asked for again. What a candle or the
    most trusted source says is what it said, and is kept. A source that repeats itself is judged
    again in the run that stores it, and is asked ever more rarely.
    """
    found = compared(line.database, window)
    doubts = [(one, judgement) for one in found.doubts if (judgement := judged(one.prices)).far]
    wrong = {
        one: f"quarantined: {_told(one, judgement)}"
        for one, judgement in doubts
        if one.kept in judgement.outliers and one.kept.trust > 0
    }
    gone = quarantine(line.database, wrong, run_id) if sets_aside else {}
    _note(line, gone, wrong, now)
    examples = [
        _told(one, judgement) + (" (quarantined)" if one in gone else "")
        for one, judgement in doubts
    ]
    summary = f"{found.slots - len(doubts):,} of {found.slots:,} prices agree with candles"
    summary = summary if found.slots else "there are no candles to compare a price with"
    return Verdict(
        "sources_agree",
        passed=not doubts,
        summary=summary + (f"; {_shown(examples, '; ')}" if examples else ""),
        facts={"compared": found.slots, "in_doubt": len(doubts), "quarantined": len(gone)},
        is_error=False,
    )


def _told(doubt: Doubt, judgement: Judgement) -> str:
    """Who is wrong by how much against whom; or who says what where nobody can tell."""
    place = f"{doubt.asset} {doubt.slot:%Y-%m-%dT%H:%MZ}"
    if not judgement.is_settled:
        return f"{place}: {', '.join(map(_says, doubt.prices))}, and nobody can say who is wrong"
    wrong = [f"{_says(one)} ({judgement.deviation(one):.1%} off)" for one in judgement.outliers]
    others = [one.source for one in doubt.prices if one not in judgement.outliers]
    reference = f"{judgement.reference.normalize():f} by {', '.join(others)}"
    return f"{place}: {', '.join(wrong)}, against {reference}"


def _says(one: Told) -> str:
    return f"{one.source} says {one.price:f}"


def _note(
    line: Line, gone: Mapping[Doubt, int], reasons: Mapping[Doubt, str], now: datetime
) -> None:
    """A quarantined slot was asked for in vain, as often as it was quarantined: it waits its turn."""
    attempts: dict[str, list[Attempt]] = {}
    for one, times in gone.items():
        slot = Runs((Window(one.slot, one.slot + FIVE_MINUTES.step),))
        attempt = Attempt(slot, Vain("Outlier", reasons[one]))
        attempts.setdefault(one.asset, []).extend([attempt] * times)
    account(line.database, MARKET_PRICES, attempts, now)


def _shown(examples: Sequence[str], separator: str) -> str:
    """The first few, and how many more there are."""
    more = len(examples) - SHOWN
    return separator.join(examples[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")
