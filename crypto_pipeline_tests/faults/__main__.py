"""Plays thousands of schedules: ``python -m crypto_pipeline_tests.faults --seeds 2000``."""

import argparse
import os
import sys
import time

from crypto_pipeline_tests.faults.report import report
from crypto_pipeline_tests.faults.workers import played


def say(text: str) -> None:
    """To the terminal, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Play them, say how far it has come, and end with the table; 1 when a seed failed."""
    parser = argparse.ArgumentParser("python -m crypto_pipeline_tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many (2000)")
    parser.add_argument("--first", type=int, default=0, help="the first one (0)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="one a core")
    asked = parser.parse_args()
    began, outcomes = time.monotonic(), []
    for outcome in played(range(asked.first, asked.first + asked.seeds), asked.workers):
        outcomes.append(outcome)
        if outcome.problems:
            say(f"\n{outcome}\n")
        if len(outcomes) % 50 == 0 or len(outcomes) == asked.seeds:
            say(f"{len(outcomes)} of {asked.seeds} schedules, {time.monotonic() - began:.0f} s")
    say(report(outcomes, time.monotonic() - began))
    return 1 if any(outcome.problems for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
