"""What each provider offers, told from its declaration alone: nothing here sends a request."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar

from crypto_pipeline.market.datasets import DATASETS, GAS_PRICES, INDICES, MARKET_PRICES, SENTIMENT
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers.archive import stem_of
from crypto_pipeline.providers.candles import candle_question
from crypto_pipeline.providers.declaration import (
    ArchiveEndpoint,
    Asker,
    CandleEndpoint,
    History,
    NewsEndpoint,
    Provider,
    Question,
    Reply,
    Snapshot,
)

T = TypeVar("T")
Kind = Literal["candles", "files", "list", "present", "past", "articles"]

INSTRUMENTS, NEWS = "instruments", "news"
SERVED = (*(name for name in DATASETS if name != NEWS), NEWS, INSTRUMENTS)
"""What can be asked for, whoever offers it."""
SAMPLES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        MARKET_PRICES.name: ("bitcoin",),
        SENTIMENT.name: tuple(INDICES),
        GAS_PRICES.name: ("ethereum/tiers", "bitcoin/tiers", "ethereum/fees"),
    }
)
"""Series by which a provider is asked what it offers; it serves one of them at least."""
PAIRS = ("BTC-USDT", "BTC-USD", "BTC-KRW")
_EXAMPLE = datetime(2026, 1, 1, tzinfo=UTC)


class Offer(NamedTuple):
    """One endpoint of a provider: an example of what it is asked, and how far back it reaches."""

    dataset: str
    kind: Kind
    question: Question
    reach: str
    series: str | None = None
    """The series of the example, where the provider tells one by one."""


def offers(provider: Provider, samples: Mapping[str, Sequence[str]] = SAMPLES) -> list[Offer]:
    """All that a provider offers, dataset by dataset."""
    found = [
        *_candles(provider),
        *_files(provider),
        *_present(provider, samples),
        *_past(provider, samples),
        *_articles(provider),
        *_list(provider),
    ]
    return sorted(found, key=lambda offer: SERVED.index(offer.dataset))


def auth(provider: Provider) -> str:
    """Which key it wants, by the name of its environment variable."""
    if provider.key is None:
        return "none"
    return f"{'needs' if provider.key.is_required else 'optional'} {provider.key.env}"


def limit(provider: Provider, offer: Offer) -> str:
    """How fast it may be asked."""
    allowed, weight = provider.limits.weight_per_minute, offer.question.weight
    told = f"{allowed} a minute"
    return f"{told}, a request takes {weight}" if weight > 1 else told


def example_series(
    endpoint: CandleEndpoint | ArchiveEndpoint, venue: str, pair: str = PAIRS[0]
) -> CandleSeries:
    """Candles of the finest interval that a venue has."""
    finest = min(map(Interval.parse, endpoint.intervals), key=lambda one: one.step)
    return CandleSeries(venue, Instrument.parse(pair), finest)


def named(part: Snapshot | History, series: Sequence[str]) -> tuple[str, str] | None:
    """The first of the series that it serves, and the provider's name for it."""
    return next(((one, name) for one in series if (name := part.name(one))), None)


def recent(dataset: str, now: datetime, span: timedelta | None = None) -> Window:
    """The last slots of a dataset that are over, as many as fit the span; one without it."""
    interval = DATASETS[dataset].interval
    assert interval is not None
    end = interval.floor(now)
    return Window(end - max(span or interval.step, interval.step), end)


class _Enough(Exception):
    """A history has asked what we wanted to hear."""


def first_answer(history: History, dataset: str, name: str, window: Window, reply: Reply) -> object:
    """What a history reads in the answer to its first question."""
    found: list[object] = []

    async def ask(question: Question, read: Callable[[Reply], T]) -> T:  # noqa: ARG001
        found.append(read(reply))
        raise _Enough

    _begin(history, dataset, name, window, ask)
    return found[0]


def first_question(history: History, dataset: str, name: str, window: Window) -> Question:
    """What a history asks first, of however many questions."""
    asked: list[Question] = []

    async def ask(question: Question, read: Callable[[Reply], T]) -> T:  # noqa: ARG001
        asked.append(question)
        raise _Enough

    _begin(history, dataset, name, window, ask)
    return asked[0]


def _begin(history: History, dataset: str, name: str, window: Window, ask: Asker) -> None:
    """Have a history ask until it is told that it is enough; that takes no event loop."""
    interval = DATASETS[dataset].interval
    assert interval is not None
    with suppress(_Enough):
        next(history.rows(ask, name, window, interval.step).__await__())


def news_question(endpoint: NewsEndpoint, now: datetime) -> Question:
    """What a feed is asked, or a service for the articles of the newest hour that it tells of."""
    end = now - (endpoint.grace or timedelta())
    window = None if endpoint.is_feed else Window(end - min(endpoint.span, DAY / 24), end)
    return endpoint.question(window, endpoint.terms[0])


def _candles(provider: Provider) -> Iterator[Offer]:
    endpoint = provider.candles
    if endpoint is None:
        return
    series = example_series(endpoint, provider.name)
    window = Window(_EXAMPLE, _EXAMPLE + series.interval.step)
    question = candle_question(provider, series, window, 1)
    slots = f"the newest {endpoint.depth_slots:,} candles" if endpoint.depth_slots else ""
    reach = provider.history or slots or _reach(endpoint.depth)
    yield Offer("ohlc", "candles", question, reach, series.name)


def _files(provider: Provider) -> Iterator[Offer]:
    endpoint = provider.archive
    if endpoint:
        series = example_series(endpoint, endpoint.venue)
        question = Question(f"{stem_of(provider, series, 'monthly')}{_EXAMPLE:%Y-%m}.zip")
        yield Offer("ohlc", "files", question, provider.history, series.name)


def _present(provider: Provider, samples: Mapping[str, Sequence[str]]) -> Iterator[Offer]:
    for dataset, snapshot in provider.snapshots.items():
        if found := named(snapshot, samples[dataset]):
            series, name = found
            yield Offer(dataset, "present", snapshot.question([name]), "the present", series)


def _past(provider: Provider, samples: Mapping[str, Sequence[str]]) -> Iterator[Offer]:
    for dataset, history in provider.histories.items():
        if found := named(history, samples[dataset]):
            series, name = found
            window = recent(dataset, _EXAMPLE, min(history.span, DAY))
            question = first_question(history, dataset, name, window)
            yield Offer(dataset, "past", question, _reach(history.depth), series)


def _articles(provider: Provider) -> Iterator[Offer]:
    if provider.news:
        reach = provider.history or _reach(provider.news.depth)
        yield Offer(NEWS, "articles", news_question(provider.news, _EXAMPLE), reach)


def _list(provider: Provider) -> Iterator[Offer]:
    endpoint = provider.instruments
    if endpoint:
        question = Question(endpoint.path, endpoint.params, weight=endpoint.weight)
        yield Offer(INSTRUMENTS, "list", question, "the present")


def _reach(depth: timedelta | None) -> str:
    if depth is None:
        return "all"
    days = depth / DAY
    return f"{days:g} days" if days != 1 else "1 day"
