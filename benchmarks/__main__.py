"""Runs every benchmark, one after the other, and writes what was judged: ``make bench``.

``python -m benchmarks writer size`` runs some of them. What breaks does not stop the others.
"""

import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

from benchmarks.table import JUDGED, show

ALL = (
    "writer",
    "archive_cold_start",
    "rest_backfill",
    "size",
    "sql",
    "ledger",
    "collecting",
    "dagster_scale",
    "tick",
    "marts",
)
RESULTS = Path("bench.md")


def main(names: list[str]) -> int:
    """Run some; 1 when any of them could not be run to its end."""
    sys.argv = sys.argv[:1]
    rows: list[tuple[str, ...]] = []
    broken = 0
    for name in names:
        JUDGED.clear()
        began = time.perf_counter()
        try:
            import_module(f"benchmarks.{name}").main()
        except Exception:  # noqa: BLE001 - told, and the others are run
            traceback.print_exc()
            broken += 1
            rows.append((name, "did not end", "", "", ""))
        print(f"  {name} took {time.perf_counter() - began:.0f} s", flush=True)
        rows += [(name, *judged) for judged in JUDGED]
    header = ("benchmark", "what", "figure", "limit", "verdict")
    show("all", header, rows)
    lines = [header, tuple("---" for _ in header), *rows]
    RESULTS.write_text("".join(f"| {' | '.join(line)} |\n" for line in lines), encoding="utf-8")
    print(f"\nwritten to {RESULTS}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(ALL)))
