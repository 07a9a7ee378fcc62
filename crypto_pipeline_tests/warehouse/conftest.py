"""What the warehouse's tests share: a warehouse with two series."""

import pytest

from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.warehouse.storing import BTC, ETH, Warehouse


@pytest.fixture
def warehouse(database: Database) -> Warehouse:
    """Two series of minutes over a leap day."""
    warehouse = Warehouse(database, [BTC, ETH])
    warehouse.register()
    return warehouse
