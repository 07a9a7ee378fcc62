"""Runs ``crypto-pipeline`` as a process of its own, the way a person or a CI job does."""

import csv
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "crypto_pipeline")
HOURLY = {"CRYPTO_PIPELINE_OHLC__INTERVAL": "1h"}


@dataclass(frozen=True, slots=True)
class Finished:
    """What is left of a command: its exit code, and what it said where."""

    code: int
    out: str
    err: str

    @property
    def table(self) -> list[list[str]]:
        """The words of each line of its output."""
        return [line.split() for line in self.out.splitlines()]

    @property
    def rows(self) -> list[dict[str, str]]:
        """Its output read as CSV."""
        return list(csv.DictReader(StringIO(self.out)))

    @property
    def data(self) -> Any:
        """Its output read as JSON."""
        return json.loads(self.out)


def run(environment: Mapping[str, str], *arguments: str, typed: str = "") -> Finished:
    """Run a command to its end, ``typed`` on its standard input."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=dict(environment),
        cwd=directory(environment),
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def directory(environment: Mapping[str, str]) -> Path:
    """A directory without a settings file of its own."""
    return Path(environment["CRYPTO_PIPELINE_DATA_DIR"]).parent


def since(environment: Mapping[str, str]) -> datetime:
    """The first instant kept."""
    return datetime.fromisoformat(environment["CRYPTO_PIPELINE_SINCE"]).replace(tzinfo=UTC)


def day(environment: Mapping[str, str], number: int) -> str:
    """A day kept as people write it: 0 is the first."""
    return str((since(environment) + timedelta(days=number)).date())
