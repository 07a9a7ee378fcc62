"""CandleSeries: the ledger's unit of account has a name people can type."""

from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries


def test_name_tells_venue_instrument_and_interval() -> None:
    """The name holds all that tells one series of a dataset from another."""
    series = CandleSeries("binance", Instrument("BTC", "USDT"), Interval.parse("1m"))

    assert series.name == "binance/BTC-USDT/1m"
    assert series.name == str(series)
