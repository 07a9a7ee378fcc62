"""The table of assets: whoever asks by id, symbol or name finds the same one."""

import pytest

from crypto_pipeline.market.assets import ASSETS
from crypto_pipeline.warehouse.assets import note_assets
from crypto_pipeline.warehouse.database import Database


def one(database: Database, statement: str, *parameters: object) -> object:
    """The first value that a query answers."""
    with database.connect() as connection:
        row = connection.execute(statement, parameters).fetchone()
    assert row is not None
    return row[0]


def test_a_migrated_warehouse_knows_every_asset(database: Database) -> None:
    """Nobody has to fill the table, and filling it again changes nothing."""
    note_assets(database)

    assert len(ASSETS) == one(database, "select count(*) from market.assets")


@pytest.mark.parametrize("named", ["bitcoin", "BTC", "btc", "Bitcoin"])
def test_an_asset_is_found_by_any_of_its_names(database: Database, named: str) -> None:
    """Id, symbol and name lead to the id, in any case."""
    assert one(database, "select market.asset_id(%s)", named) == "bitcoin"


def test_what_no_asset_is_called_is_null(database: Database) -> None:
    """A wrong name finds nothing rather than something else."""
    assert one(database, "select market.asset_id('no such coin')") is None
