"""A PostgreSQL cluster on disk: its creation, its password, and the processes that live on it.

Starting a server and talking to it belongs in ``server``. A cluster is known by its directory's
inode, which survives a move and differs in a copy: in ``cluster_name``, hence in every process
title, and by a lock that all its processes inherit, so the kernel tells whether one still lives.
"""

import os
import re
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import psutil

from crypto_pipeline.errors import DatabaseUnreachable
from crypto_pipeline.warehouse.server_binaries import MAJOR, ServerUser, program

ROLE = "crypto_pipeline"

# Written into postgresql.conf on creation; `alter system` overrides them. No statement is logged.
SETTINGS = {
    "autovacuum": "on",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_min_messages": "warning",
    "log_timezone": "UTC",
    "max_connections": "60",
    "max_locks_per_transaction": "256",
    "max_wal_size": "2GB",
    # The password is 256 random bits: slow hashing would only slow each new connection.
    "random_page_cost": "1.1",  # data directories of today are solid-state disks
    "scram_iterations": "1",
    "shared_buffers": "128MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "work_mem": "32MB",  # a year of minutes is sorted in memory; few queries run side by side
}

# Signals, and the seconds each may take: a fast shutdown, one that needs recovery, the end.
KILL = (signal.SIGKILL, 3.0)
STOP = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), KILL, KILL)
# Backends leave by themselves when their postmaster is gone, but finish their statement first.
END_ORPHANS = ((0, 1.0), (signal.SIGQUIT, 5.0), KILL)
PAUSE_SECONDS = 0.02

# Why a program ended; clients turned away meanwhile are not the cause.
COMPLAINT = re.compile(r"(?:FATAL|PANIC|ERROR|error): +(?!the database system is)(.+)")

