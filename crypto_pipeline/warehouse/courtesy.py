"""Who only reads waits for who collects: other roles' backends run behind ours.

PostgreSQL shares the processor out evenly; the operating system need not.
"""

import re
from pathlib import Path

import psutil

LAST = 19
"""The niceness of what runs when nothing else wants to."""
_CLIENT = re.compile(r"postgres: (?:\S+: )?(\S+) \S+ (?:\S+\(\d+\)|\[local\])")
"""The title that PostgreSQL gives a backend: cluster, role, database, address, what it does."""


def put_guests_last(cluster: Path, host: str) -> int:
    """Have the backends of all roles but the ``host`` run last; how many did not yet."""
    try:
        first_line, *_ = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        backends = psutil.Process(int(first_line)).children()
    except (OSError, ValueError, psutil.Error):
        return 0
    return sum(_put_last(one) for one in backends if is_guest(_title(one), host))


def is_guest(title: str, host: str) -> bool:
    """Whether a process is a backend of another role."""
    told = _CLIENT.match(title)
    return told is not None and told[1] != host


def _title(backend: psutil.Process) -> str:
    try:
        return " ".join(backend.cmdline())
    except psutil.Error:
        return ""


def _put_last(backend: psutil.Process) -> bool:
    try:
        if backend.nice() >= LAST:
            return False
        backend.nice(LAST)
    except psutil.Error:
        return False
    return True
