"""Connections to the warehouse, and the one place where a driver's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from crypto_pipeline.errors import DatabaseUnreachable, SettingsError

CONNECT_TIMEOUT_SECONDS = 10
APPLICATION = "crypto-pipeline"

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True, repr=False)
class Database:
    """Where the warehouse is; the address holds a password, so it is never shown."""

    url: str

    @property
    def place(self) -> str:
        """Host, port and database, for messages."""
        parts = conninfo_to_dict(self.url)
        return (
            f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"
        )

    @property
    def client_environment(self) -> dict[str, str]:
        """What PostgreSQL's own clients, and dbt, read to find it; the password is among it."""
        parts = conninfo_to_dict(self.url)
        names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
        known = names | {"PGDATABASE": "dbname"}
        return {name: str(parts[part]) for name, part in known.items() if part in parts}

    @contextmanager
    def connect(self, *, read_only: bool = False) -> Iterator[Connection]:
        """An autocommit connection in UTC, closed at the end; DatabaseUnreachable when there is none."""
        with self.opened(read_only=read_only) as connection:
            yield connection

    def opened(self, *, read_only: bool = False) -> Connection:
        """The same, to be closed by the caller."""
        options = connect_options(read_only=read_only)
        try:
            return psycopg.connect(self.url, autocommit=True, **options)
        except psycopg.OperationalError as error:
            raise unreachable(self, error) from None
        except psycopg.ProgrammingError:
            raise no_address() from None


def connect_options(*, read_only: bool = False) -> dict[str, Any]:
    """What every connection of ours asks for, whichever driver mode opens it."""
    # The driver's own read_only has no effect where each statement is its own transaction.
    writing = " -c default_transaction_read_only=on" if read_only else ""
    return {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": APPLICATION,
        "options": f"-c timezone=UTC{writing}",
    }


def no_address() -> SettingsError:
    """One sentence for an address that cannot be read; it is not repeated, for it holds a password."""
    return SettingsError(
        "database_url is not the address of a PostgreSQL database: "
        "write postgresql://user:password@host:port/database"
    )


def unreachable(database: Database, error: psycopg.OperationalError) -> DatabaseUnreachable:
    """One sentence for a failed connection: where, why, and what to do."""
    # Indented lines are the driver's advice; of several attempts the last one's reason is told.
    lines = [line for line in str(error).splitlines() if line[:1].strip()]
    reason = lines[-1].rpartition("failed: ")[2] if lines else "no answer"
    return DatabaseUnreachable(
        f"no database at {database.place}: {reason}. Start it with 'crypto-pipeline database start', "
        "or correct database_url."
    )