# No process has it, so PostgreSQL takes a postmaster.pid that names it for stale.
NO_PID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Cluster:
    """The directory PostgreSQL owns, with its password beside it."""

    directory: Path

    @property
    def password_file(self) -> Path:
        """Where the superuser's password is kept."""
        return self.directory.parent / "postgres_password"

    def password(self) -> str:
        """The superuser's password."""
        try:
            return self.password_file.read_text().strip()
        except FileNotFoundError:
            msg = f"{self.password_file} is gone, and nobody can connect without it"
            raise DatabaseUnreachable(msg) from None

    def is_initialised(self) -> bool:
        """Whether a cluster of our major version is there; anything else there is refused."""
        try:
            major = (self.directory / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            if self.directory.exists() and any(self.directory.iterdir()):
                msg = f"{self.directory} holds files but no database: move them away"
                raise DatabaseUnreachable(msg) from None
            return False
        if major != MAJOR:
            msg = (
                f"{self.directory} was made by PostgreSQL {major}, but this is {MAJOR}: "
                "move it away, or dump and reload it"
            )
            raise DatabaseUnreachable(msg)
        return True

    def initialise(self, user: ServerUser, turn: int) -> None:
        """Create it beside its place and move it there whole: nothing is ever half done.

        ``turn`` is a lock for initdb to inherit: the next attempt waits until this one's is dead.
        """
        parent = self.directory.parent
        for abandoned in parent.glob("postgres.new-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=parent))
        user.own(new)
        self._write_password(user)
        done = user.run(self._initdb(new), keep=(turn,))
        if done.returncode != 0:
            shutil.rmtree(new, ignore_errors=True)
            raise DatabaseUnreachable(complaint(done.stdout, parent))
        new.rename(self.directory)

    def _initdb(self, directory: Path) -> list[str]:
        """The command that fills a new directory."""
        return [
            str(program("initdb")),
            f"--pgdata={directory}",
            f"--username={ROLE}",
            f"--pwfile={self.password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            *(f"--set={name}={value}" for name, value in SETTINGS.items()),
        ]

    def _write_password(self, user: ServerUser) -> None:
        """A fresh password, readable by its owner alone, complete or absent."""
        new = self.password_file.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(secrets.token_urlsafe(32))
        user.own(new)
        new.replace(self.password_file)

    def claim(self, user: ServerUser) -> None:
        """Give it the owner and mode PostgreSQL insists on; a restored backup may lack them."""
        if os.geteuid() == self.directory.stat().st_uid == 0:
            for path in (self.password_file, self.directory, *self.directory.rglob("*")):
                user.own(path)
        if self.directory.stat().st_mode & 0o077:
            self.directory.chmod(0o700)

    def tag(self) -> str:
        """The name in the titles of its processes, and of no other cluster's."""
        place = self.directory.stat()
        return f"crypto_pipeline_{place.st_dev:x}_{place.st_ino:x}"

    @contextmanager
    def locked(self) -> Iterator[int | None]:
        """The lock its processes inherit from us, or None while one of them lives."""
        # Closed, never unlocked: unlocking would take it away from the heirs as well.
        handle = os.open(self.directory, os.O_RDONLY)
        try:
            yield handle if _took_lock(handle) else None
        finally:
            os.close(handle)

    def is_alive(self) -> bool:
        """Whether any process of it lives, be it in another container; zombies do not count."""
        with self.locked() as lock:
            return lock is None

    def processes(self) -> Iterator[tuple[int, bool]]:
        """Each of its processes that we can see, and whether it is the postmaster."""
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or [""]
            title = " ".join(words)
            is_child = title.startswith("postgres: ")
            is_postgres = is_child or Path(words[0]).name == "postgres"
            if is_postgres and re.search(rf"\b{self.tag()}\b", title):
                yield process.pid, not is_child

    def end(self, steps: Sequence[tuple[int, float]]) -> None:
        """Signal ever more harshly until no process of it lives."""
        for number, patience in steps:
            is_heard = self._signal(number)
            deadline = time.monotonic() + (patience if is_heard else 1.0)
            while time.monotonic() < deadline:
                if not self.is_alive():
                    return
                time.sleep(PAUSE_SECONDS)
        msg = (
            f"{self.directory} is used by a PostgreSQL that cannot be stopped from here: "
            "perhaps it runs in another container"
        )
        raise DatabaseUnreachable(msg)

    def _signal(self, number: int) -> bool:
        """Tell the postmaster or, without one, all it left behind; whether anybody was there."""
        processes = list(self.processes())
        postmasters = [pid for pid, is_postmaster in processes if is_postmaster]
        for pid in postmasters or [pid for pid, _ in processes]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return bool(processes)

    def ready_port(self) -> int | None:
        """The port in its postmaster.pid once that says ready, though the server may be dead."""
        try:
            text = (self.directory / "postmaster.pid").read_text()
        except FileNotFoundError:
            return None
        match text.splitlines():
            case [_, _, _, port, _, _, _, status] if status.strip() == "ready":
                return int(port)
        return None

    def last_port(self) -> int | None:
        """The port it was last started on."""
        with suppress(FileNotFoundError):
            options = (self.directory / "postmaster.opts").read_text()
            return next(map(int, re.findall(r'"port=(\d+)"', options)), None)
        return None

    def disown_stale_pid(self) -> None:
        """Keep a dead server's postmaster.pid from naming a living stranger as ready."""
        # The rest stays: its shared memory key guards against a server started by hand.
        try:
            handle = os.open(self.directory / "postmaster.pid", os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        with os.fdopen(handle, "r+b", buffering=0) as file:
            pid, rest = file.readline().strip(), file.read().replace(b"\nready", b"\nstale")
            if not pid.isdigit() or not self._is_ours(int(pid)):
                os.pwrite(handle, b"%d\n" % NO_PID + rest, 0)

    def _is_ours(self, pid: int) -> bool:
        """Whether the process was started on this directory."""
        try:
            return str(self.directory) in psutil.Process(pid).cmdline()
        except psutil.Error:
            return False


def _took_lock(handle: int) -> bool:
    """Whether the lock was free, and now is ours."""
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True


def complaint(words: str, directory: Path) -> str:
    """Why PostgreSQL ended, in one sentence, out of what it printed."""
    if "No space left on device" in words:
        return f"there is no space left on the disk that holds {directory}"
    causes = COMPLAINT.findall(words) or words.split("\n")[-2:-1] or ["it ended without a word"]
    return f"PostgreSQL cannot start in {directory}: {causes[-1].strip()}"
