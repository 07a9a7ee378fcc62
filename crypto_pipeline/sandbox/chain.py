"""Synthetic chains: every block from (seed, number) alone, some missed, some empty.

What a node is asked and how it answers is not for here.
"""

import hashlib
from dataclasses import dataclass

GWEI = 10**9
BOUT = 100
"""Of so many turns to make a block one is missed, on chains that miss any."""
EMPTY_ONE_IN = 40


@dataclass(frozen=True, slots=True)
class Block:
    """A block as nodes tell of it; ``rewards`` are in wei at percentiles of 0, 1, … 100."""

    number: int
    seconds: int
    base_fee: int
    gas_used: float
    tip: int

    def reward(self, percentile: int) -> int:
        """What the transaction at that percentile of the gas paid on top."""
        return self.tip * percentile * percentile // 2500 if self.gas_used else 0


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain from its ``first`` block with fees on; a turn is ``quarters`` quarters of a second."""

    name: str
    first: int
    began: int
    quarters: int
    misses: bool = True

    def block(self, number: int, seed: int) -> Block:
        """The block of that number."""
        noise = self._noise(number, seed)
        is_empty = noise[0] % EMPTY_ONE_IN == 0
        base = 0 if number < self.first else 5 * GWEI + noise[1] % (20 * GWEI)
        return Block(
            number=number,
            seconds=self.began + self._turn(number - self.first, seed) * self.quarters // 4,
            base_fee=base,
            gas_used=0.0 if is_empty else (1 + noise[2] % 99) / 100,
            tip=0 if is_empty else 1 + noise[3] % (2 * GWEI),
        )

    def newest(self, seconds: float, seed: int) -> int:
        """The number of the newest block at that time."""
        turn = int((seconds - self.began) * 4 // self.quarters)
        if not self.misses:
            return self.first + turn
        bout, at = divmod(turn, BOUT)
        before = at - 1 if at >= self._missed(bout, seed) else at
        return self.first + bout * (BOUT - 1) + before

    def _turn(self, made: int, seed: int) -> int:
        if not self.misses:
            return made
        bout, at = divmod(made, BOUT - 1)
        return bout * BOUT + at + (at >= self._missed(bout, seed))

    def _missed(self, bout: int, seed: int) -> int:
        """Which turn of the bout is missed; never its first, so that the first block is where it is."""
        return 1 + self._noise(-1 - bout, seed)[0] % (BOUT - 1)

    def _noise(self, number: int, seed: int) -> list[int]:
        text = f"{seed}/{self.name}/{number}".encode()
        digest = hashlib.blake2b(text, digest_size=32).digest()
        return [int.from_bytes(digest[at : at + 8], "little") for at in range(0, 32, 8)]


CHAINS = {
    chain.name: chain
    for chain in (
        Chain("ethereum", 12_965_000, 1_628_166_822, quarters=48),
        Chain("base", 0, 1_686_789_347, quarters=8, misses=False),
        Chain("arbitrum", 0, 1_622_240_000, quarters=1),
    )
}
"""Ethereum from London on, a chain that misses no block, and one with several blocks a second."""
