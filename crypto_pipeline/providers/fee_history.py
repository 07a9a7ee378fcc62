"""What transactions cost on a chain, slot by slot, from ``eth_feeHistory`` of any node.

Fee histories tell no times, so block headers tell which blocks lie in a slot: few of them, for
between two whose distance leaves no room for a missed block, all times are known.
Docs: https://ethereum.github.io/execution-apis/api-documentation/
"""

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from crypto_pipeline.errors import TransientError
from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.declaration import Asker, Reply
from crypto_pipeline.providers.json_rpc import Node, quantity, results
from crypto_pipeline.providers.reading import number
from crypto_pipeline.providers.replies import reading

T = TypeVar("T")

MOST_BLOCKS = 1024
"""What a node gives in one fee history; some give less, and say so by the oldest block."""
PERCENTILES = (10, 50, 90)
_SECOND = timedelta(seconds=1)
_GWEI = 10**9
_HALVING = 3
"""Every so many rounds a bracket is halved, should its blocks be spread too unevenly to be guessed."""


class Header(NamedTuple):
    """A block and its time in seconds since the epoch."""

    number: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Chain:
    """What is known of a chain beforehand.

    ``first`` is the first block with fees; None is block 0, whose time a node is asked for. From
    ``beat_since`` on no two blocks are closer than ``beat`` seconds; 0 is for who knows.
    """

    name: str
    first: Header | None = None
    beat: int = 0
    beat_since: int = 0
    span: timedelta = DAY / 12


class BlockFees(NamedTuple):
    """A block's fees in wei; ``rewards`` are the percentiles, None of a block without transactions."""

    base: int
    rewards: tuple[int, ...] | None


