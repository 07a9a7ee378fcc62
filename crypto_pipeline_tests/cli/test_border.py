"""The border: every error is one sentence and an exit code, without a traceback or a secret."""

import os
import signal
import subprocess
import time

import psycopg
import pytest
import typer
from dagster_postgres.utils import DagsterPostgresException

from crypto_pipeline.cli.border import told, without_secrets
from crypto_pipeline.errors import (
    DatabaseUnreachable,
    PipelineError,
    RequestRejected,
    SettingsError,
    ShortfallError,
    UsageError,
)
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.cli.commands import COMMAND, directory, run

URL = "CRYPTO_PIPELINE_DATABASE_URL"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ShortfallError("x"), 1),
        (RequestRejected("x"), 1),
        (UsageError("x"), 2),
        (SettingsError("x"), 2),
        (typer.BadParameter("x"), 2),
        (DatabaseUnreachable("x"), 3),
        (psycopg.OperationalError("x"), 3),
        (DagsterPostgresException("x"), 3),
        (KeyboardInterrupt(), 130),
        (PermissionError(13, "Permission denied", "file"), 1),
        (RuntimeError("x"), 1),
    ],
)
def test_every_error_has_its_exit_code(error: BaseException, code: int) -> None:
    """0 done, 1 the data falls short, 2 wrong use, 3 cannot reach what it needs."""
    assert code == told(error)[0]


def test_an_error_without_words_still_says_something() -> None:
    """An error's docstring is its sentence, and a foreign error's type is better than nothing."""
    assert told(PipelineError())[1] == "Something the pipeline was asked to do could not be done."
    assert "unexpected RuntimeError: no message" in told(RuntimeError())[1]


@pytest.mark.parametrize(
    "text",
    [
        "connecting to postgresql://me:sekret@host/db failed",
        'missing "=" after "postgresql+x://me:sekret@host/db?a=b" in connection info',
        "host=x password=sekret user=me",
        "host=x PASSWORD = 'sekret' user=me",
    ],
)
def test_no_password_is_shown(text: str) -> None:
    """A driver may quote the whole address; nobody reads the password in it."""
    assert "sekret" not in without_secrets(text)


def test_an_address_that_names_nobody_is_shown() -> None:
    """The page of a provider is no secret."""
    text = "see https://data-api.binance.vision/api/v3/klines"

    assert text == without_secrets(text)


def test_unreachable_database_is_one_sentence(settings_environment: dict[str, str]) -> None:
    """Where it was looked for and what to do, with exit code 3 and without the password."""
    nowhere = settings_environment | {URL: "postgresql://me:sekret@127.0.0.1:1/warehouse"}
    done = run(nowhere, "status")

    assert (3, "", 1) == (done.code, done.out, len(done.err.splitlines()))
    assert done.err.startswith("crypto-pipeline: no database at 127.0.0.1:1/warehouse: ")
    assert "sekret" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("gaps",),
        ("status",),
        ("check",),
        ("query", "select 1"),
        ("backfill", "ohlc", "--start", "{since}", "--end", "{since}"),
    ],
)
def test_database_without_schema_says_what_to_run(
    arguments: tuple[str, ...], settings_environment: dict[str, str], empty_database: Database
) -> None:
    """A warehouse that was never set up is not mistaken for an empty one."""
    since = settings_environment["CRYPTO_PIPELINE_SINCE"]
    empty = settings_environment | {URL: empty_database.url}
    done = run(empty, *(word.format(since=since) for word in arguments))

    assert (3, "") == (done.code, done.out)
    assert done.err == (
        f"crypto-pipeline: there is no warehouse in {empty_database.place} yet: "
        "run 'crypto-pipeline up' or 'crypto-pipeline database migrate'\n"
    )


def test_wrong_settings_are_a_line_each(settings_environment: dict[str, str]) -> None:
    """Every mistake in the settings is named at once, with exit code 2."""
    wrong = {"CRYPTO_PIPELINE_WEBSERVER__PORT": "x", "CRYPTO_PIPELINE_NOPE": "1"}
    done = run(settings_environment | wrong, "gaps")

    assert (2, 2) == (done.code, len(done.err.splitlines()))
    assert all(line.startswith("crypto-pipeline: ") for line in done.err.splitlines())


def test_debug_shows_the_traceback(settings_environment: dict[str, str]) -> None:
    """``--debug`` adds where it happened, and changes nothing else."""
    plain = run(settings_environment, "gaps", "nope")
    detailed = run(settings_environment, "--debug", "gaps", "nope")

    assert "Traceback" not in plain.err
    assert detailed.err.startswith("Traceback (most recent call last):")
    assert detailed.err.endswith(plain.err)
    assert plain.code == detailed.code == 2


def test_reader_that_has_seen_enough_is_no_error(filled: dict[str, str]) -> None:
    """``| head`` closes the pipe while rows are still to come."""
    process = subprocess.Popen(
        [*COMMAND, "query", "select * from ohlc, generate_series(1, 2000)", "--format", "csv"],
        env=filled,
        cwd=directory(filled),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"venue,")
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()

    assert (0, b"") == (process.wait(30), said)


def test_ctrl_c_ends_a_query_at_once(filled: dict[str, str]) -> None:
    """An interrupt is one word and exit code 130, also in the middle of a statement."""
    process = subprocess.Popen(
        [*COMMAND, "query", "select pg_sleep(60)"],
        env=filled,
        cwd=directory(filled),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until_it_sleeps(Database(filled[URL]))
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert (130, "", "crypto-pipeline: Stopped.\n") == (process.returncode, out, err)


def wait_until_it_sleeps(database: Database) -> None:
    """Until the statement's rows are being fetched."""
    deadline = time.monotonic() + 30
    found = None
    with database.connect() as connection:
        while not found:
            assert time.monotonic() < deadline
            time.sleep(0.05)
            found = connection.execute(
                "select 1 from pg_stat_activity where datname = current_database() "
                "and query like 'FETCH %' and state = 'active'"
            ).fetchone()
