"""The instruments of the synthetic market: when trading began, and on what scale they trade.

What a venue calls them, and which rules it prints about them, belongs to the venue's module.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

E8 = 100_000_000
"""Money and amounts are integers of 1e-8, the precision the venues print."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument: ``tick`` and ``step`` are its price and amount steps in units of 1e-8."""

    base: str
    quote: str
    listed_at: datetime
    price: float
    tick: int
    step: int
    turnover: int

    @property
    def symbol(self) -> str:
        """Base and quote run together, as most venues spell it."""
        return self.base + self.quote

    @property
    def priced_as(self) -> str:
        """The symbol whose price it shares: a dollar is a dollar, be it a coin."""
        return self.base + ("USDT" if self.quote == "USD" else self.quote)

    @property
    def listed_ms(self) -> int:
        """The first instant with a trade, in milliseconds of the Unix epoch."""
        return round(self.listed_at.timestamp() * 1000)

    @property
    def lots(self) -> float:
        """The number of amount steps that change hands in an average minute."""
        return self.turnover / self.price / self.step * E8


def _usdt(base: str, listed: str, price: float, steps: tuple[str, str], turnover: int) -> Listing:
    """``steps`` are those of price and amount, ``turnover`` is in USDT a minute."""
    listed_at = datetime.fromisoformat(listed).replace(tzinfo=UTC)
    return Listing(base, "USDT", listed_at, price, _e8(steps[0]), _e8(steps[1]), turnover)


def _e8(text: str) -> int:
    """``0.01`` as an integer of 1e-8."""
    return round(float(text) * E8)


LISTINGS = (
    _usdt("BTC", "2017-08-17 04:00", 49_000, ("0.01", "0.00001"), 400_000),
    _usdt("ETH", "2017-08-17 04:00", 2_400, ("0.01", "0.0001"), 250_000),
    _usdt("BNB", "2017-11-06 03:00", 420, ("0.01", "0.001"), 60_000),
    _usdt("LTC", "2017-12-13 03:00", 90, ("0.01", "0.001"), 15_000),
    _usdt("ADA", "2018-04-17 04:00", 0.6, ("0.0001", "0.1"), 30_000),
    _usdt("XRP", "2018-05-04 08:00", 1.1, ("0.0001", "0.1"), 90_000),
    _usdt("TRX", "2018-06-11 11:00", 0.15, ("0.0001", "0.1"), 20_000),
    _usdt("LINK", "2019-01-16 10:00", 15, ("0.01", "0.01"), 20_000),
    _usdt("DOGE", "2019-07-05 12:00", 0.17, ("0.00001", "1"), 60_000),
    _usdt("SOL", "2020-08-11 06:00", 110, ("0.01", "0.001"), 150_000),
    _usdt("DOT", "2020-08-18 23:00", 7.5, ("0.001", "0.01"), 15_000),
    _usdt("AVAX", "2020-09-22 06:00", 30, ("0.01", "0.01"), 25_000),
)
"""Listing hours are Binance's first hourly candles; prices swing around ``price`` by e±0.9."""


def quoted_in(quote: str) -> tuple[Listing, ...]:
    """The same assets against another money, each with trades of its own."""
    return tuple(replace(listing, quote=quote) for listing in LISTINGS)


DOLLARS = quoted_in("USD")
"""What venues trade that take dollars: BTC-USD, ETH-USD, XRP-USD, SOL-USD, and so on."""
