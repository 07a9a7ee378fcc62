"""``crypto-pipeline up``: database, Dagster's code server, page and daemon, and the sandbox if asked for.

Each process is one line here; how they are kept alive is the supervisor's.
"""

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import typer

from crypto_pipeline.bootstrap import embedded_server, open_database, open_line
from crypto_pipeline.cli.console import say
from crypto_pipeline.cli.dagster_home import inherited, workspace
from crypto_pipeline.cli.following import Follower
from crypto_pipeline.cli.supervisor import Child, Stopped, Supervisor, only_one, stopping_on_signals
from crypto_pipeline.errors import PortInUse, UnreachableError, UsageError
from crypto_pipeline.orchestration.dbt_project import project_in
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.settings import Settings, load_settings
from crypto_pipeline.settings_reading import PREFIX
from crypto_pipeline.warehouse.migrate import upgrade

LOOPBACK = "127.0.0.1"
SANDBOX_WEIGHT = "6000"
"""Of each provider a minute: the sandbox keeps up with more than the real ones allow."""
READY_SECONDS = 120.0
LEAST_FREE_BYTES = 500_000_000
DATABASE_LOOK_SECONDS = 5.0


def up(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Ask a local stand-in instead of the real providers.")
    ] = False,
) -> None:
    """Start everything and stay: Postgres, the Dagster page, schedules and the gap sensor."""
    settings = sandboxed() if sandbox else load_settings()
    with only_one(settings.data_dir / "up.lock"), _stopped_on_signals():
        House(settings, sandbox).run()


def sandboxed() -> Settings:
    """The settings with every provider at the sandbox, and a data directory that holds nothing real."""
    real = load_settings()
    if real.database_url is not None:
        msg = (
            "--sandbox would write invented prices into your own database: "
            f"unset {PREFIX}DATABASE_URL, or set providers.<name>.base_url yourself"
        )
        raise UsageError(msg)
    os.environ[f"{PREFIX}DATA_DIR"] = str(real.data_dir / "sandbox")
    for name in PROVIDERS:
        provider = f"{PREFIX}PROVIDERS__{name.upper()}"
        url = f"http://{LOOPBACK}:{real.sandbox.port}/{name}"
        os.environ.setdefault(f"{provider}__BASE_URL", url)
        os.environ.setdefault(f"{provider}__LIMITS__WEIGHT_PER_MINUTE", SANDBOX_WEIGHT)
    return load_settings()


@contextmanager
def _stopped_on_signals() -> Iterator[None]:
    try:
        with stopping_on_signals():
            yield
    except Stopped:
        say("Stopped.")


@dataclass(slots=True)
class House:
    """All the processes of one ``up``, from the first to the last."""

    settings: Settings
    has_sandbox: bool

    def run(self) -> None:
        """Start, tell, watch; whatever ends it, everything that was started is stopped."""
        settings = self.settings
        supervisor = Supervisor(settings.data_dir / "processes.json")
        if ended := supervisor.end_leftovers():
            say(f"Ended {ended} processes that an earlier start had left running.")
        self._require_room()
        server = embedded_server(settings)
        try:
            # dbt needs no database to read the models, and takes as long the first time.
            with ThreadPoolExecutor() as threads:
                read = threads.submit(project_in(settings.data_dir).parsed)
                self._start_database()
            read.result()
            self._start_children(supervisor)
            self._greet()
            self._watch(supervisor)
        finally:
            for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(one, signal.SIG_IGN)
            supervisor.stop()
            if server is not None:
                server.stop()

    def _require_room(self) -> None:
        web = self.settings.webserver
        require_free_port(web.host, web.port, "webserver.port")
        if self.has_sandbox:
            require_free_port(LOOPBACK, self.settings.sandbox.port, "sandbox.port")
        free = shutil.disk_usage(self.settings.data_dir).free
        if free < LEAST_FREE_BYTES:
            msg = (
                f"only {free / 1e6:.0f} MB are free at {self.settings.data_dir.resolve()}: "
                f"make room for at least {LEAST_FREE_BYTES / 1e6:.0f} MB, or set data_dir"
            )
            raise UnreachableError(msg)

    def _start_database(self) -> None:
        server = embedded_server(self.settings)
        if server is not None:
            server.start()
        database = open_database(self.settings)
        revision = upgrade(database)
        say(f"Database: {database.place}, schema revision {revision}.")

    def _start_children(self, supervisor: Supervisor) -> None:
        environment = inherited(os.environ, self.settings)
        logs = self.settings.data_dir.resolve() / "logs"
        port = free_port()
        home = Path(environment["DAGSTER_HOME"])
        file = str(workspace(home, LOOPBACK, port))

        def child(name: str, *command: str) -> Child:
            return Child(name, command, environment, logs / f"{name}.log")

        if self.has_sandbox:
            supervisor.start(child("sandbox", program("crypto-pipeline"), "sandbox"))
        module = ("-m", "crypto_pipeline.definitions", "--location-name", "crypto_pipeline")
        address = ("--host", LOOPBACK, "--port", str(port))
        code = child("code-server", program("dagster"), "api", "grpc", *module, *address)
        supervisor.start(code)
        wait_until(lambda: listens(LOOPBACK, port), code)
        web = self.settings.webserver
        where = ("--host", web.host, "--port", str(web.port))
        page = child("webserver", program("dagster-webserver"), *where, "--workspace", file)
        supervisor.start(page)
        wait_until(lambda: answers(f"http://{web.host}:{web.port}/server_info"), page)
        supervisor.start(child("daemon", program("dagster-daemon"), "run", "--workspace", file))

    def _greet(self) -> None:
        web = self.settings.webserver
        say(f"Dagster page: http://{web.host}:{web.port} (Ctrl-C stops everything)")
        say(f"Logs: {self.settings.data_dir.resolve() / 'logs'}")
        if self.has_sandbox:
            say(
                "Sandbox: every price is invented. To look at it from another terminal: "
                f"export {PREFIX}DATA_DIR={str(self.settings.data_dir.resolve())!r}"
            )

    def _watch(self, supervisor: Supervisor) -> None:
        """Look after the processes and tell how far the data has come, until a signal ends it."""
        server = embedded_server(self.settings)
        follower = Follower(open_line(self.settings))
        looked_at = time.monotonic()
        while True:
            time.sleep(1)
            for child in supervisor.revive():
                say(f"{child.name} had died ({child.last_words()}); it was started again.")
            if time.monotonic() - looked_at > DATABASE_LOOK_SECONDS:
                looked_at = time.monotonic()
                if server is not None and not server.is_running():
                    server.start()
                    say("The database had died; it was started again.")
                if server is not None:
                    server.put_guests_last()
                follower.look()


def program(name: str) -> str:
    """A console script of this very environment, wherever the path of the shell points."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        msg = f"{name} is not installed beside {sys.executable}: run 'make install'"
        raise UnreachableError(msg)
    return found


def require_free_port(host: str, port: int, setting: str) -> None:
    """A PortInUse names the setting that would move us elsewhere."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            msg = f"port {port} on {host} cannot be used ({error.strerror}): free it, or set {setting}"
            raise PortInUse(msg) from None


def free_port() -> int:
    """A port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def answers(url: str) -> bool:
    """Whether a page is served there."""
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


def wait_until(is_ready: Callable[[], bool], child: Child) -> None:
    """Wait for a process to serve; an UnreachableError has its last words if it does not."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready():
        if child.has_ended or time.monotonic() > deadline:
            msg = f"{child.name} did not start: {child.last_words()} (whole log: {child.log})"
            raise UnreachableError(msg)
        time.sleep(0.1)
