"""Connections: what every one of ours is like, and what is told when there is none."""

import socket
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crypto_pipeline.errors import DatabaseUnreachable, UsageError
from crypto_pipeline.warehouse.database import Database

PASSWORD = "open-sesame"


def url_of(database: Database, **changed: object) -> str:
    """The address of a database with parts changed."""
    parts = conninfo_to_dict(database.url) | changed
    return "postgresql://{user}:{password}@{host}:{port}/{dbname}".format_map(parts)


def refusal(database: Database) -> str:
    """What is told when the database cannot be opened."""
    with pytest.raises(DatabaseUnreachable) as refused, database.connect():
        pass
    assert refused.value.__cause__ is None
    return str(refused.value)


def test_sessions_are_in_utc_and_named(database: Database) -> None:
    """Times come back in UTC whatever the server's zone, and the server knows who asks."""
    with database.connect() as connection:
        row = connection.execute(
            "select current_setting('TimeZone'), current_setting('application_name'), "
            "'2024-02-29 12:00+05:30'::timestamptz"
        ).fetchone()

    assert ("UTC", "crypto-pipeline", datetime(2024, 2, 29, 6, 30, tzinfo=UTC)) == row


def test_read_only_connection_refuses_to_write(database: Database) -> None:
    """What people's queries run on cannot change anything."""
    with (
        database.connect(read_only=True) as connection,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        connection.execute("delete from warehouse.series")


def test_connection_is_closed_after_use(database: Database) -> None:
    """Nobody is left connected, also after an error."""
    with pytest.raises(ZeroDivisionError), database.connect() as connection:
        _ = 1 / 0

    assert connection.closed


def test_wrong_password_is_told_without_the_password(database: Database) -> None:
    """The sentence names the place and the reason, and says what to do."""
    wrong = Database(url_of(database, password=PASSWORD))
    told = refusal(wrong)

    assert f"no database at {wrong.place}: " in told
    assert "password authentication failed" in told
    assert "crypto-pipeline database start" in told
    assert PASSWORD not in told


def test_closed_port_is_told_by_host_and_port(database: Database) -> None:
    """Where nobody listens, one sentence says where that was."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told = refusal(Database(url_of(database, password=PASSWORD, host="127.0.0.1", port=port)))

    assert told.startswith(f"no database at 127.0.0.1:{port}/")
    assert "refused" in told.lower()
    assert PASSWORD not in told
    assert "\n" not in told


def test_unknown_database_is_told_by_its_name(database: Database) -> None:
    """A name that the server does not know is in the sentence."""
    assert "no_such" in refusal(Database(url_of(database, dbname="no_such")))


@pytest.mark.parametrize(
    "url", [f"postgres//me:{PASSWORD}@host/db", f"me:{PASSWORD}@host", f"host=x sesame={PASSWORD}"]
)
def test_address_of_another_form_is_a_usage_error(url: str) -> None:
    """What is no address at all says what one looks like, and not what was written."""
    with pytest.raises(UsageError, match="postgresql://") as refused, Database(url).connect():
        pass

    assert PASSWORD not in str(refused.value)
    assert refused.value.__cause__ is None


def test_address_is_never_shown(database: Database) -> None:
    """Neither repr nor place holds the password."""
    secret = Database(make_conninfo(database.url, password=PASSWORD))

    assert PASSWORD not in repr(secret) + str(secret) + secret.place


def test_place_has_the_usual_port() -> None:
    """An address without a port means the usual one."""
    assert Database("postgresql://me@db.example/market").place == "db.example:5432/market"
