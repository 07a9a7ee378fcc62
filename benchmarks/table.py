"""How a benchmark shows its figures: a small table, and a line for each limit.

What was judged is remembered, so that a run of all benchmarks can end with one table.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Judged(NamedTuple):
    """A figure beside its limit."""

    what: str
    figure: str
    limit: str
    verdict: str


JUDGED: list[Judged] = []


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table with its columns in line; numbers stand to the right."""
    cells = [list(header), *([_told(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    print(f"\n{title}")
    for row in cells:
        first = row[0].ljust(widths[0])
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        print("  " + "  ".join([first, *rest]))


def judge(what: str, value: float, limit: float, unit: str) -> None:
    """Print whether a figure keeps its limit."""
    _judge(
        Judged(
            what,
            f"{_told(value)} {unit}",
            f"< {_told(limit)} {unit}",
            _verdict(is_kept=value < limit),
        )
    )


def judge_ratio(what: str, value: float, least: float) -> None:
    """Print whether a ratio is as great as it must be."""
    _judge(Judged(what, _told(value), f">= {_told(least)}", _verdict(is_kept=value >= least)))


def _judge(judged: Judged) -> None:
    JUDGED.append(judged)
    print(f"  {judged.what}: {judged.figure.strip()}, {judged.limit.strip()}: {judged.verdict}")


def _verdict(*, is_kept: bool) -> str:
    return "kept" if is_kept else "BROKEN"


def _told(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
