"""Prints what an empty warehouse's schema ``market`` holds, for docs/contract.csv."""

import csv
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer

QUERY = "select * from market.contract order by kind desc, name, position, column_name"

with TemporaryDirectory() as directory:
    server = EmbeddedServer(Path(directory), 0)
    database = Database(server.start())
    try:
        upgrade(database)
        with database.connect() as connection:
            found = connection.execute(QUERY)
            out = csv.writer(sys.stdout, lineterminator="\n")
            out.writerow([column.name for column in found.description or []])
            out.writerows(found)
    finally:
        server.stop()
