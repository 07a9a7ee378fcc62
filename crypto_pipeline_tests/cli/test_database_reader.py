"""``database grant-reader`` and ``revoke-reader``: an address to hand on, and a password shown once."""

import uuid

import psycopg
import pytest

from crypto_pipeline_tests.cli.commands import run

GRANT, REVOKE = ("database", "grant-reader"), ("database", "revoke-reader")


@pytest.fixture
def named() -> tuple[str, str]:
    """A role of the test's own, for a server has only one of a name."""
    return ("--name", f"reader_{uuid.uuid4().hex[:12]}")


def test_reader_from_grant_to_revoke(
    settings_environment: dict[str, str], named: tuple[str, str]
) -> None:
    """The made-up password is in the address once; what is repeated shows none, and keeps it."""
    granted = run(settings_environment, *GRANT, *named, "--timeout", "5s")
    again = run(settings_environment, *GRANT, *named)
    address = granted.out.strip()
    with psycopg.connect(address) as connection:
        schema = connection.execute("select count(*) from market.ohlc").fetchall()
        timeout = connection.execute("show statement_timeout").fetchall()
    renewed = run(settings_environment, *GRANT, *named, "--new-password")
    own = run(settings_environment | {"CRYPTO_READER_PASSWORD": "own"}, *GRANT, *named)
    with psycopg.connect(again.out.strip(), password="own") as connection:
        connection.execute("select 1")
    gone = run(settings_environment, *REVOKE, *named)

    assert [0, 0, 0, 0, 0] == [one.code for one in (granted, again, renewed, own, gone)]
    assert ([(0,)], [("30s",)]) == (schema, timeout)
    password = address.partition("@")[0].rpartition(":")[2]
    assert len(password) == 32
    assert password not in granted.err
    assert address.replace(f":{password}@", "@") == again.out.strip() == own.out.strip()
    assert renewed.out not in (granted.out, again.out)
    assert gone.out.startswith(f"{named[1]} is gone")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((*GRANT, "--timeout", "soon"), "--timeout is 'soon'"),
        ((*REVOKE, "--name", "nobody_knows"), "there is no reader nobody_knows"),
    ],
)
def test_wrong_use_is_refused(
    arguments: tuple[str, ...], why: str, settings_environment: dict[str, str]
) -> None:
    """Exit code 2, one sentence, nothing changed."""
    done = run(settings_environment, *arguments)

    assert (2, "") == (done.code, done.out)
    assert why in done.err


def test_a_password_is_given_or_made_up(settings_environment: dict[str, str]) -> None:
    """Both at once is a contradiction, and is refused."""
    both = settings_environment | {"CRYPTO_READER_PASSWORD": "own"}
    done = run(both, *GRANT, "--new-password")

    assert (2, "") == (done.code, done.out)
    assert "CRYPTO_READER_PASSWORD is set" in done.err
