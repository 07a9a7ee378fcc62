"""What one saved reply becomes: the rows it holds, or the error it means."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from crypto_pipeline.errors import MalformedReply, UsageError
from crypto_pipeline.frames.observations import GasPrice, IndexValue, Price
from crypto_pipeline.market.windows import DAY
from crypto_pipeline.providers.archive import listing_page
from crypto_pipeline.providers.catalogue import (
    INSTRUMENTS,
    NEWS,
    SAMPLES,
    SERVED,
    first_answer,
    first_question,
    named,
    recent,
)
from crypto_pipeline.providers.declaration import History, Provider, Reply
from crypto_pipeline.providers.replies import read_reply

Row = Mapping[str, object]
_ROWS = (Price, IndexValue, GasPrice)


def parsed(provider: Provider, dataset: str, reply: Reply) -> list[Row]:
    """The rows of a reply; the ProviderError it means; a UsageError where one reply is not enough."""
    readers = list(_readers(provider, dataset))
    if not readers:
        offered = ", ".join(one for one in SERVED if next(_readers(provider, one), None))
        msg = f"{provider.name} offers no {dataset}: it offers {offered}"
        raise UsageError(msg)
    found: list[list[Row]] = []
    failures: list[MalformedReply | UsageError] = []
    for read in readers:
        try:
            found.append(read(reply))
        except (MalformedReply, UsageError) as error:
            failures.append(error)
    if not found:
        raise failures[0]
    return max(found, key=len)


def _readers(provider: Provider, dataset: str) -> Iterator[Callable[[Reply], list[Row]]]:
    """Whatever reads a reply about the dataset; a reply does not say what was asked."""
    if dataset == "ohlc" and provider.candles:
        yield partial(_read, provider, provider.candles.rows)
    if dataset == "ohlc" and provider.archive:
        yield partial(_files, provider)
    if dataset == INSTRUMENTS and provider.instruments:
        yield partial(_read, provider, provider.instruments.rows)
    if dataset == NEWS and provider.news:
        yield partial(_read, provider, provider.news.rows)
    if snapshot := provider.snapshots.get(dataset):
        yield partial(_present, provider, snapshot.rows)
    if history := provider.histories.get(dataset):
        yield partial(_past, provider, dataset, history)


def _read(provider: Provider, rows: Callable[[Reply], Sequence[Any]], reply: Reply) -> list[Row]:
    return [row._asdict() for row in read_reply(provider, reply, rows)]


def _files(provider: Provider, reply: Reply) -> list[Row]:
    """What a page of an archive's listing tells of."""
    return [
        {"file": one.path, "size": one.size, "etag": one.etag, "modified_at": one.modified_at}
        for one in read_reply(provider, reply, lambda _: listing_page(reply.body)).files
    ]


def _present(
    provider: Provider, rows: Callable[[Reply], Mapping[str, Any]], reply: Reply
) -> list[Row]:
    found = read_reply(provider, reply, rows)
    return [{"name": name, **row._asdict()} for name, row in found.items()]


def _past(provider: Provider, dataset: str, history: History, reply: Reply) -> list[Row]:
    """What the first step of a history reads, where that is rows."""
    read_reply(provider, reply, lambda _: None)
    _, name = named(history, SAMPLES[dataset]) or ("", "")
    window = recent(dataset, datetime.now(UTC), min(history.span, DAY))
    rows: object = None
    # A history that posts calls builds its rows of many replies, the first of which holds none.
    if first_question(history, dataset, name, window).body is None:
        rows = first_answer(history, dataset, name, window, reply)
    if not isinstance(rows, list | tuple) or not all(isinstance(one, _ROWS) for one in rows):
        msg = (
            f"a reply of {provider.name} about {dataset} cannot be parsed alone: "
            "its rows are made of several replies"
        )
        raise UsageError(msg)
    return [one._asdict() for one in rows]
