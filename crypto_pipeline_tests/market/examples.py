"""CandleSeries to try things on."""

from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries


def series_of(
    instrument: str = "BTC-USDT", interval: str = "1m", venue: str = "binance"
) -> CandleSeries:
    """A series by its parts."""
    return CandleSeries(venue, Instrument.parse(instrument), Interval.parse(interval))
