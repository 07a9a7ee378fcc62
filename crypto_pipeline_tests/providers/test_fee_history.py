"""Fees by slot: which blocks a slot has, what they cost, and that it is the same whenever it is asked."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.errors import MalformedReply, TransientError
from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Reply
from crypto_pipeline.providers.fee_history import (
    BlockFees,
    Chain,
    Header,
    gas_prices,
    read_fees,
    read_headers,
)
from crypto_pipeline.providers.json_rpc import Node
from crypto_pipeline_tests.providers.node import JSON, SECOND, Block, DrawnNode, fees_of

STEP = timedelta(minutes=5)
SLOT = 300
BEGAN = SLOT * 5_000_000
wei = st.integers(min_value=0, max_value=10**12)


@st.composite
def drawn_blocks(draw: st.DrawFn, beat: int = 0) -> list[Block]:
    """A chain of blocks with any gaps, or with gaps of so many seconds times a few."""
    gap = (
        st.integers(0, 90) if beat == 0 else st.sampled_from([1] * 8 + [2, 3, 40]).map(beat.__mul__)
    )
    seconds, blocks = BEGAN + draw(st.integers(-20, 20)), []
    for pause in draw(st.lists(gap, min_size=2, max_size=90)):
        tips = draw(st.none() | st.tuples(wei, wei, wei))
        blocks.append(Block(seconds, draw(wei), tips))
        seconds += pause
    return blocks


windows = st.tuples(st.integers(-400, 1500), st.integers(1, 3000)).map(
    lambda at: Window(EPOCH + (BEGAN + at[0]) * SECOND, EPOCH + (BEGAN + at[0] + at[1]) * SECOND)
)


def told(
    node: DrawnNode, window: Window, *, beat: int = 0, batch: int = 3, knows_first: bool = False
) -> list[GasPrice]:
    """What is made of a node's answers."""
    first = Header(node.first, node.blocks[0].seconds) if knows_first else None
    chain = Chain("drawn", first, beat)
    return asyncio.run(gas_prices(node, Node(batch=batch), chain, window, STEP))


@given(drawn_blocks(), windows, st.integers(1, 9), st.integers(1, 5))
def test_rows_are_those_of_a_plain_count(
    blocks: list[Block], window: Window, most: int, batch: int
) -> None:
    """Whatever the gaps, batches and pages: each closed slot has the medians of exactly its blocks."""
    expected = fees_of(0, blocks, window, STEP)

    assert expected == told(DrawnNode(0, blocks, most), window, batch=batch)


@given(drawn_blocks(beat=12), windows)
def test_beat_of_a_chain_changes_no_row(blocks: list[Block], window: Window) -> None:
    """What saves requests is a fact about the chain, so the answer is the same, missed blocks and all."""
    node = DrawnNode(12_965_000, blocks)

    assert fees_of(12_965_000, blocks, window, STEP) == told(
        node, window, beat=12, knows_first=True
    )


@given(drawn_blocks(beat=2), windows, st.integers(1, 30))
def test_rows_are_the_same_live_and_a_year_later(
    blocks: list[Block], window: Window, known: int
) -> None:
    """Blocks that come later add slots and change none that was given before."""
    live = told(DrawnNode(0, blocks[: known + 1]), window)
    later = told(DrawnNode(0, blocks), window)

    assert live == later[: len(live)]


@given(drawn_blocks(), windows, st.integers(1, 5))
def test_neighbouring_windows_share_no_row_and_lose_none(
    blocks: list[Block], window: Window, slots: int
) -> None:
    """A slot is given by the window that it opens in, wherever the two are cut."""
    cut = window.start + min(slots * STEP / 2, window.span / 2)
    parts = [Window(window.start, cut), Window(cut, window.end)]
    node = DrawnNode(0, blocks)

    assert told(node, window) == [row for part in parts for row in told(node, part)]


def dense(count: int, gap: int = 12, missed: Sequence[int] = ()) -> list[Block]:
    """So many blocks at a beat but for some that were missed."""
    turns = [turn for turn in range(count) if turn not in missed]
    return [Block(BEGAN - gap + gap * turn, 10**9, (1, 2, 3)) for turn in turns]


