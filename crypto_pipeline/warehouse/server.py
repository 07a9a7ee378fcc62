"""The embedded PostgreSQL server: how it starts, where it listens, how it stops.

What lies on disk belongs in ``server_cluster``, the programs and their user in ``server_binaries``.
"""

import errno
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import BinaryIO, TypeAlias

import psycopg

from crypto_pipeline.errors import DatabaseUnreachable, PortInUse
from crypto_pipeline.warehouse.courtesy import put_guests_last
from crypto_pipeline.warehouse.server_binaries import ServerUser, detached, program, server_user
from crypto_pipeline.warehouse.server_cluster import (
    END_ORPHANS,
    PAUSE_SECONDS,
    ROLE,
    STOP,
    Cluster,
    complaint,
)

HOST = "127.0.0.1"
DATABASE = "crypto_pipeline"
# Always there: it answers even before ours is created.
MAINTENANCE_DATABASE = "postgres"

PREFERRED_PORT = 54329
NEIGHBOURS = 50
PATIENCE_SECONDS = 120.0
LOG_BYTES = 5_000_000

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """One PostgreSQL below ``data_dir`` on a loopback port; port 0 means any free one."""

    data_dir: Path
    port: int = PREFERRED_PORT

    @property
    def log(self) -> Path:
        """Where its words are kept."""
        return self.data_dir.resolve() / "logs" / "postgres.log"

    @property
    def _cluster(self) -> Cluster:
        return Cluster(self.data_dir.resolve() / "postgres")

    def start(self) -> str:
        """Start it unless it runs, creating it on first use, and return its URL. Safe to repeat."""
        with suppress(DatabaseUnreachable):
            return self.url()
        with _in_one_sentence(self.data_dir):
            self.data_dir.mkdir(parents=True, exist_ok=True)
            with _turn(self.data_dir) as turn:
                self._bring_up(turn)
                return self.url()

    def stop(self) -> None:
        """Shut it down, rolling open transactions back. Safe to repeat."""
        with _in_one_sentence(self.data_dir):
            if self._cluster.directory.exists():
                with _turn(self.data_dir):
                    self._cluster.end(STOP)

    def is_running(self) -> bool:
        """Whether this very cluster answers a real connection; a process id would prove nothing."""
        try:
            return self._answers(DATABASE)
        except (OSError, DatabaseUnreachable):
            return False

    def put_guests_last(self) -> int:
        """Have the queries of other roles than ours wait for the processor; how many did not yet."""
        return put_guests_last(self._cluster.directory, ROLE)

    def url(self) -> str:
        """Where the running server is reached, password included."""
        with _in_one_sentence(self.data_dir):
            if not self._cluster.directory.exists():
                msg = f"there is no database in {self.data_dir} yet: the first start creates it"
                raise DatabaseUnreachable(msg)
            if not self._answers(DATABASE):
                msg = (
                    f"the embedded PostgreSQL in {self.data_dir} is not running: "
                    "start it with 'crypto-pipeline database start'"
                )
                raise DatabaseUnreachable(msg)
            password, port = self._cluster.password(), self._cluster.ready_port()
            return f"postgresql://{ROLE}:{password}@{HOST}:{port}/{DATABASE}"

    def _bring_up(self, turn: int) -> None:
        """From whatever the last run, or crash, left behind to a server that has our database."""
        user = server_user(self._cluster.directory)
        if not self._cluster.is_initialised():
            self._cluster.initialise(user, turn)
        # Lost, it would only be missed once the server is up and nobody can connect.
        self._cluster.password()
        self._settle()
        if not self._cluster.is_alive():
            self._cluster.claim(user)
            self._launch(user)
        if not self._answers(DATABASE):
            self._create_database()

    def _settle(self) -> None:
        """Wait for a server that is starting or stopping, and end what outlived a killed one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._cluster.is_alive():
            if not any(is_postmaster for _, is_postmaster in self._cluster.processes()):
                self._cluster.end(END_ORPHANS)
            elif self._is_ready():
                return
            elif time.monotonic() > deadline:
                raise DatabaseUnreachable(self._silence())
            time.sleep(PAUSE_SECONDS)

    def _launch(self, user: ServerUser) -> None:
        """Start a server on the first port that lets it, and wait until it answers."""
        for port in self._free_ports():
            last_words = self._last_words(self._spawn(user, port))
            if last_words is None:
                return
            if "Address already in use" not in last_words:
                raise DatabaseUnreachable(complaint(last_words, self.data_dir))
        msg = f"PostgreSQL found no free port on {HOST}: give it another one than {self.port}"
        raise PortInUse(msg)

    def _spawn(self, user: ServerUser, port: int) -> int:
        """Start a server and return where its words begin in the log."""
        with self._cluster.locked() as lock, self._opened_log(user) as log:
            if lock is None:
                msg = f"another PostgreSQL has just started in {self.data_dir}"
                raise DatabaseUnreachable(msg)
            self._cluster.disown_stale_pid()
            log_start = log.tell()
            user.run(detached(self._postgres(port)), output=log.fileno(), keep=(lock,))
            return log_start

    def _postgres(self, port: int) -> list[str]:
        """The server's command, with what must hold whatever its configuration files say."""
        fixed = {
            "port": port,
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "cluster_name": self._cluster.tag(),
        }
        options = (word for name, value in fixed.items() for word in ("-c", f"{name}={value}"))
        return [str(program("postgres")), "-D", str(self._cluster.directory), *options]

    def _opened_log(self, user: ServerUser) -> BinaryIO:
        """The log, open at its end; a long one makes room first."""
        if not self.log.parent.exists():
            self.log.parent.mkdir()
            user.own(self.log.parent)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        opened = self.log.open("ab")
        self.log.chmod(0o600)
        user.own(self.log)
        return opened

    def _last_words(self, log_start: int) -> str | None:
        """None once it answers; what it logged if it died instead."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self._is_ready():
                return None
            if not self._cluster.is_alive():
                return self.log.read_bytes()[log_start:].decode(errors="replace")
            time.sleep(PAUSE_SECONDS)
        raise DatabaseUnreachable(self._silence())

    def _silence(self) -> str:
        seconds = f"{PATIENCE_SECONDS:.0f} seconds"
        return f"PostgreSQL runs but has not answered for {seconds}: see {self.log}"

    def _free_ports(self) -> Iterator[int]:
        """The one used last, which people have in their tools, then the preferred one and up."""
        wanted = range(self.port, min(self.port + NEIGHBOURS, 65535) + 1) if self.port else range(0)
        last = self._cluster.last_port()
        if last and (last in wanted or not self.port) and _is_free(last):
            yield last
        yield from filter(_is_free, wanted or [_any_free_port()])

    def _is_ready(self) -> bool:
        """Whether a living server answers by now; a refused password is no matter of patience."""
        try:
            return self._greets(MAINTENANCE_DATABASE)
        except psycopg.OperationalError as error:
            if "authentication failed" in str(error):
                raise
            return False

    def _answers(self, database: str) -> bool:
        """Whether this cluster's server answers; a full one does too, if only to say so."""
        try:
            return self._greets(database)
        except psycopg.OperationalError as error:
            return "too many clients" in str(error)

    def _greets(self, database: str) -> bool:
        """Whether the server behind our postmaster.pid takes our password and lives right here."""
        if self._cluster.ready_port() is None:
            return False
        with self._connected(database) as connection:
            return connection.execute("show cluster_name").fetchone() == (self._cluster.tag(),)

    def _connected(self, database: str) -> Connection:
        """A connection to the server behind our postmaster.pid."""
        return psycopg.connect(
            host=HOST,
            hostaddr=HOST,
            port=self._cluster.ready_port() or 0,
            user=ROLE,
            password=self._cluster.password(),
            dbname=database,
            autocommit=True,
            connect_timeout=3,
            # A stranger on a dead server's port must not be told the password.
            require_auth="scram-sha-256",
            sslmode="disable",
            gssencmode="disable",
        )

    def _create_database(self) -> None:
        with self._connected(MAINTENANCE_DATABASE) as connection:
            connection.execute("create database crypto_pipeline")


@contextmanager
def _turn(data_dir: Path) -> Iterator[int]:
    """One process at a time starts or stops; the others wait for it to finish or die."""
    handle = os.open(data_dir, os.O_RDONLY)
    try:
        flock(handle, LOCK_EX)
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _in_one_sentence(data_dir: Path) -> Iterator[None]:
    """What the system or the server says, told as ours."""
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseUnreachable(complaint(f"{error}\n", data_dir)) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DatabaseUnreachable(complaint(os.strerror(errno.ENOSPC), data_dir)) from error
        msg = f"the embedded PostgreSQL cannot use {error.filename or data_dir}: {error.strerror}"
        raise DatabaseUnreachable(msg) from error


def _is_free(port: int) -> bool:
    """Whether PostgreSQL could listen there now."""
    with socket.socket() as probe:
        # As PostgreSQL does, so that a port it has just left counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _any_free_port() -> int:
    """A port the system has to spare."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
