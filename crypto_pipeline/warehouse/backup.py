"""Backup and restore of the whole database, Dagster's tables included, by PostgreSQL's own programs.

A file is there when it is whole; a database is replaced when the other one is whole beside it.
"""

import errno
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryFile
from typing import cast

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crypto_pipeline.errors import PipelineError, UnreachableError, UsageError
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.reader import MARK, Reader
from crypto_pipeline.warehouse.revisions import BASE, known_revisions, revision_of
from crypto_pipeline.warehouse.server import MAINTENANCE_DATABASE
from crypto_pipeline.warehouse.server_binaries import MAJOR, program
from crypto_pipeline.warehouse.statements import statements

PAUSE_SECONDS = 0.2
TRIES = 5
_REVISION = re.compile(r"^COPY .*\n(.+)\n", re.MULTILINE)
_CAUSE = re.compile(r"(?:error|FATAL|ERROR): +(.+)")

Told = Callable[[int], None]
"""Is told the bytes that are written so far."""


def backup(database: Database, file: Path, on_progress: Told = lambda _: None) -> int:
    """Write all of a database into a new file; its size in bytes. Nobody has to wait for it."""
    _require_new(file)
    _require_dumpable(database, file)
    part = file.with_name(f"{file.name}.part")
    command = ["pg_dump", "--format=custom", "--compress=1", f"--file={part}"]
    try:
        with _in_one_sentence(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            _run(command, database, file, lambda: on_progress(_size_of(part)))
            _require_new(file)
            _sync(part)
            part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return _size_of(file)


def revision_in(file: Path) -> str:
    """The revision of the schema in a backup; a UsageError when it is none, or of a newer release."""
    if not file.is_file():
        msg = f"there is no file {file}"
        raise UsageError(msg)
    command = ["--data-only", "--schema=warehouse", "--table=alembic_version", "--file=-"]
    done = subprocess.run(
        [program("pg_restore"), *command, file], capture_output=True, text=True, check=False
    )
    found = _REVISION.search(done.stdout)
    if done.returncode or not found:
        why = _cause(done.stderr) if done.returncode else "there is no schema of ours in it"
        msg = f"{file} is no backup of a warehouse, or it is broken: {why}"
        raise UsageError(msg)
    if found[1] not in known_revisions():
        msg = (
            f"{file} has revision {found[1]} of the schema, which this release does not know: "
            "upgrade crypto-pipeline"
        )
        raise UsageError(msg)
    return found[1]


def is_empty(database: Database) -> bool:
    """Whether nothing was ever collected there."""
    if revision_of(database) == BASE:
        return True
    with database.connect(read_only=True) as connection:
        return connection.execute(statements("backup")["has_series"]).fetchone() == (False,)


def first_wanted(database: Database) -> date | None:
    """The first day that anything was wanted of."""
    with database.connect(read_only=True) as connection:
        row = connection.execute(statements("backup")["first_wanted"]).fetchone()
    return cast("date | None", row[0]) if row else None


def restore(database: Database, file: Path, on_progress: Told = lambda _: None) -> str:
    """Have a database hold what a backup holds, in this release's schema; the revision reached.

    It is restored beside the present one, which is replaced by it as the last step: until then
    everything is as it was. Whoever is connected is sent away in that moment.
    """
    revision_in(file)
    name = _name(database)
    new = _named(database, f"{name}_restoring")
    with _named(database, MAINTENANCE_DATABASE).connect() as server:
        for leftover in (_name(new), f"{name}_before"):
            _execute(server, "drop", name=leftover)
        _execute(server, "create", name=_name(new))
        try:
            _fill(new, file, lambda: on_progress(_bytes(server, _name(new))))
            reached = upgrade(new)
            _let_readers_in(new)
            _swap(server, name, _name(new))
        finally:
            _execute(server, "drop", name=_name(new))
        _execute(server, "drop", name=f"{name}_before")
    return reached


def _fill(new: Database, file: Path, on_progress: Callable[[], None]) -> None:
    command = ["pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", "--jobs=2"]
    _run([*command, str(file)], new, file, on_progress)


def _let_readers_in(new: Database) -> None:
    """Grants are of one database: the roles that read the former one read this one too."""
    with new.connect() as connection:
        readers = connection.execute(statements("backup")["readers"], {"mark": MARK}).fetchall()
    for name, timeout in readers:
        Reader(new, str(name)).grant(f"{timeout}ms", None)


def _swap(server: Connection, name: str, new: str) -> None:
    """Put the new database in the place of the present one, both renamed or neither."""
    for left in reversed(range(TRIES)):
        server.execute(statements("backup")["leave"], {"names": [name, new]})
        try:
            with server.transaction():
                _execute(server, "rename", name=name, to=f"{name}_before")
                _execute(server, "rename", name=new, to=name)
        except psycopg.errors.ObjectInUse:
            if not left:
                msg = "the database is in use all the time: end what uses it, and restore again"
                raise UnreachableError(msg) from None
        else:
            return


def _run(
    command: Sequence[str], database: Database, file: Path, on_progress: Callable[[], None]
) -> None:
    """Run a program of PostgreSQL's on a database to its end; what it complains of is one sentence."""
    parts = conninfo_to_dict(database.url)
    secret = {"PGPASSWORD": str(parts.pop("password"))} if "password" in parts else {}
    address = make_conninfo(**{key: str(part) for key, part in parts.items()})
    words = [str(program(command[0])), f"--dbname={address}", *command[1:]]
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        code = _wait(words, {**os.environ, "LC_ALL": "C", **secret}, said.fileno(), on_progress)
        said.seek(0)
        complaint = said.read()
    if code and "No space left" in complaint:
        raise _full(file)
    if code:
        msg = f"{file}: {command[0]} failed, and nothing was changed: {_cause(complaint)}"
        raise PipelineError(msg)


def _wait(
    words: Sequence[str], environment: dict[str, str], said: int, on_progress: Callable[[], None]
) -> int:
    """Have a program run to its end and tell meanwhile; its exit code. Whoever stops us stops it."""
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment
    ) as process:
        try:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(PAUSE_SECONDS)
                on_progress()
        finally:
            process.kill()
    return process.returncode