def day_of(hours: float) -> Window:
    """So many hours from the beginning."""
    return Window(EPOCH + BEGAN * SECOND, EPOCH + BEGAN * SECOND + timedelta(hours=hours))


def test_chain_that_misses_no_block_costs_one_header() -> None:
    """The newest block and the first leave no doubt about any other."""
    node = DrawnNode(0, dense(7300))
    rows = told(node, day_of(24), beat=12, knows_first=True)

    assert 288 == len(rows)
    assert (1, 8) == tuple(map(node.asked.count, ("eth_getBlockByNumber", "eth_feeHistory")))


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_block_at_the_edge_of_a_slot_is_in_one_slot(shift: int) -> None:
    """A second before the edge it is the old slot's last, at the edge the new one's first."""
    blocks = [one._replace(seconds=one.seconds + shift) for one in dense(200)]
    rows = told(DrawnNode(0, blocks), day_of(0.5), beat=12, knows_first=True)

    assert fees_of(0, blocks, day_of(0.5), STEP) == rows


def test_beat_holds_only_since_its_block() -> None:
    """Before the Merge blocks came when they came."""
    early = dense(200, gap=5)
    late = [one._replace(seconds=one.seconds + 1000) for one in dense(200)]
    blocks = [*early, *late]
    chain = Chain("drawn", Header(0, blocks[0].seconds), beat=12, beat_since=len(early))
    rows = asyncio.run(gas_prices(DrawnNode(0, blocks), Node(batch=3), chain, day_of(1), STEP))

    assert fees_of(0, blocks, day_of(1), STEP) == rows


def test_missed_blocks_cost_a_few_headers_each() -> None:
    """Some fifty of a day are missed on Ethereum; without the beat each edge would cost two or three."""
    blocks = dense(7300, missed=range(0, 7300, 140))
    with_beat, without = DrawnNode(0, blocks), DrawnNode(0, blocks)

    assert told(with_beat, day_of(24), beat=12, knows_first=True) == told(without, day_of(24))
    assert len(with_beat.asked) < 300
    assert 600 < len(without.asked) < 1000


def test_beat_that_a_chain_no_longer_keeps_is_forgotten() -> None:
    """A chain that makes blocks faster one day is told right all the same, missed ones and all."""
    slow, fast = dense(100, missed=(7, 70)), dense(400, gap=6, missed=range(3, 400, 17))
    blocks = [*slow, *(one._replace(seconds=one.seconds + 1200) for one in fast)]
    window = day_of(2)

    assert fees_of(0, blocks, window, STEP) == told(
        DrawnNode(0, blocks), window, beat=12, knows_first=True
    )


def test_slot_without_blocks_has_no_row() -> None:
    """A chain that stood still for ten minutes has a hole of one slot or two."""
    blocks = [one for one in dense(200) if not BEGAN + SLOT <= one.seconds < BEGAN + 3 * SLOT]
    rows = told(DrawnNode(0, blocks), day_of(0.5))

    assert [0, 3, 4, 5] == [
        ((row.observed_at or EPOCH) - EPOCH) // STEP - BEGAN // SLOT for row in rows
    ]


def test_slot_of_empty_blocks_has_a_base_fee_and_no_tips() -> None:
    """Nobody tipped, so there is no median of it; zero would be a lie."""
    blocks = [one._replace(tips=None) for one in dense(60)]
    (row, *_) = told(DrawnNode(0, blocks), day_of(0.1))

    assert (Decimal(1), None, None, None) == row[1:5]


def test_half_a_wei_is_told_exactly() -> None:
    """The median of two blocks may lie between them, and no digit is lost even of huge fees."""
    blocks = [
        Block(BEGAN - 1, 0, None),
        *(Block(BEGAN + at, 10**24 + at, (at, at, at)) for at in (0, 1)),
        Block(BEGAN + SLOT, 0, None),
    ]
    (row,) = told(DrawnNode(0, blocks), day_of(1))

    assert (Decimal("1000000000000000.0000000005"), Decimal("0.0000000005")) == row[1:3]


