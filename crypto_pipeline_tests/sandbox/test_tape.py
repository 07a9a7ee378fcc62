"""The tape is a function of seed, symbol and time, and looks like a market."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_pipeline.sandbox.candles import aggregated
from crypto_pipeline.sandbox.grids import GRIDS, MINUTE
from crypto_pipeline.sandbox.listings import LISTINGS, Listing
from crypto_pipeline.sandbox.tape import Tape

BTC = LISTINGS[0]
FIRST = 29_000_000  # a minute of February 2025
minutes_since = st.integers(min_value=BTC.listed_ms // MINUTE, max_value=FIRST * 2)


@settings(deadline=None)
@given(first=minutes_since, before=st.integers(0, 300), after=st.integers(0, 300))
def test_a_minute_is_the_same_whatever_is_asked_around_it(
    first: int, before: int, after: int
) -> None:
    """A candle does not depend on the range it is asked in, nor on who asks."""
    alone = Tape(BTC, 7).minutes(first, first + 1)
    among = Tape(BTC, 7).minutes(first - before, first + after + 1)

    assert alone == among.take(slice(before, before + 1))


def test_seeds_and_symbols_have_their_own_history() -> None:
    """Nothing is shared between two seeds or two symbols."""
    tapes = [Tape(BTC, 7), Tape(BTC, 8), Tape(LISTINGS[1], 7)]
    returns = [np.diff(np.log(tape.minutes(FIRST, FIRST + 5000).close)) for tape in tapes]

    assert np.abs(np.corrcoef(returns) - np.eye(3)).max() < 0.1


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.symbol)
def test_every_candle_is_possible(listing: Listing) -> None:
    """Open at the last close, low under all, high over all, and a mean price between them."""
    rows = Tape(listing, 7).minutes(FIRST, FIRST + 20_000)

    assert np.array_equal(rows.open[1:], rows.close[:-1])
    assert (rows.low > 0).all()
    assert (rows.low <= np.minimum(rows.open, rows.close)).all()
    assert (rows.high >= np.maximum(rows.open, rows.close)).all()
    assert (rows.low * rows.volume <= rows.quote).all()
    assert (rows.quote <= rows.high * rows.volume).all()
    assert (rows.taker_volume < rows.volume).all()
    assert (rows.trades <= rows.volume).all()


def test_bitcoin_is_dear_and_lively() -> None:
    """Prices stay between 19,000 and 121,000, and move by some basis points a minute."""
    tape = Tape(BTC, 7)
    first = BTC.listed_ms // MINUTE
    closes = np.concatenate(
        [tape.minutes(first + day * 1440, first + day * 1440 + 1).close for day in range(3000)]
    )
    moves = np.diff(np.log(tape.minutes(FIRST, FIRST + 10_000).close))

    assert 1_900_000 < closes.min() < closes.max() < 12_100_000
    assert closes.max() > 1.5 * closes.min()
    assert 2e-4 < moves.std() < 2e-3


@settings(deadline=None)
@given(first=minutes_since, listing=st.sampled_from(LISTINGS))
def test_the_seconds_of_a_minute_are_that_minute(first: int, listing: Listing) -> None:
    """First open, last close, extremes and every sum agree to the last digit."""
    tape = Tape(listing, 7)
    minutes = tape.minutes(first, first + 3)
    seconds = tape.seconds(minutes)

    assert aggregated(seconds, GRIDS["1m"]) == minutes
    assert (seconds.low <= np.minimum(seconds.open, seconds.close)).all()
    assert (seconds.high >= np.maximum(seconds.open, seconds.close)).all()
    assert (seconds.taker_volume <= seconds.volume).all()
    assert (seconds.trades > 0).all()
