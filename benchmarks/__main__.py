"""Runs every benchmark, one after the other: ``python -m benchmarks``."""

from benchmarks import collecting, rest_backfill, tick

if __name__ == "__main__":
    for benchmark in (rest_backfill, tick, collecting):
        benchmark.main()