def test_recorded_fee_history_is_read_as_it_was_printed(corpus: Path) -> None:
    """Every base fee but the next block's, and the percentiles of every block, in wei."""
    body = json.loads((corpus / "ethereum_rpc/eth_feeHistory_sepolia_5blocks.json").read_bytes())
    result, last = body["result"], 0x4A7788 + 4
    reply = Reply(200, JSON, json.dumps(body | {"id": 0}).encode())

    assert [
        BlockFees(int(base, 16), tuple(int(one, 16) for one in reward))
        for base, reward in zip(result["baseFeePerGas"], result["reward"], strict=False)
    ] == read_fees(last, reply)


@pytest.mark.parametrize("name", ["mainnet_block_14204330", "base_mainnet_20blocks_2026-07"])
def test_history_of_other_percentiles_is_malformed(corpus: Path, name: str) -> None:
    """Two percentiles, or none at all, are not what was asked for."""
    body = json.loads((corpus / f"ethereum_rpc/eth_feeHistory_{name}.json").read_bytes())
    result = body.get("result", body)
    last = int(result["oldestBlock"], 16) + len(result["gasUsedRatio"]) - 1
    reply = Reply(200, JSON, json.dumps({"id": 0, "result": result}).encode())

    with pytest.raises(MalformedReply):
        read_fees(last, reply)


def test_recorded_blocks_are_read(corpus: Path) -> None:
    """Number and time of every recorded block, before and after the Merge."""
    files = sorted(corpus.glob("ethereum_rpc/eth_getBlockByNumber_block_*.json"))
    for file in files:
        result = json.loads(file.read_bytes())["result"]
        number = int(file.name.split("_")[3])
        reply = Reply(200, JSON, json.dumps({"id": 0, "result": result}).encode())

        assert [Header(number, int(result["timestamp"], 16))] == read_headers([number], reply)
    assert len(files) >= 4


def answer(result: Any) -> Reply:
    """A reply to one call."""
    return Reply(200, JSON, json.dumps({"id": 0, "result": result}).encode())


def test_block_that_a_node_lacks_may_come() -> None:
    """Nodes behind one address are not equally far: null is asked for again."""
    with pytest.raises(TransientError, match="block not found"):
        read_headers([7], answer(None))


@pytest.mark.parametrize(
    "result",
    [{}, [], 7, {"number": "0x8", "timestamp": "0x1"}, {"number": "0x7", "timestamp": 1}],
    ids=str,
)
def test_other_block_than_asked_for_is_malformed(result: object) -> None:
    """A header is only taken for the block it says it is."""
    with pytest.raises(MalformedReply):
        read_headers([7], answer(result))


FEES: dict[str, Any] = {
    "oldestBlock": "0x7",
    "baseFeePerGas": ["0x1", "0x2"],
    "gasUsedRatio": [0.5],
    "reward": [["0x1", "0x2", "0x3"]],
}


@pytest.mark.parametrize(
    "changed",
    [
        {"oldestBlock": "0x6"},
        {"baseFeePerGas": []},
        {"gasUsedRatio": []},
        {"gasUsedRatio": [None]},
        {"reward": None},
        {"reward": [["0x1"]]},
        {"reward": [["0x1", "0x2", 3]]},
        {"baseFeePerGas": [], "gasUsedRatio": [], "reward": [], "oldestBlock": "0x8"},
    ],
    ids=str,
)
def test_fees_of_other_blocks_are_malformed(changed: dict[str, Any]) -> None:
    """An answer ends with the block that was asked for, has one row a block, and three tips a row."""
    assert [BlockFees(1, (1, 2, 3))] == read_fees(7, answer(FEES))
    with pytest.raises(MalformedReply):
        read_fees(7, answer(FEES | changed))


def test_times_that_go_backwards_are_an_error() -> None:
    """Headers of two chains behind one address are no ground to count slots on."""
    blocks = dense(200)
    blocks[100] = blocks[100]._replace(seconds=BEGAN + 9 * SLOT)

    with pytest.raises(TransientError, match="backwards"):
        told(DrawnNode(0, blocks), day_of(0.5))
