"""The coins of the synthetic market: what feeds call them, and what they cost on the tape at any moment.

A price is that at which the last whole minute against USDT closed, so it agrees with the candles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crypto_pipeline.sandbox.faults import ROWLESS, Asked, FaultBook
from crypto_pipeline.sandbox.grids import DAY, MINUTE
from crypto_pipeline.sandbox.listings import E8, LISTINGS, Listing
from crypto_pipeline.sandbox.tape import Tape


@dataclass(frozen=True, slots=True)
class Coin:
    """One asset: CoinGecko's name, and those of others that have names of their own."""

    listing: Listing
    coingecko: str
    title: str
    coinpaprika: str
    coinmarketcap: int
    supply: int
    coincap: str | None = None

    @property
    def symbol(self) -> str:
        """What all call it."""
        return self.listing.base


class Quote(NamedTuple):
    """What a coin costs and how it has fared; ``price`` is in units of 1e-8, ``at`` in milliseconds."""

    at: int
    price: int
    cap: float
    volume: float
    change: float

    @property
    def usd(self) -> float:
        """The price as a JSON number."""
        return self.price / E8

    @property
    def text(self) -> str:
        """The price as text, exact."""
        return f"{self.price // E8}.{self.price % E8:08d}"


_LISTED = {listing.base: listing for listing in LISTINGS}
COINS = (
    Coin(_LISTED["BTC"], "bitcoin", "Bitcoin", "btc-bitcoin", 1, 19_900_000, "bitcoin"),
    Coin(_LISTED["ETH"], "ethereum", "Ethereum", "eth-ethereum", 1027, 120_000_000, "ethereum"),
    Coin(_LISTED["XRP"], "ripple", "XRP", "xrp-xrp", 52, 60_000_000_000),
    Coin(
        _LISTED["BNB"], "binancecoin", "BNB", "bnb-binance-coin", 1839, 138_000_000, "binance-coin"
    ),
    Coin(_LISTED["SOL"], "solana", "Solana", "sol-solana", 5426, 540_000_000, "solana"),
    Coin(_LISTED["DOGE"], "dogecoin", "Dogecoin", "doge-dogecoin", 74, 150_000_000_000),
    Coin(_LISTED["ADA"], "cardano", "Cardano", "ada-cardano", 2010, 36_000_000_000, "cardano"),
    Coin(_LISTED["TRX"], "tron", "TRON", "trx-tron", 1958, 94_000_000_000),
    Coin(_LISTED["AVAX"], "avalanche-2", "Avalanche", "avax-avalanche", 5805, 420_000_000),
    Coin(_LISTED["LINK"], "chainlink", "Chainlink", "link-chainlink", 1975, 680_000_000),
    Coin(_LISTED["DOT"], "polkadot", "Polkadot", "dot-polkadot", 6636, 1_600_000_000),
    Coin(_LISTED["LTC"], "litecoin", "Litecoin", "ltc-litecoin", 2, 76_000_000),
)


@dataclass(frozen=True, slots=True)
class CoinTape:
    """All coins under one seed; the market's faults take coins away by their CoinGecko name."""

    seed: int
    book: FaultBook

    def now(self, coin: Coin, path: str, now: int) -> Quote | None:
        """What it costs now; None when it is not there."""
        found = self.past(coin, path, (now,))
        return found[0] if found else None

    def all_now(self, path: str, now: int) -> list[tuple[Coin, Quote]]:
        """Every coin that is there, the largest first."""
        found = [(coin, quote) for coin in COINS if (quote := self.now(coin, path, now))]
        return sorted(found, key=lambda pair: -pair[1].cap)

    def past(self, coin: Coin, path: str, moments: Sequence[int]) -> list[Quote]:
        """What it cost at those moments, where it was there."""
        asked = Asked(path, coin.coingecko)
        gone = [span for kind in ROWLESS for span in self.book.spans(kind, asked)]
        listed = coin.listing.listed_ms + DAY
        there = [
            at
            for at in moments
            if at >= listed and not any(start <= at < end for start, end in gone)
        ]
        return self._quotes(coin, there) if there else []

    def _quotes(self, coin: Coin, moments: Sequence[int]) -> list[Quote]:
        """A minute opens at what the one before it closed at."""
        first, last = (min(moments) - DAY) // MINUTE, max(moments) // MINUTE
        opens = Tape(coin.listing, self.seed).minutes(first, last + 1).open
        volume = float(coin.listing.turnover * (DAY // MINUTE))
        quotes = []
        for at in moments:
            price, before = (int(opens[(then // MINUTE) - first]) for then in (at, at - DAY))
            price, change = price * coin.listing.tick, round((price / before - 1) * 100, 5)
            quotes.append(Quote(at, price, price / E8 * coin.supply, volume, change))
        return quotes
