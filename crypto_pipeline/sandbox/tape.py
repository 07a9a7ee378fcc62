"""The synthetic tape: every minute and second of an instrument, from (seed, symbol, time) alone.

The log price is a sum of octaves of hashed noise, each four times slower and twice as strong
as the one before: near a random walk over minutes, bounded over years, random access.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from crypto_pipeline.sandbox.candles import Candles, aggregated
from crypto_pipeline.sandbox.grids import GRIDS, MINUTE, SECOND, Ints
from crypto_pipeline.sandbox.listings import E8, Listing

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]

PRICE_OCTAVES = range(11)  # 1 minute to 2 years
BUSY_OCTAVES = range(3, 7)  # an hour to 3 days
SWING = 0.9  # the log price stays this close to the listing's
WICK = 8e-4  # the longest wick, as a share of the price
LEAST_LOTS = 1_000  # enough for every second of a minute to have some
LEAST_TRADES = 300
TRADE_USDT = 800
LIGHTEST, HEAVIEST = 64, 255  # a second's part of its minute, before it is normalised


@lru_cache(maxsize=1024)
def _salt(seed: int, symbol: str, stream: str) -> int:
    text = f"{seed}/{symbol}/{stream}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def _bits(salt: int, keys: Ints) -> Bits:
    """64 random bits for each key: the finaliser of SplitMix64."""
    bits = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt)
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _uniforms(bits: Bits) -> Floats:
    """Four columns in [0, 1) from the 16-bit quarters of each key's bits."""
    quarters = bits.astype("<u8").view("<u2").reshape(-1, 4).T
    return np.ascontiguousarray(quarters, dtype=np.float64) / 65536


def _noise(salt: int, moments: Ints, octaves: range) -> Floats:
    """Noise in (-1, 1) at consecutive minutes."""
    total = np.zeros(len(moments))
    for octave in octaves:
        shift = 2 * octave
        cells = moments >> shift
        knots = np.arange(cells[0], cells[-1] + 2)
        levels = _bits((salt + octave) % 2**64, knots).astype(np.float64) * 2.0**-63 - 1
        cells -= cells[0]
        part = (moments & ((1 << shift) - 1)) * 2.0**-shift
        left = levels[cells]
        total += 2.0**octave * (left + part * (levels[cells + 1] - left))
    return total / sum(2.0**octave for octave in octaves)