def _require_new(file: Path) -> None:
    if file.exists():
        msg = f"{file} is there already: name another file"
        raise UsageError(msg)


def _require_dumpable(database: Database, file: Path) -> None:
    """A UsageError where our program is older than the server, or nothing is there."""
    if revision_of(database) == BASE:
        msg = f"there is no warehouse in {database.place} yet, hence nothing to back up"
        raise UsageError(msg)
    with database.connect(read_only=True) as connection:
        row = connection.execute(statements("backup")["server_version"]).fetchone()
    major = int(str(row[0])) if row else 0
    if major > int(MAJOR):
        msg = (
            f"{database.place} is PostgreSQL {major}, and the pg_dump that comes along is {MAJOR}: "
            f"run that server's own, pg_dump --format=custom --file={file}"
        )
        raise UsageError(msg)


@contextmanager
def _in_one_sentence(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full(file) from None
        msg = f"{error.filename or file} cannot be written: {error.strerror}"
        raise UsageError(msg) from None


def _full(file: Path) -> UnreachableError:
    return UnreachableError(
        f"the disk is full, and nothing was changed: make room for {file.name}, and try again"
    )


def _cause(words: str) -> str:
    """What a program complained of first."""
    found = _CAUSE.search(words)
    return found[1] if found else (words.strip().splitlines() or ["nothing was said"])[0]


def _sync(file: Path) -> None:
    """Have it on the disk before it gets its name."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _name(database: Database) -> str:
    return str(conninfo_to_dict(database.url)["dbname"])


def _named(database: Database, name: str) -> Database:
    """Another database of the same server, its address as URL, for migrations take no other."""
    return Database(f"{database.url.rpartition('/')[0]}/{name}")


def _bytes(server: Connection, name: str) -> int:
    row = server.execute(statements("backup")["size"], {"name": name}).fetchone()
    return int(str(row[0])) if row else 0


def _execute(server: Connection, statement: str, **names: str) -> None:
    quoted = {key: sql.Identifier(name) for key, name in names.items()}
    server.execute(sql.SQL(statements("backup")[statement]).format(**quoted))
