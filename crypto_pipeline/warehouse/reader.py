"""The role of those who query: it reads what is public, within a time, and can change nothing.

A role belongs to the whole server; its grants are of one database. Ours carries a comment that says so.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from crypto_pipeline.errors import UsageError
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.statements import statements

READER = "crypto_reader"
SCHEMAS = ("market", "collector", "staging", "marts")
MARK = "Reads a crypto-pipeline warehouse: made by 'crypto-pipeline database grant-reader'."
LONGEST_MS = 86_400_000
_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")
_TIMEOUT = re.compile(r"([1-9]\d{0,8})(ms|s|min|h)")
_MS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
_LIMITS = (
    *("mark_as_ours", "limit_time", "limit_idle_time", "one_process", "read_only"),
    *("search_path", "time_zone", "let_connect"),
)
_GRANTS = ("make_schema", "let_look", "let_read", "let_read_later")
_REVOKED = ("no_more_read_later", "no_more_read", "no_more_look")
_FORBIDDEN = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
# Where the database is not ours alone, its owner may have decided otherwise.
_KEPT_OUT = ("keep_out_temporary", "keep_out_public", "keep_out_large_objects")


@dataclass(frozen=True, slots=True)
class Reader:
    """A role of one database."""

    database: Database
    name: str = READER

    def __post_init__(self) -> None:
        """Refuses a name that would need quoting wherever it is written."""
        if not _NAME.fullmatch(self.name):
            msg = (
                f"{self.name!r} cannot be the name of a reader: use a-z, 0-9 and _, up to 63 of them, "
                "a letter first, and not pg_"
            )
            raise UsageError(msg)

    def exists(self) -> bool:
        """Whether it was made before; a UsageError when the role is somebody else's."""
        with self.database.connect() as connection:
            return self._is_there(connection)

    def grant(self, timeout: str, password: str | None) -> None:
        """Make the role, or renew what it may do; its password stays where none is given.

        All or nothing. What dbt and migrations make later, as this user, is readable at once.
        """
        limit = milliseconds(timeout)
        with self.database.connect() as connection, connection.transaction():
            try:
                self._grant(connection, limit, password)
            except _FORBIDDEN as error:
                raise self._refused(error) from None

    def revoke(self) -> str | None:
        """Take everything away and drop the role; what still holds the role, where that cannot be done."""
        with self.database.connect() as connection:
            if not self._is_there(connection):
                msg = f"there is no reader {self.name} at {self.database.place}"
                raise UsageError(msg)
            try:
                with connection.transaction():
                    self._revoke(connection)
                with suppress(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statements("reader")["end_sessions"], {"name": self.name})
                self._run(connection, "drop_role")
            except psycopg.errors.DependentObjectsStillExist as error:
                return error.diag.message_detail
            except _FORBIDDEN as error:
                raise self._refused(error) from None
        return None

    def address(self, password: str | None) -> str:
        """Where it connects, as clients take it; without a password that was not given."""
        parts = conninfo_to_dict(self.database.url)
        host = str(parts.get("host", "localhost"))
        # A directory of sockets is escaped, an IPv6 address bracketed.
        place = f"[{host}]" if ":" in host else quote(host, safe="")
        secret = f":{quote(password, safe='')}" if password else ""
        name = quote(str(parts.get("dbname", "")), safe="")
        return f"postgresql://{self.name}{secret}@{place}:{parts.get('port', 5432)}/{name}"

    def _is_there(self, connection: Connection) -> bool:
        found = connection.execute(statements("reader")["known_role"], {"name": self.name})
        role = found.fetchone()
        if role is None or role == (False, MARK):
            return role is not None
        why = "is a superuser, who may do anything" if role[0] else "was not made by grant-reader"
        msg = f"the role {self.name} {why}: choose another --name"
        raise UsageError(msg)

    def _grant(self, connection: Connection, limit: int, password: str | None) -> None:
        if not self._is_there(connection):
            self._run(connection, "create_role")
        for name in _LIMITS:
            self._run(connection, name, timeout=sql.Literal(limit), mark=sql.Literal(MARK))
        if password is not None:
            # The server's log may hold statements: it gets what a password can be checked with.
            hashed = connection.pgconn.encrypt_password(
                password.encode(), self.name.encode(), b"scram-sha-256"
            )
            self._run(connection, "set_password", verifier=sql.Literal(hashed.decode()))
        for schema in SCHEMAS:
            for name in _GRANTS:
                self._run(connection, name, schema=sql.Identifier(schema))
        for name in _KEPT_OUT:
            with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
                self._run(connection, name)

    def _revoke(self, connection: Connection) -> None:
        found = connection.execute(
            statements("reader")["known_schemas"], {"schemas": [*SCHEMAS]}
        ).fetchall()
        for (schema,) in found:
            for name in _REVOKED:
                self._run(connection, name, schema=sql.Identifier(str(schema)))
        self._run(connection, "no_more_connect")

    def _run(self, connection: Connection, name: str, **parts: sql.Composable) -> None:
        """One statement about the role."""
        database = sql.Identifier(connection.info.dbname)
        known = {"role": sql.Identifier(self.name), "database": database, **parts}
        connection.execute(sql.SQL(statements("reader")[name]).format(**known))

    def _refused(self, error: psycopg.Error) -> UsageError:
        return UsageError(
            f"the user of the database at {self.database.place} may not do that "
            f"({error.diag.message_primary}): connect as its owner, with CREATEROLE"
        )


def milliseconds(timeout: str) -> int:
    """How long a reader's statement may run, from text like 30s; a UsageError when it is no such text."""
    found = _TIMEOUT.fullmatch(timeout.strip())
    limit = int(found[1]) * _MS[found[2]] if found else 0
    if not 0 < limit <= LONGEST_MS:
        msg = f"--timeout is {timeout!r}: expected up to a day, like 500ms, 30s, 5min or 1h"
        raise UsageError(msg)
    return limit
