"""CoinCap, version 3: prices now and of the last days; nothing without a key."""

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
    Key,
    Limits,
    Provider,
    Question,
    Reply,
    Snapshot,
)
from crypto_pipeline.providers.prices import fault_told_in, known_as, rows_by_name
from crypto_pipeline.providers.reading import from_milliseconds, number, optional_number, text
from crypto_pipeline.providers.replies import reading

_MOST_ASSETS = 100
_MINUTE, _MILLISECOND = timedelta(minutes=1), timedelta(milliseconds=1)
_name = known_as("coincap")


def _question(names: Sequence[str]) -> Question:
    return Question("/v3/assets", {"ids": ",".join(names), "limit": _MOST_ASSETS})


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    """Numbers are texts; the time is that of the reply, for the rows have none."""
    moment = from_milliseconds(body["timestamp"])
    for row in body["data"]:
        if row["priceUsd"] is not None:
            yield (
                text(row["id"]),
                Price(
                    moment,
                    number(row["priceUsd"]),
                    optional_number(row["marketCapUsd"]),
                    optional_number(row["volumeUsd24Hr"]),
                    optional_number(row["changePercent24Hr"]),
                ),
            )


async def _past(ask: Asker, name: str, window: Window, slot: timedelta) -> Sequence[Price]:
    question = Question(
        f"/v3/assets/{name}/history",
        {
            "interval": f"m{slot // _MINUTE}",
            "start": (window.start - EPOCH) // _MILLISECOND,
            "end": (window.end - EPOCH) // _MILLISECOND - 1,
        },
    )
    return await ask(question, _history)


def _history(reply: Reply) -> list[Price]:
    def read(body: Any) -> list[Price]:
        rows = body["data"]
        return [Price(from_milliseconds(row["time"]), number(row["priceUsd"])) for row in rows]

    return reading(read, reply)


COINCAP = Provider(
    name="coincap",
    title="CoinCap",
    docs="https://pro.coincap.io/api-docs",
    base_url="https://rest.coincap.io",
    limits=Limits(weight_per_minute=60, concurrency=2),
    fault=fault_told_in("error", "message"),
    history="five-minute prices of the last week",
    key=Key(env="COINCAP_API_KEY", header="Authorization", prefix="Bearer "),
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=_name,
                question=_question,
                rows=rows_by_name(_prices),
                most=_MOST_ASSETS,
            )
        }
    ),
    histories=MappingProxyType(
        {"market_prices": History(_name, _past, timedelta(days=1), depth=timedelta(days=7))}
    ),
)
