"""Migrations: forward, back and forward again, by one process at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from crypto_pipeline.errors import DatabaseUnreachable, SettingsError, UnreachableError
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import differences, downgrade, upgrade
from crypto_pipeline.warehouse.writer import ensure_month_partitions
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.warehouse.storing import SINCE, Warehouse

OBJECTS = """
    select n.nspname || '.' || c.relname, c.relkind::text
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname in ('warehouse', 'market') and c.relname <> 'alembic_version'
        and c.relname <> 'alembic_version_pkc'
    union all
    select n.nspname || '.' || p.proname, 'function'
    from pg_proc as p
    join pg_namespace as n on n.oid = p.pronamespace
    where n.nspname in ('warehouse', 'market')
    order by 1, 2
"""
FIRST_RELEASE = """
    insert into warehouse.series (
        dataset, name, venue, instrument, interval, step, anchor, grace, starts_at
    ) values (
        'ohlc', 'binance/BTC-USDT/1h', 'binance', 'BTC-USDT', '1h', '1 hour', 'epoch', '2 seconds',
        '2024-02-28 00:00+00'
    );
    insert into warehouse.loads (source) values ('binance');
    insert into warehouse.ohlc (open_time, series_id, load_id, open, high, low, close, volume)
    values ('2024-02-28 00:00+00', 1, 1, 1, 1, 1, 1, 1);
    insert into warehouse.coverage (series_id, day, expected, present, attempts, last_error)
    values (
        1, '2024-02-28', '{[2024-02-28 00:00+00, 2024-02-29 00:00+00)}',
        '{[2024-02-28 00:00+00, 2024-02-28 01:00+00)}', 3, 'no answer'
    );
"""
KEPT = (
    "select name, starts_at, is_active from warehouse.series",
    "select day, expected, present, missing from warehouse.coverage",
    "select * from market.ohlc",
    "select source, fetched_at from warehouse.loads",
)


def objects(database: Database) -> list[tuple[object, ...]]:
    """Every table, index, sequence, view and function of ours."""
    with database.connect() as connection:
        return connection.execute(OBJECTS).fetchall()


def test_forward_back_and_forward_again(empty_database: Database) -> None:
    """Going back leaves nothing of ours behind, and going forward again makes the same."""
    revision = upgrade(empty_database)
    first = objects(empty_database)

    assert len(first) > 20
    assert downgrade(empty_database, "base") == "base"
    assert [] == objects(empty_database)
    assert upgrade(empty_database) == revision
    assert first == objects(empty_database)


def test_second_upgrade_changes_nothing(database: Database) -> None:
    """At every start the migrations run; when all is in step they do nothing and say where they are."""
    before = objects(database)

    assert upgrade(database) == upgrade(database)
    assert before == objects(database)


def test_migrations_and_metadata_agree(database: Database) -> None:
    """A database that was migrated has just the tables that the metadata declares."""
    assert [] == differences(database)


def test_month_partitions_are_no_difference(database: Database) -> None:
    """Months come with the rows, not with migrations, and nobody wants to drop them for that."""
    with database.connect() as connection:
        ensure_month_partitions(connection, [date(2017, 8, 1), date(2024, 2, 1)])

    assert [] == differences(database)


def test_a_column_too_many_is_a_difference(database: Database) -> None:
    """The comparison sees what it is there to see."""
    with database.connect() as connection:
        connection.execute("alter table warehouse.series add column surprise text")

    assert "surprise" in str(differences(database))


def test_rows_go_with_the_tables(database: Database) -> None:
    """Going back works on a warehouse that is in use, months and revisions included."""
    warehouse = Warehouse(database, [series_of()])
    warehouse.store(candle(SINCE))
    warehouse.store(candle(SINCE, close="16568.61"))

    assert downgrade(database, "base") == "base"
    assert [] == objects(database)


def test_warehouse_of_an_older_release_is_taken_along(empty_database: Database) -> None:
    """Rows, ledger and wishes go through the newer schema, there and back, as they were."""
    upgrade(empty_database, "0001")
    with empty_database.connect() as connection:
        ensure_month_partitions(connection, [date(2024, 2, 1)])
        connection.execute(FIRST_RELEASE)
        before = [connection.execute(table).fetchall() for table in KEPT]
        upgrade(empty_database)
        asked = connection.execute(
            "select since, starts_at, listed_at from warehouse.series"
        ).fetchall()
        gaps = connection.execute("select slots, state, attempts from market.gaps").fetchall()
        downgrade(empty_database, "0001")
        after = [connection.execute(table).fetchall() for table in KEPT]

    assert [(SINCE, SINCE, None)] == asked
    assert [(23, "missing", 0)] == gaps
    assert before == after


def test_newer_database_is_left_alone(database: Database) -> None:
    """A revision that this release does not know is refused with what to do, and nothing is changed."""
    with database.connect() as connection:
        connection.execute("update warehouse.alembic_version set version_num = '9999'")
    before = objects(database)

    with pytest.raises(UnreachableError, match=r"revision 9999.* upgrade crypto-pipeline"):
        upgrade(database)
    assert before == objects(database)


def test_many_can_upgrade_at_once(empty_database: Database) -> None:
    """Webserver, daemon and command line may start together; one migrates, the others wait for it."""
    with ThreadPoolExecutor(6) as threads:
        reached = [*threads.map(upgrade, [empty_database] * 6)]

    assert 1 == len(set(reached))
    assert [] == differences(empty_database)


def test_unreachable_database_is_told(database: Database) -> None:
    """Without a server there is one sentence, not a traceback of the migration tool."""
    nowhere = Database(database.url.rpartition("/")[0] + "/no_such_database")

    with pytest.raises(DatabaseUnreachable, match="no_such_database"):
        upgrade(nowhere)


def test_address_of_another_form_is_told() -> None:
    """An address that cannot be read is a wrong setting, shown without what was written."""
    with pytest.raises(SettingsError, match="write postgresql://") as wrong:
        upgrade(Database("s3cret"))

    assert "s3cret" not in str(wrong.value)
