"""Which revision of the schema a database has, and whether this release can work with it.

Migrating is done in ``migrate``; this look costs no import of Alembic.
"""

import re
from importlib.resources import files

from crypto_pipeline.errors import UnreachableError, UsageError
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.statements import statements

BASE = "base"
_FILE = re.compile(r"(\d{4})_\w+\.py")


def known_revisions() -> list[str]:
    """The revisions of this release, oldest first; a migration's file begins with its revision."""
    names = (file.name for file in (files(__package__) / "migrations" / "versions").iterdir())
    return sorted(match[1] for name in names if (match := _FILE.fullmatch(name)))


def revision_of(database: Database) -> str:
    """The revision a database is at; ``base`` when it has no schema of ours."""
    sql = statements("status")
    with database.connect(read_only=True) as connection:
        row = connection.execute(sql["schema_revision_exists"]).fetchone()
        if row is None or not row[0]:
            return BASE
        found = connection.execute(sql["schema_revision"]).fetchone()
    return str(found[0]) if found else BASE


def require_migrated(database: Database) -> Database:
    """The same database; an UnreachableError says what to do when its schema is not this release's."""
    found, needed = revision_of(database), known_revisions()[-1]
    if found == needed:
        return database
    remedy = "run 'crypto-pipeline up' or 'crypto-pipeline database migrate'"
    if found == BASE:
        msg = f"there is no warehouse in {database.place} yet: {remedy}"
    elif found in known_revisions():
        msg = f"the warehouse in {database.place} is at revision {found}, and {needed} is needed: {remedy}"
    else:
        msg = (
            f"the warehouse in {database.place} is at revision {found}, "
            "which this release does not know: upgrade crypto-pipeline"
        )
    raise UnreachableError(msg)


def is_older(revision: str, than: str) -> bool:
    """Whether a revision comes before another; a UsageError lists the known when it is unknown."""
    order = [BASE, *known_revisions()]
    if revision not in order:
        msg = f"there is no revision {revision!r}: expected one of {', '.join(order)}"
        raise UsageError(msg)
    return than in order and order.index(revision) < order.index(than)
