"""Starts ``crypto-pipeline up --sandbox`` as a person would, and looks at it from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg

from crypto_pipeline.cli.supervisor import end_tree
from crypto_pipeline.warehouse.server import EmbeddedServer

REPOSITORY = Path(__file__).parents[2]


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses right now."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def wait_for(is_so: Callable[[], bool], seconds: float, what: str, pause: float = 0.5) -> float:
    """Seconds until something is so; an AssertionError says what was waited for in vain."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"waited {seconds} s in vain: {what}"
        time.sleep(pause)
    return time.monotonic() - began


@dataclass(slots=True)
class House:
    """One ``up`` in a directory of its own, with every port and the cadence set by the environment."""

    directory: Path
    since: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=1))
    process: "subprocess.Popen[str] | None" = None
    web_port: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Choose the ports once, so that a second start finds what the first one left."""
        self.web_port, sandbox, postgres = free_ports(3)
        prefix = "CRYPTO_PIPELINE_"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(prefix)},
            f"{prefix}WEBSERVER__PORT": str(self.web_port),
            f"{prefix}SANDBOX__PORT": str(sandbox),
            f"{prefix}POSTGRES__PORT": str(postgres),
            f"{prefix}SINCE": str(self.since.date()),
            f"{prefix}OHLC__INSTRUMENTS": "BTC-USDT,ETH-USDT",
            f"{prefix}SCHEDULES__FAST": "* * * * *",
            f"{prefix}REPAIR__EVERY_SECONDS": "5",
            f"{prefix}REPAIR__LATE_AFTER_SECONDS": "90",
            "PYTHONPATH": str(REPOSITORY),
        }

    @property
    def data_dir(self) -> Path:
        """Where a sandboxed start keeps its data."""
        return self.directory / ".crypto_pipeline" / "sandbox"

    @property
    def page(self) -> str:
        """The address of the Dagster page."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def output(self) -> str:
        """All that the last start has said so far."""
        return (self.directory / "output.txt").read_text(encoding="utf-8")

    def start(self) -> float:
        """Start it; the seconds until it names its page."""
        with (self.directory / "output.txt").open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "crypto_pipeline", "up", "--sandbox"],
                cwd=self.directory,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        return wait_for(self.is_up, 90, "the page")

    def refusal(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """What a start says that is to fail at once."""
        return subprocess.run(
            [sys.executable, "-m", "crypto_pipeline", "up", *options],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def is_up(self) -> bool:
        """Whether it has named its page; it must still run."""
        assert self.process is not None
        assert self.process.poll() is None, self.output
        return "Dagster page:" in self.output

    def family(self) -> list[psutil.Process]:
        """Every process that belongs to it: its own, and the database's."""
        assert self.process is not None
        roots = [self.process.pid]
        pid_file = self.data_dir / "postgres" / "postmaster.pid"
        if pid_file.exists():
            roots.append(int(pid_file.read_text(encoding="utf-8").split()[0]))
        found: list[psutil.Process] = []
        for pid in roots:
            if psutil.pid_exists(pid):
                process = psutil.Process(pid)
                found += [process, *process.children(recursive=True)]
        return found

    def child(self, word: str) -> psutil.Process:
        """Its process whose command holds a word."""
        return next(one for one in self.family() if any(word in part for part in one.cmdline()))

    def kill_everything(self) -> None:
        """What a power cut does, as far as processes can tell."""
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert self.process is not None
        self.process.wait(10)

    def stop(self) -> int:
        """What Ctrl-C does; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """Ask its database."""
        url = EmbeddedServer(self.data_dir, 0).url()
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def successes(self, tag: str) -> int:
        """Successful runs that carry a tag of this name."""
        rows = self.query("select run_body from dagster.runs where status = 'SUCCESS'")
        return sum(tag in json.loads(str(body))["tags"] for (body,) in rows)


@contextmanager
def house(directory: Path) -> Iterator[House]:
    """A house that is not started yet; whatever is left of it is ended at the end."""
    one = House(directory)
    try:
        yield one
    finally:
        if one.process is not None:
            for process in one.family():
                end_tree(process.pid)
            for process in psutil.process_iter(["cmdline"]):
                if any(str(directory) in part for part in process.info["cmdline"] or []):
                    end_tree(process.pid)
            one.process.wait(10)


def told(pattern: str, text: str) -> bool:
    """Whether a line of the text matches."""
    return re.search(pattern, text) is not None
