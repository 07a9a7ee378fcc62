"""Synthetic chains: blocks in order, some missed, found again by their time."""

from itertools import pairwise

import pytest

from crypto_pipeline.sandbox.chain import BOUT, CHAINS

SEED = 7
every_chain = pytest.mark.parametrize("name", CHAINS)


@every_chain
def test_newest_block_is_the_last_at_or_before_a_time(name: str) -> None:
    """Asked at any second, the newest block is not of the future and the next one is."""
    chain = CHAINS[name]
    for seconds in range(chain.began + 86_400, chain.began + 86_400 + 3000, 7):
        newest = chain.newest(seconds, SEED)

        assert chain.block(newest, SEED).seconds <= seconds
        assert chain.block(newest + 1, SEED).seconds >= seconds


@every_chain
def test_blocks_keep_their_beat(name: str) -> None:
    """Times never go backwards; of a hundred turns at most one is missed."""
    chain = CHAINS[name]
    turn = chain.quarters / 4
    times = [chain.block(chain.first + at, SEED).seconds for at in range(5 * BOUT)]
    gaps = [after - before for before, after in pairwise(times)]

    assert chain.began == times[0]
    assert min(gaps) >= int(turn)
    assert times[-1] - times[0] <= (5 * BOUT + 6) * turn


def test_block_is_the_same_whenever_it_is_made() -> None:
    """Its seed and its number say everything about it; another seed is another chain."""
    chain = CHAINS["ethereum"]

    assert chain.block(20_000_000, SEED) == chain.block(20_000_000, SEED)
    assert chain.block(20_000_000, SEED) != chain.block(20_000_000, SEED + 1)


def test_some_blocks_are_empty_and_nobody_tips_there() -> None:
    """A block without transactions has no gas used and rewards of zero."""
    chain = CHAINS["ethereum"]
    blocks = [chain.block(20_000_000 + at, SEED) for at in range(1000)]
    empty = [one for one in blocks if not one.gas_used]

    assert 10 < len(empty) < 50
    assert {0} == {one.reward(90) for one in empty}
    assert all(one.reward(10) <= one.reward(50) <= one.reward(90) for one in blocks)
