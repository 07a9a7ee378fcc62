"""The Crypto Fear & Greed Index of alternative.me: 0 is extreme fear, 100 extreme greed.

Docs: https://alternative.me/crypto/fear-and-greed-index/#api
A value: {"value": "26", "value_classification": "Fear", "timestamp": "1783728000"}, all texts, newest
first; the time is 00:00 UTC of the day it is the value of.
"""

from collections.abc import Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import MalformedReply, ProviderError, TransientError
from crypto_pipeline.frames.observations import IndexValue
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
from crypto_pipeline.providers.reading import from_seconds, number, text
from crypto_pipeline.providers.replies import http_fault, json_body, reading

SERIES = "fear_greed"
_RECENT = 30
"""Days that are asked for first; only where they do not reach back is the whole history."""


def _name(series: str) -> str | None:
    return SERIES if series == SERIES else None


def _question(limit: int) -> Question:
    """There is no range to ask for: the newest so many, or all of them by 0."""
    return Question("/fng/", {"limit": limit})


def _values(reply: Reply) -> list[IndexValue]:
    def read(body: Any) -> list[IndexValue]:
        values = [_value(row) for row in body["data"]]
        if not values:
            raise ValueError
        return values

    return reading(read, reply)


def _value(row: Any) -> IndexValue:
    return IndexValue(
        observed_at=from_seconds(text(row["timestamp"])),
        value=number(text(row["value"])),
        classification=text(row["value_classification"]),
    )


async def _history(ask: Asker, _: str, window: Window, __: timedelta) -> Sequence[IndexValue]:
    values: list[IndexValue] = []
    for limit in (_RECENT, 0):
        values = await ask(_question(limit), _values)
        if any(one.observed_at and one.observed_at <= window.start for one in values):
            break
    return [one for one in values if one.observed_at and one.observed_at in window]


def _fault(reply: Reply) -> ProviderError | None:
    """Errors are told by the status, or in ``metadata.error`` beside an empty answer."""
    if fault := http_fault(reply):
        return fault
    try:
        body = json_body(reply)
    except MalformedReply as malformed:
        return malformed
    metadata = body.get("metadata") if isinstance(body, dict) else None
    said = metadata.get("error") if isinstance(metadata, dict) else None
    return TransientError(str(said)) if said else None


ALTERNATIVE_ME = Provider(
    name="alternative_me",
    title="alternative.me",
    docs="https://alternative.me/crypto/fear-and-greed-index/#api",
    base_url="https://api.alternative.me",
    limits=Limits(weight_per_minute=30, concurrency=1),
    fault=_fault,
    history="every day since 2018-02-01 but four that were never published",
    snapshots=MappingProxyType(
        {
            "sentiment": Snapshot(
                name=_name,
                question=lambda _: _question(1),
                rows=lambda reply: {SERIES: _values(reply)[0]},
            )
        }
    ),
    histories=MappingProxyType(
        {
            "sentiment": History(
                name=_name,
                rows=_history,
                span=timedelta(days=3650),
                absence="not_published",
            )
        }
    ),
)
