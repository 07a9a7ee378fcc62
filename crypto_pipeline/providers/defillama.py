"""DefiLlama: prices now, and of any past moment."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import (
    Asker,
    History,
    Limits,
    Provider,
    Question,
    Reply,
    Snapshot,
)
from crypto_pipeline.providers.prices import fault_told_in, rows_by_name, table
from crypto_pipeline.providers.reading import from_seconds, number
from crypto_pipeline.providers.replies import reading

_FRESH = "10m"
"""How old a present price may be; without it, DefiLlama gives one of twelve hours ago."""
_MOST_COINS = 100
_SECOND = timedelta(seconds=1)
_SPAN = timedelta(days=1)
"""288 points of five minutes; one request may have 500."""


def _name(asset_id: str) -> str:
    return f"coingecko:{asset_id}"


def _question(names: Sequence[str]) -> Question:
    return Question(f"/prices/current/{','.join(names)}", {"searchWidth": _FRESH})


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    """A token that is unknown, or has no fresh price, is not there."""
    for name, told in table(body["coins"]).items():
        yield name, Price(from_seconds(told["timestamp"]), number(told["price"]))


async def _past(ask: Asker, name: str, window: Window, slot: timedelta) -> Sequence[Price]:
    """Asked for the middle of each slot, and no further off than its edges, each has its own price."""
    first = EPOCH - (EPOCH - window.start) // slot * slot + slot / 2
    question = Question(
        f"/chart/{name}",
        {
            "start": (first - EPOCH) // _SECOND,
            "span": -(-window.span // slot),
            "period": slot // _SECOND,
            "searchWidth": slot // 2 // _SECOND - 1,
        },
    )
    return await ask(question, _chart)


def _chart(reply: Reply) -> list[Price]:
    def read(body: Any) -> list[Price]:
        points = [point for coin in table(body["coins"]).values() for point in coin["prices"]]
        return [Price(from_seconds(one["timestamp"]), number(one["price"])) for one in points]

    return reading(read, reply)


DEFILLAMA = Provider(
    name="defillama",
    title="DefiLlama",
    docs="https://api-docs.defillama.com/#tag/coins",
    base_url="https://coins.llama.fi",
    limits=Limits(weight_per_minute=300),
    fault=fault_told_in("message", "error"),
    history="prices since 2018, one every few minutes in recent years",
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=_name,
                question=_question,
                rows=rows_by_name(_prices),
                most=_MOST_COINS,
            )
        }
    ),
    histories=MappingProxyType({"market_prices": History(_name, _past, span=_SPAN)}),
)