@dataclass(frozen=True, slots=True)
class Tape:
    """The whole life of one instrument under one seed."""

    listing: Listing
    seed: int

    def minutes(self, first: int, stop: int) -> Candles:
        """Final minutes by number since the epoch; each opens where the one before closed."""
        if stop <= first:
            return Candles.none()
        edges = np.arange(first, stop + 1)
        prices = self._prices(edges)
        opens, closes = prices[:-1], prices[1:]
        minutes = edges[:-1]
        up, down, share, pace = _uniforms(_bits(self._salt("minute"), minutes))
        tops, bottoms = np.maximum(opens, closes), np.minimum(opens, closes)
        highs = tops + (tops * (WICK * up**3)).astype(np.int64)
        lows = np.maximum(bottoms - (bottoms * (WICK * down**3)).astype(np.int64), 1)
        mean = (opens + highs + lows + closes) // 4
        lots = self._lots(minutes, (tops - bottoms) / tops)
        taker = (lots * (0.3 + 0.4 * share)).astype(np.int64)
        trades = self._trades(lots, pace)
        opened_at = minutes * MINUTE
        closed_at = opened_at + (MINUTE - 1)
        return Candles(
            *(opened_at, closed_at, opens, highs, lows, closes),
            *(lots, lots * mean, trades, taker, taker * mean),
        )

    def seconds(self, minutes: Candles) -> Candles:
        """The sixty seconds of each minute; together they are exactly that minute."""
        marks = (minutes.opened_at // SECOND)[:, None] + np.arange(60)
        bits = _bits(self._salt("second"), marks.ravel()).reshape(-1, 60)
        edges = _bridges(minutes, bits)
        opens, closes = edges[:, :-1], edges[:, 1:]
        highs, lows = np.maximum(opens, closes), np.minimum(opens, closes)
        rows = np.arange(len(minutes))
        turns = _bits(self._salt("turn"), minutes.opened_at)
        highs[rows, (turns & np.uint64(0xFFFF)).astype(np.int64) % 60] = minutes.high
        lows[rows, (turns >> np.uint64(48)).astype(np.int64) % 60] = minutes.low
        mean = minutes.quote // minutes.volume
        volume, trades, taker = _split(minutes, bits)
        opened_at = marks * SECOND
        columns = (
            *(opened_at, opened_at + (SECOND - 1), opens, highs, lows, closes),
            *(volume, volume * mean[:, None], trades, taker, taker * mean[:, None]),
        )
        return Candles(*(column.ravel() for column in columns))

    def live_seconds(self, now: int) -> Candles:
        """The seconds of the running minute; the running second has not traded yet."""
        minute = now // MINUTE
        seconds = self.seconds(self.minutes(minute, minute + 1))
        seconds = seconds.take(slice(0, now % MINUTE // SECOND + 1))
        for column in (seconds.high, seconds.low, seconds.close):
            column[-1] = seconds.open[-1]
        for column in seconds.columns()[6:]:
            column[-1] = 0
        return seconds

    def live_minute(self, now: int) -> Candles:
        """The running minute as far as its finished seconds go."""
        return aggregated(self.live_seconds(now), GRIDS["1m"])

    def _salt(self, stream: str) -> int:
        return _salt(self.seed, self.listing.symbol, stream)

    def _prices(self, edges: Ints) -> Ints:
        """The price in ticks at each minute's edge."""
        noise = _noise(_salt(self.seed, self.listing.priced_as, "price"), edges, PRICE_OCTAVES)
        prices: Floats = self.listing.price * E8 / self.listing.tick * np.exp(SWING * noise)
        return np.rint(prices).astype(np.int64)

    def _lots(self, minutes: Ints, moves: Floats) -> Ints:
        """Volume in steps: busy and quiet hours, bursts, and more when the price moves."""
        busy = np.exp(_noise(self._salt("busy"), minutes, BUSY_OCTAVES))
        calm, burst, _, _ = _uniforms(_bits(self._salt("volume"), minutes))
        lots: Floats = self.listing.lots * busy * (0.2 + 0.6 * calm + burst**6 + 400 * moves)
        return np.maximum(lots.astype(np.int64), LEAST_LOTS)

    def _trades(self, lots: Ints, pace: Floats) -> Ints:
        per_lot = self.listing.turnover / self.listing.lots / TRADE_USDT
        return LEAST_TRADES + (lots * per_lot * (0.5 + pace)).astype(np.int64)


def _bridges(minutes: Candles, bits: Bits) -> Ints:
    """Prices at the 61 edges of each minute's seconds, from its open to its close."""
    at = np.arange(61)
    opens, closes = minutes.open[:, None], minutes.close[:, None]
    noise = np.pad((bits >> np.uint64(32)).astype(np.float64) * 2.0**-31 - 1, ((0, 0), (0, 1)))
    swing = noise * (at * (60 - at) / 1800) * (minutes.high - minutes.low)[:, None]
    path = opens + (closes - opens) * at // 60 + swing.astype(np.int64)
    bounded: Ints = np.clip(path, minutes.low[:, None], minutes.high[:, None])
    return bounded


def _split(minutes: Candles, bits: Bits) -> list[Ints]:
    """Volume, trades and taker volume dealt to the seconds by weight, without remainder."""
    weights = LIGHTEST + (bits % np.uint64(HEAVIEST - LIGHTEST + 1)).astype(np.int64)
    run = np.cumsum(weights, axis=1)
    wholes = (minutes.volume, minutes.trades, minutes.taker_volume)
    return [np.diff(whole[:, None] * run // run[:, -1:], axis=1, prepend=0) for whole in wholes]
