"""What an import is held against: the stored candles, packed or not, as doubles."""

from datetime import timedelta

from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.warehouse.importing import known
from crypto_pipeline.warehouse.packing import pack
from crypto_pipeline_tests.frames.examples import candle
from crypto_pipeline_tests.warehouse.storing import BTC, FEB_28, MINUTE, SINCE, Warehouse


def test_stored_candles_are_known_with_their_trust(warehouse: Warehouse) -> None:
    """Those that open in the window, by time; a packed day is no other than one that is not."""
    warehouse.store(candle(SINCE), trust=0)
    warehouse.store(candle(SINCE + MINUTE, close="16570"), trust=3)
    warehouse.store(candle(SINCE + 2 * DAY))
    window = Window(SINCE, SINCE + 2 * DAY)
    loose = known(warehouse.database, BTC, window)
    pack(warehouse.database, FEB_28 + timedelta(days=10))
    packed = known(warehouse.database, BTC, window)

    for found in (loose, packed):
        assert [0, 60_000_000] == (found.times - found.times[0]).tolist()
        assert [16570.14, 16574.97, 16564.09, 16568.6, 2622.14355] == found.values[0].tolist()
        assert [16568.6, 16570.0] == found.values[:, 3].tolist()
        assert [0, 3] == found.trust.tolist()


def test_nothing_is_known_of_an_empty_window(warehouse: Warehouse) -> None:
    """Then there is nothing to hold it against."""
    found = known(warehouse.database, BTC, Window(SINCE, SINCE + DAY))

    assert (0, (0, 5), 0) == (len(found.times), found.values.shape, len(found.trust))
