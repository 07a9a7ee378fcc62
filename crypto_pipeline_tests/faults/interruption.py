"""Ends runs and connections at chosen steps: statements to the database, questions to a host, pauses.

A step is a place where a process can die, so a number names a moment of it exactly.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from crypto_pipeline.warehouse.database import APPLICATION, Connection, Database
from crypto_pipeline_tests.faults.schedule import INTERRUPTIONS, Blow, Harm


class Stopped(BaseException):
    """A run is told to stop, or is gone; nothing in the house may take it for a failure."""


@dataclass
class Interruption:
    """Waits for a step to come, and strikes once; ``admin`` is a connection that is spared."""

    admin: psycopg.Connection[Any]
    struck: list[Harm] = field(default_factory=list)
    _waiting: list[Blow] = field(default_factory=list)
    _step: int = 0
    _is_gone: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, blows: tuple[Blow, ...]) -> None:
        """Forget what was expected before; these come at their steps, counted from here."""
        self._waiting = [one for one in blows if one.harm in INTERRUPTIONS]
        self.struck, self._step, self._is_gone = [], 0, False

    def next_process(self) -> None:
        """What comes now is another process, which lives."""
        self._is_gone = False

    def step(self, connection: Connection | None = None) -> None:
        """One more step is about to be taken, by a connection or otherwise."""
        with self._lock:
            self._step += 1
            due = [one for one in self._waiting if one.at <= self._step]
            self._waiting = [one for one in self._waiting if one not in due]
            for blow in due:
                self.struck.append(blow.harm)
                self._strike(blow.harm, connection)
            is_gone = self._is_gone
        if is_gone or any(one.harm == "stopped" for one in due):
            raise Stopped

    def _strike(self, harm: Harm, connection: Connection | None) -> None:
        if harm == "killed":
            self._is_gone = True
        elif harm == "terminated" and connection is not None:
            pid = connection.info.backend_pid
            self.admin.execute("select pg_terminate_backend(%s, 5000)", (pid,))
        elif harm.endswith("terminated"):
            self.admin.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where application_name = %s and datname = current_database()",
                (APPLICATION,),
            )


@dataclass(frozen=True)
class WatchedDatabase(Database):
    """A database whose connections tell before every statement."""

    step: Callable[[Connection | None], None] = lambda _: None

    def opened(self, *, read_only: bool = False) -> Connection:
        """Opening is a step as well."""
        self.step(None)
        connection = super().opened(read_only=read_only)
        connection.cursor_factory = _watched(self.step)
        return connection


def _watched(step: Callable[[Connection], None]) -> type[psycopg.Cursor[Any]]:
    """A cursor that tells before it acts."""

    class Watched(psycopg.Cursor[Any]):
        def execute(self, *arguments: Any, **options: Any) -> Any:
            step(self.connection)
            return super().execute(*arguments, **options)

        def executemany(self, *arguments: Any, **options: Any) -> None:
            step(self.connection)
            super().executemany(*arguments, **options)

        def copy(self, *arguments: Any, **options: Any) -> Any:
            step(self.connection)
            return super().copy(*arguments, **options)

    return Watched
