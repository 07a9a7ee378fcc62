"""``database``: ours is started and stopped, a server of the user's own is left alone."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.revisions import known_revisions
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline_tests.cli.commands import run
from crypto_pipeline_tests.conftest import REPOSITORY

NEWEST = known_revisions()[-1]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a directory that has a space in its name and no database yet."""
    data_dir = tmp_path / "the data"
    yield {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "CRYPTO_PIPELINE_DATA_DIR": str(data_dir),
        "CRYPTO_PIPELINE_POSTGRES__PORT": "56400",
    }
    EmbeddedServer(data_dir).stop()


def test_embedded_database_from_first_start_to_stop(embedded: dict[str, str]) -> None:
    """Started and migrated once, found by its address, stopped once; each may be repeated."""
    before = run(embedded, "database", "url")
    started = [run(embedded, "database", "start") for _ in range(2)]
    url = run(embedded, "database", "url").out.strip()
    status = run(embedded, "status")
    stopped = [run(embedded, "database", "stop").out for _ in range(2)]
    after = run(embedded, "database", "url")

    assert (3, "") == (before.code, before.out)
    assert f"revision {NEWEST}" in started[0].out
    assert started[0] == started[1]
    assert Database(url).place in started[0].out
    assert url.partition("://")[2].partition("@")[0].partition(":")[2] not in started[0].out
    assert status.code == 0
    assert stopped == ["The database is stopped.\n", "The database was not running.\n"]
    assert (3, "") == (after.code, after.out)
    assert "crypto-pipeline database start" in after.err


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_server_of_the_users_own_is_left_alone(
    verb: str, settings_environment: dict[str, str]
) -> None:
    """With ``database_url`` set there is nothing of ours to start or stop."""
    done = run(settings_environment, "database", verb)

    assert (2, "") == (done.code, done.out)
    assert done.err == (
        f"crypto-pipeline: database_url is set: that server is yours, and not ours to {verb}\n"
    )


def test_own_url_is_printed(settings_environment: dict[str, str], database: Database) -> None:
    """Other programs get the whole address."""
    assert f"{database.url}\n" == run(settings_environment, "database", "url").out


def test_migrate_goes_forward_and_back(settings_environment: dict[str, str]) -> None:
    """To the newest revision by default, to an older one by name, and forward again."""
    said = [
        run(settings_environment, "database", "migrate", *revision).out.strip().partition(": ")[2]
        for revision in ((), ("--revision", "base", "--yes"), ("--revision", NEWEST))
    ]

    assert said == [
        f"revision {NEWEST} -> {NEWEST}",
        f"revision {NEWEST} -> base",
        f"revision base -> {NEWEST}",
    ]
    assert run(settings_environment, "status").code == 0


def test_going_back_wants_a_yes(settings_environment: dict[str, str]) -> None:
    """What drops rows is not done by a slip: exit code 2, and everything stays."""
    done = run(settings_environment, "database", "migrate", "--revision", "base")

    assert (2, "") == (done.code, done.out)
    assert "--yes" in done.err
    assert run(settings_environment, "status").code == 0


def test_unknown_revision_names_the_known(settings_environment: dict[str, str]) -> None:
    """Exit code 2, and nothing is migrated."""
    done = run(settings_environment, "database", "migrate", "--revision", "9999")

    assert (2, "") == (done.code, done.out)
    assert NEWEST in done.err


def test_env_is_what_a_shell_can_read(settings_environment: dict[str, str], tmp_path: Path) -> None:
    """Each line exports one variable, quoted; Dagster's own files lie in the data directory."""
    spaced = settings_environment | {"CRYPTO_PIPELINE_DATA_DIR": str(tmp_path / "the data")}
    done = run(spaced, "database", "env")
    words = [shlex.split(line) for line in done.out.splitlines()]
    exported = dict(pair.split("=", 1) for _, pair in words)

    assert {("export", 2)} == {(line[0], len(line)) for line in words}
    assert str(tmp_path / "the data" / "dagster") == exported["DAGSTER_HOME"]
    assert exported["DAGSTER_POSTGRES_URL"].startswith("postgresql+psycopg2://")
    assert {"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"} <= exported.keys()


def test_old_months_are_packed_by_hand(settings_environment: dict[str, str]) -> None:
    """The result line counts what was packed; a month that is none, or not over, is refused."""
    packed = run(settings_environment, "database", "pack")
    named = run(settings_environment, "database", "pack", "--before", "2024-02")
    refused = [
        run(settings_environment, "database", "pack", "--before", month)
        for month in ("yesterday", "2999-01")
    ]
    never = settings_environment | {"CRYPTO_PIPELINE_STORAGE__PACK_AFTER_MONTHS": "0"}

    assert ["Packed 0 candles of 0 days"] * 2 == [one.out[:26] for one in (packed, named)]
    assert [2, 2, 2] == [one.code for one in (*refused, run(never, "database", "pack"))]
    assert "expected a month like 2025-01" in refused[0].err
