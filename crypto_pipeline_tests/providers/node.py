"""A node of a chain that a test has drawn, and what fees its slots must have, told the plain way."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import Any, NamedTuple, TypeVar

from crypto_pipeline.frames.observations import GasPrice
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Question, Reply

T = TypeVar("T")

JSON = {"content-type": "application/json"}
SECOND = timedelta(seconds=1)


class Block(NamedTuple):
    """A block; one without ``tips`` is empty."""

    seconds: int
    base: int
    tips: tuple[int, int, int] | None


@dataclass
class DrawnNode:
    """Answers for consecutive blocks from ``first`` on; ``most`` of them in one fee history."""

    first: int
    blocks: Sequence[Block]
    most: int = 1024
    asked: list[str] = field(default_factory=list)

    async def __call__(self, question: Question, read: Callable[[Reply], T]) -> T:
        """The answer to a call or a batch, as ``read`` takes it."""
        body: Any = question.body
        calls = body if isinstance(body, list) else [body]
        answers = [{"id": call["id"], "result": self._answer(call)} for call in reversed(calls)]
        told = answers if isinstance(body, list) else answers[0]
        return read(Reply(200, JSON, json.dumps(told).encode()))

    def _answer(self, call: Any) -> Any:
        self.asked.append(call["method"])
        last = self.first + len(self.blocks) - 1
        if call["method"] == "eth_getBlockByNumber":
            tag = call["params"][0]
            number = last if tag == "latest" else int(tag, 16)
            block = self.blocks[number - self.first]
            return {"number": hex(number), "timestamp": hex(block.seconds)}
        count, newest, _ = call["params"]
        last = int(newest, 16)
        oldest = max(last + 1 - min(int(count, 16), self.most), self.first)
        blocks = self.blocks[oldest - self.first : last + 1 - self.first]
        return {
            "oldestBlock": hex(oldest),
            "baseFeePerGas": [*(hex(one.base) for one in blocks), "0x7"],
            "gasUsedRatio": [0.5 if one.tips else 0 for one in blocks],
            "reward": [[hex(tip) for tip in one.tips or (0, 0, 0)] for one in blocks],
        }


def fees_of(first: int, blocks: Sequence[Block], window: Window, step: timedelta) -> list[GasPrice]:
    """The rows of all slots of the window, block by block."""
    rows = []
    start = EPOCH + -(-(window.start - EPOCH) // step) * step
    while start < window.end:
        low, high = ((one - EPOCH) // SECOND for one in (start, start + step))
        inside = [at for at, block in enumerate(blocks) if low <= block.seconds < high]
        if inside and blocks[0].seconds < low and blocks[-1].seconds >= high:
            rows.append(_row(first, blocks, inside))
        start += step
    return rows


def _row(first: int, blocks: Sequence[Block], inside: Sequence[int]) -> GasPrice:
    tips = [tips for at in inside if (tips := blocks[at].tips)]
    return GasPrice(
        EPOCH + blocks[inside[-1]].seconds * SECOND,
        _gwei([blocks[at].base for at in inside]),
        *([_gwei([one[at] for one in tips]) for at in range(3)] if tips else [None] * 3),
        first_block=first + inside[0],
        last_block=first + inside[-1],
    )


def _gwei(wei: Sequence[int]) -> Decimal:
    return median(Decimal(one) for one in wei) / 10**9
