"""How a benchmark shows its figures: a small table, and a line for each limit."""

from collections.abc import Sequence


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
    verdict = "kept" if value < limit else "BROKEN"
    print(f"  {what}: {_told(value)} {unit}, limit {_told(limit)} {unit}: {verdict}")


def _told(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
