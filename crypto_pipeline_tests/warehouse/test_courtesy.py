"""Courtesy: what a reader's query costs is what nobody else wanted."""

from pathlib import Path

import psutil
import psycopg
import pytest

from crypto_pipeline.warehouse.courtesy import LAST, is_guest
from crypto_pipeline.warehouse.server import EmbeddedServer


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("postgres: 1a2b: reader warehouse 127.0.0.1(50184) SELECT", True),
        ("postgres: reader warehouse [local] idle", True),
        ("postgres: 1a2b: owner warehouse 127.0.0.1(50184) SELECT", False),
        ("postgres: 1a2b: checkpointer", False),
        ("postgres: 1a2b: autovacuum worker warehouse", False),
        ("postgres: 1a2b: parallel worker for PID 77", False),
        ("python reader warehouse 127.0.0.1(50184)", False),
    ],
)
def test_a_guest_is_known_by_its_title(title: str, *, expected: bool) -> None:
    """Another role's backend, and none of the server's own processes."""
    assert expected == is_guest(title, "owner")


def test_readers_run_last(tmp_path: Path) -> None:
    """Each backend of another role is put last once; ours stay as they are."""
    server = EmbeddedServer(tmp_path, 0)
    url = server.start()
    try:
        with psycopg.connect(url, autocommit=True) as ours:
            ours.execute("create role guest login password 'guest'")
            theirs = psycopg.connect(url, user="guest", password="guest")
            with theirs:
                found = [server.put_guests_last(), server.put_guests_last()]
                last = psutil.Process(theirs.info.backend_pid).nice()
            theirs.close()
            first = psutil.Process(ours.info.backend_pid).nice()
    finally:
        server.stop()

    assert ([1, 0], LAST) == (found, last)
    assert first < LAST
