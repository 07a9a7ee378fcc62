"""The contract: what users query stays as it is, and a change of it is seen."""

import csv

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.conftest import REPOSITORY

LISTED = REPOSITORY / "docs" / "contract.csv"


def test_the_schema_is_the_listed_one(database: Database) -> None:
    """Names, types, order and meanings; 'make contract' writes the list anew."""
    with database.connect() as connection:
        found = connection.execute(
            "select * from market.contract order by kind desc, name, position, column_name"
        ).fetchall()
    with LISTED.open(encoding="utf-8", newline="") as file:
        _, *listed = csv.reader(file)

    assert listed == [list(map(str, row)) for row in found]


def test_everything_is_described(database: Database) -> None:
    """Each view, column and function says what it means."""
    with database.connect() as connection:
        silent = connection.execute(
            """
            select name, column_name from market.contract where description is null
            union all
            select relname, null from pg_class
            where relnamespace = 'market'::regnamespace and obj_description(oid) is null
            """
        ).fetchall()

    assert [] == silent
