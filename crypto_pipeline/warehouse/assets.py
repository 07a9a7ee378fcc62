"""The assets as a table: one id and one symbol for each, whatever a source calls it."""

from crypto_pipeline.market.assets import ASSETS
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.statements import statements


def note_assets(database: Database) -> None:
    """Have the table hold what this release knows; one that is known no more stays, for rows may name it."""
    rows = [(one.asset_id, one.symbol, one.name) for one in ASSETS]
    with database.connect() as connection, connection.transaction():
        connection.cursor().executemany(statements("assets")["note"], rows)
