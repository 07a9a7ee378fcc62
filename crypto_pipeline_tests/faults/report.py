"""What came of many schedules, as a table by kind of fault."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median

from crypto_pipeline_tests.faults.matrix import Outcome
from crypto_pipeline_tests.faults.schedule import KINDS

HEAD = ("fault", "schedules", "times", "ticks to heal", "most", "longest", "requests")
FORM = "{:<16}{:>10}{:>8}{:>15}{:>6}{:>12}{:>10}"


def report(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The table, and the seeds that failed; ticks and requests are medians of the schedules struck."""
    failed = sorted(outcome.seed for outcome in outcomes if outcome.problems)
    blows = sum(outcome.struck.total() for outcome in outcomes)
    lines = [
        "",
        FORM.format(*HEAD),
        *_lines(outcomes),
        "",
        f"{len(outcomes)} schedules with {blows:,} faults in {seconds:.0f} s: {len(failed)} failed",
    ]
    if failed:
        lines.append("play one again with --seeds 1 --first SEED: " + ", ".join(map(str, failed)))
    return "\n".join(lines)


def _lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for kind in (*KINDS, "(none struck)"):
        those = [one for one in outcomes if (one.struck[kind] if kind in KINDS else not one.struck)]
        if those:
            yield FORM.format(
                kind,
                len(those),
                sum(one.struck[kind] for one in those),
                f"{median(one.ticks for one in those):g}",
                max(one.ticks for one in those),
                _days(max(one.healed_after for one in those)),
                f"{median(one.requests for one in those):g}",
            )


def _days(span: timedelta) -> str:
    return (
        f"{span / timedelta(days=1):.1f} days"
        if span >= timedelta(days=1)
        else str(span).split(".")[0]
    )
