"""Asks a provider one small question about each dataset it serves, and tells how that went.

Nothing is stored, retried or shared: what a provider says to this address now is the answer.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import httpx

from crypto_pipeline.errors import HostRefused, ProviderError, RateLimited, RequestRejected
from crypto_pipeline.market.datasets import DATASETS
from crypto_pipeline.market.health import Standing, Told
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.archive import list_files
from crypto_pipeline.providers.candles import candle_question
from crypto_pipeline.providers.catalogue import (
    PAIRS,
    SAMPLES,
    Offer,
    example_series,
    named,
    news_question,
    offers,
    recent,
)
from crypto_pipeline.providers.client import Ask, Client, Fetch
from crypto_pipeline.providers.declaration import Provider, Question, Reply

T = TypeVar("T")

SLOTS = 5
"""Candles that are asked for."""


class Probe(NamedTuple):
    """How one offer does; ``newest`` is the newest time in the answer, where its rows have one."""

    provider: str
    dataset: str
    what: str
    result: str
    ms: int | None = None
    rows: int | None = None
    newest: datetime | None = None

    @property
    def works(self) -> bool:
        """Whether it was answered."""
        return self.result.startswith("ok")


class Alone:
    """A pacer for a handful of requests that nobody else need know of."""

    async def reserve(
        self,
        host: str,  # noqa: ARG002
        weight: int,  # noqa: ARG002
        per_minute: int,  # noqa: ARG002
        longest: float = math.inf,  # noqa: ARG002
    ) -> float | None:
        """Never a wait."""
        return 0.0

    async def standing(self, provider: str, host: str) -> Standing:  # noqa: ARG002
        """Free to be asked."""
        return Standing()

    async def may_try(self, provider: str, host: str) -> bool:  # noqa: ARG002
        """Always."""
        return True

    async def note(self, provider: str, host: str, told: Told) -> None:
        """Forget it."""

    async def block(self, host: str, seconds: float) -> None:
        """Forget it."""

    async def observe(self, host: str, used: int, per_minute: int) -> None:
        """Forget it."""


async def probed(
    provider: Provider,
    http: httpx.AsyncClient,
    now: datetime,
    samples: Mapping[str, Sequence[str]] = SAMPLES,
) -> list[Probe]:
    """How each of a provider's offers does from here; one without its key is not asked."""
    if provider.needs_key:
        told = f"needs key {provider.needs_key}"
        return [_told(provider, offer, told) for offer in offers(provider, samples)]
    return [
        await _probe(provider, offer, http, now, samples) for offer in offers(provider, samples)
    ]


async def _probe(
    provider: Provider,
    offer: Offer,
    http: httpx.AsyncClient,
    now: datetime,
    samples: Mapping[str, Sequence[str]],
) -> Probe:
    fetches: list[Fetch] = []
    client = Client(provider, http, Alone(), fetches.append)
    client.attempts = 1
    try:
        rows = await _ASKING[offer.kind](client, offer, now, samples)
    except ProviderError as error:
        return _told(provider, offer, _why(error, fetches), fetches)
    return _told(provider, offer, "ok" if rows else "ok, but no rows", fetches, rows)


def _told(
    provider: Provider,
    offer: Offer,
    result: str,
    fetches: Sequence[Fetch] = (),
    rows: Sequence[Any] | None = None,
) -> Probe:
    ms = round(sum(one.seconds for one in fetches) * 1000) if fetches else None
    times = [moment for row in rows or () if (moment := _time_of(row))]
    count = None if rows is None else len(rows)
    newest = max(times, default=None)
    return Probe(provider.name, offer.dataset, offer.kind, result, ms, count, newest)


def _time_of(row: Any) -> datetime | None:
    for name in ("open_time", "observed_at", "published_at", "modified_at"):
        if moment := getattr(row, name, None):
            return moment  # type: ignore[no-any-return]
    return None


def _why(error: ProviderError, fetches: Sequence[Fetch]) -> str:
    """What kind of failure it is for somebody who wonders whether to use the provider from here."""
    match error:
        case HostRefused():
            kind = "geo-block or ban"
        case RateLimited():
            kind = "limit"
        case RequestRejected():
            kind = "rejected"
        case _ if fetches and fetches[-1].status is None:
            kind = "unreachable"
        case _:
            kind = "broken answer"
    return f"{kind}: {error}"


async def _candles(client: Client, _: Offer, now: datetime, __: object) -> Sequence[Any]:
    """The newest few of the first usual pair that the venue knows."""
    endpoint = client.provider.candles
    assert endpoint is not None
    rejection: RequestRejected | None = None
    for pair in PAIRS:
        series = example_series(endpoint, client.provider.name, pair)
        end = series.interval.floor(now)
        window = Window(end - SLOTS * series.interval.step, end)
        try:
            question = candle_question(client.provider, series, window)
            rows = await client.ask(Ask(question, series, window, endpoint.rows))
        except RequestRejected as error:
            rejection = rejection or error
        else:
            return rows
    assert rejection is not None
    raise rejection


async def _files(client: Client, _: Offer, now: datetime, __: object) -> Sequence[Any]:
    """The days of the last week that there are files of."""
    endpoint = client.provider.archive
    assert endpoint is not None
    series = example_series(endpoint, endpoint.venue)
    found = await list_files(client, series, Window(now - 7 * DAY, now))
    return [*found.months, *found.days]


async def _list(client: Client, offer: Offer, _: datetime, __: object) -> Sequence[Any]:
    endpoint = client.provider.instruments
    assert endpoint is not None
    return await client.ask(Ask(offer.question, None, None, endpoint.rows))


async def _present(client: Client, offer: Offer, _: datetime, __: object) -> Sequence[Any]:
    snapshot = client.provider.snapshots[offer.dataset]
    return list((await client.ask(Ask(offer.question, None, None, snapshot.rows))).values())


async def _past(
    client: Client, offer: Offer, now: datetime, samples: Mapping[str, Sequence[str]]
) -> Sequence[Any]:
    """The last slots of a day at most; a chain's fees take a few requests."""
    history = client.provider.histories[offer.dataset]
    _, name = named(history, samples[offer.dataset]) or ("", "")
    interval = DATASETS[offer.dataset].interval
    assert interval is not None

    async def ask(question: Question, read: Callable[[Reply], T]) -> T:
        return await client.ask(Ask(question, None, None, read))

    return await history.rows(ask, name, recent(offer.dataset, now), interval.step)


async def _articles(client: Client, _: Offer, now: datetime, __: object) -> Sequence[Any]:
    endpoint = client.provider.news
    assert endpoint is not None
    return await client.ask(Ask(news_question(endpoint, now), None, None, endpoint.rows))


_ASKING: Mapping[str, Callable[..., Awaitable[Sequence[Any]]]] = {
    "candles": _candles,
    "files": _files,
    "list": _list,
    "present": _present,
    "past": _past,
    "articles": _articles,
}