async def gas_prices(
    ask: Asker, node: Node, chain: Chain, window: Window, step: timedelta
) -> list[GasPrice]:
    """A row for every slot that opens in the window and that a later block has closed."""
    opened = -(-(window.start - EPOCH) // step)
    edges = [_seconds(EPOCH + at * step) for at in range(opened, _after(window, step))]
    times = _Times(chain, await _bounds(ask, node, chain))
    last_before = await _located(ask, node, times, edges)
    located = [last_before[edge] for edge in edges if edge in last_before]
    if len(located) <= 1 or located[0].number == located[-1].number:
        return []
    first = located[0].number + 1
    fees = await _fees(ask, node, first, located[-1].number)
    return [
        _row(before.number + 1, last, fees[before.number + 1 - first : last.number + 1 - first])
        for before, last in pairwise(located)
        if before.number < last.number
    ]


def _after(window: Window, step: timedelta) -> int:
    """One past the edge that ends the last slot to open in the window."""
    return -(-(window.end - EPOCH) // step) + 1


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // _SECOND


class _Times:
    """The known blocks of a chain in order, and what can be said of those between."""

    def __init__(self, chain: Chain, known: Iterable[Header]) -> None:
        self._beat, self._beat_since = chain.beat, chain.beat_since
        self._known: list[Header] = []
        self.add(known)

    def add(self, headers: Iterable[Header]) -> None:
        """Know more; a beat that a chain no longer keeps is forgotten."""
        self._known = sorted({*self._known, *headers})
        for low, high in pairwise(self._known):
            seconds = high.seconds - low.seconds
            if seconds < 0:
                msg = "block times go backwards: the node's blocks are not all of one chain"
                raise TransientError(msg)
            if low.number >= self._beat_since and seconds < self._beat * (high.number - low.number):
                self._beat = 0

    def around(self, edge: int) -> tuple[Header, Header] | None:
        """The nearest known blocks before the edge and not before it; None beyond what is known."""
        at = bisect_left(self._known, edge, key=lambda header: header.seconds)
        return (self._known[at - 1], self._known[at]) if 0 < at < len(self._known) else None

    def foremost(self, edges: Sequence[int]) -> Sequence[int]:
        """Those of a bracket's edges to look for first: one where its block tells of others, else two."""
        middle = len(edges) // 2
        return edges[middle : middle + 1] if self._beat else edges[max(middle - 1, 0) : middle + 1]

    def last_before(self, low: Header, high: Header, edge: int) -> Header | None:
        """The last block before the edge if the two around it leave no doubt."""
        blocks, seconds = high.number - low.number, high.seconds - low.seconds
        beat = self._beat if low.number >= self._beat_since else 0
        if blocks == 1 or low.seconds + beat >= edge:
            return low
        if seconds == blocks * beat:
            steps = (edge - low.seconds - 1) // beat
            return Header(low.number + steps, low.seconds + steps * beat)
        return None


async def _located(
    ask: Asker, node: Node, times: _Times, edges: Sequence[int]
) -> dict[int, Header]:
    """The last block before each edge that lies within the chain.

    Of all edges in a bracket only the middle ones are looked for, for their blocks may settle the rest.
    """
    for turn in range(1, 1000):
        found: dict[int, Header] = {}
        doubtful: dict[tuple[Header, Header], list[int]] = {}
        for edge in edges:
            if around := times.around(edge):
                if last := times.last_before(*around, edge):
                    found[edge] = last
                else:
                    doubtful.setdefault(around, []).append(edge)
        if not doubtful:
            return found
        guesses = {
            _guess(*around, edge, turn)
            for around, inside in doubtful.items()
            for edge in times.foremost(inside)
        }
        times.add(await _headers(ask, node, sorted(guesses)))
    msg = "block times do not settle: the node contradicts itself"
    raise TransientError(msg)


def _guess(low: Header, high: Header, edge: int, turn: int) -> int:
    """A block between the two that should be the last before the edge."""
    blocks = high.number - low.number
    if turn % _HALVING == 0:
        return low.number + blocks // 2
    guess = low.number + blocks * (edge - 1 - low.seconds) // (high.seconds - low.seconds)
    return min(max(guess, low.number + 1), high.number - 1)


async def _bounds(ask: Asker, node: Node, chain: Chain) -> list[Header]:
    """The first block of a chain and the newest."""
    if chain.first:
        return [chain.first, *await _headers(ask, node, ["latest"])]
    return await _headers(ask, node, [0, "latest"])


async def _headers(ask: Asker, node: Node, blocks: Sequence[int | str]) -> list[Header]:
    """The headers of the blocks, in as few requests as the node takes."""
    parts = [blocks[at : at + node.batch] for at in range(0, len(blocks), node.batch)]
    found = await _side_by_side([_some_headers(ask, node, part) for part in parts])
    return [header for part in found for header in part]


async def _some_headers(ask: Asker, node: Node, blocks: Sequence[int | str]) -> list[Header]:
    """The headers of as many blocks as the node takes at once."""
    tags = [hex(one) if isinstance(one, int) else one for one in blocks]
    calls = [("eth_getBlockByNumber", (tag, False)) for tag in tags]
    return await ask(node.question(calls), partial(read_headers, blocks))


async def _side_by_side(asked: Sequence[Awaitable[T]]) -> list[T]:
    """All answers, or the first error once none is on its way any more."""
    # One takes no task, and so no event loop: a catalogue can hear the first question without.
    if len(asked) == 1:
        return [await asked[0]]
    told = await asyncio.gather(*asked, return_exceptions=True)
    answers: list[T] = []
    for one in told:
        if isinstance(one, BaseException):
            raise one
        answers.append(one)
    return answers


def read_headers(asked: Sequence[int | str], reply: Reply) -> list[Header]:
    """The headers that were asked for; nodes behind one address differ in what they have yet."""
    if None in (blocks := results(reply)):
        msg = "block not found: this node has not come so far, or has dropped it"
        raise TransientError(msg)

    def read(_: object) -> list[Header]:
        found = [Header(quantity(one["number"]), quantity(one["timestamp"])) for one in blocks]
        if [
            one
            for one, header in zip(asked, found, strict=True)
            if one not in ("latest", header.number)
        ]:
            raise ValueError
        return found

    return reading(read, reply)


async def _fees(ask: Asker, node: Node, first: int, last: int) -> list[BlockFees]:
    """The fees of all blocks from the first to the last."""
    parts = [(at, min(at + MOST_BLOCKS - 1, last)) for at in range(first, last + 1, MOST_BLOCKS)]
    found = await _side_by_side([_some_fees(ask, node, *part) for part in parts])
    return [one for part in found for one in part]


async def _some_fees(ask: Asker, node: Node, first: int, last: int) -> list[BlockFees]:
    """The fees of as many blocks as one fee history may hold; a node that gives less is asked again."""
    pages: list[list[BlockFees]] = []
    while last >= first:
        call = ("eth_feeHistory", (hex(last - first + 1), hex(last), PERCENTILES))
        pages.append(await ask(node.question([call]), partial(read_fees, last)))
        last -= len(pages[-1])
    return [one for page in reversed(pages) for one in page]


def read_fees(last: int, reply: Reply) -> list[BlockFees]:
    """The fees of consecutive blocks up to the last; the base fee after it is the next block's."""

    def read(_: object) -> list[BlockFees]:
        (told,) = results(reply)
        ratios, rewards = told["gasUsedRatio"], told["reward"]
        rows = zip(told["baseFeePerGas"], ratios, rewards, strict=False)
        fees = [_block_fees(*row) for row in rows]
        is_whole = len(ratios) == len(rewards) == len(fees) > 0
        if not is_whole or quantity(told["oldestBlock"]) + len(fees) != last + 1:
            raise ValueError
        return fees

    return reading(read, reply)


def _block_fees(base: object, ratio: object, rewards: Any) -> BlockFees:
    tips = tuple(quantity(one) for one in rewards)
    if len(tips) != len(PERCENTILES):
        raise ValueError
    return BlockFees(quantity(base), tips if number(ratio) else None)


def _row(first: int, last: Header, fees: Sequence[BlockFees]) -> GasPrice:
    """The medians of a slot's blocks; tips are those of blocks that held a transaction."""
    tips = [one.rewards for one in fees if one.rewards is not None]
    medians: Sequence[Decimal | None] = [_median(one) for one in zip(*tips, strict=True)]
    p10, p50, p90 = medians or [None] * len(PERCENTILES)
    return GasPrice(
        observed_at=EPOCH + last.seconds * _SECOND,
        base_fee_gwei=_median([one.base for one in fees]),
        priority_fee_p10_gwei=p10,
        priority_fee_p50_gwei=p50,
        priority_fee_p90_gwei=p90,
        first_block=first,
        last_block=last.number,
    )


def _median(wei: Sequence[int]) -> Decimal:
    """In gwei, exactly: half a wei is the finest there is, and 2^80 wei have 25 digits of 28."""
    ordered = sorted(wei)
    middle = ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]
    return Decimal(middle) / (2 * _GWEI)
