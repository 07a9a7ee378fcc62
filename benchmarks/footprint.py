"""What a running house costs: CPU time and memory of all its processes over a while."""

import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from crypto_pipeline_tests.cli.running import House

NAMES = ("dagster-webserver", "dagster-daemon", "grpc", "postgres", "sandbox", "up")
"""The programs and commands that the processes are known by."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Percent of one core and megabytes: by kind of process, and all together."""

    processes: list[tuple[str, float, float, float]]

    @property
    def cpu(self) -> float:
        """Percent of one core, children that have ended included."""
        return sum(cpu for _, cpu, _, _ in self.processes)

    @property
    def pss(self) -> float:
        """Megabytes, memory that several processes share counted once."""
        return sum(pss for _, _, pss, _ in self.processes)

    @property
    def uss(self) -> float:
        """Megabytes that no other process shares."""
        return sum(uss for _, _, _, uss in self.processes)


def footprint(house: House, seconds: float) -> Footprint:
    """Watch the house for a while."""
    before = cpu_seconds(house)
    time.sleep(seconds)
    after = cpu_seconds(house)
    memory = megabytes(house)
    return Footprint(
        [
            (name, 100 * (after[name] - before[name]) / seconds, *memory[name])
            for name in sorted(after)
        ]
    )


def cpu_seconds(house: House) -> dict[str, float]:
    """CPU time by kind; a child that has ended is counted by the parent that waited for it."""
    spent: defaultdict[str, float] = defaultdict(float)
    for process in house.family():
        with suppress(psutil.NoSuchProcess):
            spent[kind(process)] += sum(process.cpu_times()[:4])
    return spent


def megabytes(house: House) -> dict[str, tuple[float, float]]:
    """PSS and USS by kind."""
    found: defaultdict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for process in house.family():
        with suppress(psutil.NoSuchProcess):
            memory, name = process.memory_full_info(), kind(process)
            pss, uss = found[name]
            found[name] = pss + memory.pss / 1e6, uss + memory.uss / 1e6
    return found


def kind(process: psutil.Process) -> str:
    """The part of the house that a process belongs to."""
    words = {Path(word).name for word in process.cmdline()}
    return next((name for name in NAMES if name in words), process.name())
