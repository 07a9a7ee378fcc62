"""Which schema a database has, told without loading what migrates it."""

import pytest

from crypto_pipeline.errors import UnreachableError, UsageError
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import downgrade, upgrade
from crypto_pipeline.warehouse.revisions import (
    BASE,
    is_older,
    known_revisions,
    require_migrated,
    revision_of,
)


def test_revisions_are_those_that_alembic_knows(empty_database: Database) -> None:
    """The newest file is where a migration ends, and ``base`` where it begins."""
    before = revision_of(empty_database)
    reached = upgrade(empty_database)
    after = revision_of(empty_database)
    downgrade(empty_database, BASE)

    assert (BASE, BASE) == (before, revision_of(empty_database))
    assert known_revisions()[-1] == reached == after


def test_migrated_database_passes(database: Database) -> None:
    """What is in step is handed back as it came."""
    assert database is require_migrated(database)


def test_empty_database_says_what_to_run(empty_database: Database) -> None:
    """Nobody is left to guess."""
    with pytest.raises(UnreachableError, match="yet: run 'crypto-pipeline up'"):
        require_migrated(empty_database)


def test_database_of_a_newer_release_is_left_alone(database: Database) -> None:
    """Its revision is named, and the remedy is another than migrating."""
    with database.connect() as connection:
        connection.execute("update warehouse.alembic_version set version_num = '9999'")

    with pytest.raises(UnreachableError, match="9999, which this release does not know: upgrade"):
        require_migrated(database)


def test_older_means_before_in_the_order_of_migrations() -> None:
    """Nothing is older than ``base``; what is unknown is refused with the known."""
    newest = known_revisions()[-1]

    assert is_older(BASE, than=newest)
    assert not is_older(newest, than=newest)
    assert not is_older(newest, than=BASE)
    with pytest.raises(UsageError, match=f"expected one of base, .*{newest}"):
        is_older("9999", than=newest)
