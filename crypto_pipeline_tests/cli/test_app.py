"""The front door: every command is behind it, and none pays for another's imports."""

import subprocess
import sys

import pytest

from crypto_pipeline.cli.app import COMMANDS
from crypto_pipeline_tests.cli.commands import directory, run

LOADED = """
import sys
from crypto_pipeline.cli import main
try:
    main()
finally:
    print(*sorted({"dagster", "uvicorn", "alembic", "pyarrow"} & set(sys.modules)), file=sys.stderr)
"""


def test_version_is_printed(settings_environment: dict[str, str]) -> None:
    """The program says its name and its release."""
    done = run(settings_environment, "--version")

    assert (0, "") == (done.code, done.err)
    assert done.out.startswith("crypto-pipeline ")


def test_no_command_shows_what_there_is(settings_environment: dict[str, str]) -> None:
    """Who types the bare name sees every command, and a script learns that it was wrong use."""
    done = run(settings_environment)

    assert done.code == 2
    assert [] == [name for name in COMMANDS if f"\n  {name}" not in done.out]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, settings_environment: dict[str, str]) -> None:
    """``--help`` needs no database, and is plain text in a pipe."""
    nowhere = settings_environment | {"CRYPTO_PIPELINE_DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    done = run(nowhere, name, "--help")

    assert (0, "") == (done.code, done.err)
    assert done.out.startswith(f"Usage: crypto-pipeline {name}")
    assert done.out.isascii()


@pytest.mark.parametrize(
    "arguments",
    [("gaps",), ("status",), ("check",), ("query", "select 1"), ("database", "url")],
)
def test_looking_loads_none_of_the_heavy_packages(
    arguments: tuple[str, ...], settings_environment: dict[str, str]
) -> None:
    """What only reads answers at once: the heavy packages stay out of it."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env=settings_environment,
        cwd=directory(settings_environment),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr.splitlines()[-1].strip() == ""


def test_unknown_command_is_wrong_use(settings_environment: dict[str, str]) -> None:
    """One sentence, and where to read more."""
    done = run(settings_environment, "gasp")

    assert (2, "") == (done.code, done.out)
    assert done.err == (
        "crypto-pipeline: No such command 'gasp'. ('crypto-pipeline --help' tells more)\n"
    )
