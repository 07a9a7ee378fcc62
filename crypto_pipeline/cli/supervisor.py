"""Starts the long-lived processes, watches them, starts again what died, and stops them all.

What the processes are is said elsewhere.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import psutil

from crypto_pipeline.errors import UnreachableError

LARGEST_LOG = 10_000_000
LONGEST_PAUSE = 60.0
STEADY_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass(slots=True)
class Child:
    """One process that is to run for as long as the supervisor does."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    failures: int = 0

    def start(self) -> None:
        """Start it in a session of its own, so that a Ctrl-C reaches the supervisor alone."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    @property
    def has_ended(self) -> bool:
        """Whether it was started and runs no more."""
        return self.process is not None and self.process.poll() is not None

    @property
    def pause(self) -> float:
        """Seconds to wait before it is started again: longer each time it dies young."""
        return float(min(LONGEST_PAUSE, 2.0**self.failures - 1))

    def last_words(self) -> str:
        """The last line of its log that says something."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-50:]
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


@dataclass(slots=True)
class Supervisor:
    """The processes of one data directory; ``register`` is where their ids are kept for the next start."""

    register: Path
    children: list[Child] = field(default_factory=list)

    def start(self, child: Child) -> None:
        """Start a child and look after it from now on."""
        child.start()
        self.children.append(child)
        self._remember()

    def revive(self) -> list[Child]:
        """Start again what died, after a pause that grows; the ones that were started."""
        revived = []
        for child in self.children:
            if not child.has_ended:
                continue
            age = time.monotonic() - child.started_at
            if age > STEADY_SECONDS:
                child.failures = 0
            if age >= child.pause:
                child.failures += 1
                child.start()
                revived.append(child)
        if revived:
            self._remember()
        return revived

    def stop(self) -> None:
        """End every child and all that it started, last first; insists after a while."""
        for child in reversed(self.children):
            if child.process is not None:
                end_tree(child.process.pid)
                child.process.wait()
        self.children.clear()
        self.register.unlink(missing_ok=True)

    def _remember(self) -> None:
        found = []
        for child in self.children:
            if child.process is not None:
                with suppress(psutil.Error):
                    process = psutil.Process(child.process.pid)
                    found.append({"pid": process.pid, "created": process.create_time()})
        self.register.write_text(json.dumps(found), encoding="utf-8")

    def end_leftovers(self) -> int:
        """End what a supervisor that was killed left running; the number of processes found."""
        if not self.register.exists():
            return 0
        ended = 0
        for entry in json.loads(self.register.read_text(encoding="utf-8") or "[]"):
            with suppress(psutil.Error):
                # A process id may belong to somebody else by now; its birth tells.
                if abs(psutil.Process(entry["pid"]).create_time() - entry["created"]) < 1:
                    end_tree(entry["pid"])
                    ended += 1
        self.register.unlink(missing_ok=True)
        return ended


def end_tree(pid: int) -> None:
    """End a process and all its descendants: asked first, made after a while."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=STOP_SECONDS)


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold the directory for this process; an UnreachableError says who holds it already."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("a+", encoding="utf-8")
    except OSError as error:
        msg = f"data_dir = {lock.parent} cannot be written to ({error.strerror}): set another"
        raise UnreachableError(msg) from None
    with file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except OSError:
            file.seek(0)
            msg = f"it already runs here (process {file.read().strip()}): stop that one first"
            raise UnreachableError(msg) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class Stopped(Exception):
    """Somebody asked us to stop."""


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into Stopped, even where a shell had them ignored."""

    def stop(*_: object) -> None:
        raise Stopped

    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {one: signal.signal(one, stop) for one in watched}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
