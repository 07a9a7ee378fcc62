"""What a provider is: data, and small pure functions where a protocol has its own mind.

Nothing here sends a request; the client does.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.frames.articles import Article
from crypto_pipeline.frames.candle_block import CandleBlock
from crypto_pipeline.frames.candles import Candle
from crypto_pipeline.frames.observations import Observation
from crypto_pipeline.market.holes import Reason
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.windows import Window

Params = Mapping[str, str | int]
Status = Literal["trading", "halted"]
T = TypeVar("T")

LONGEST_BAN = 7 * 86_400.0
"""Seconds; no host means more, whatever number it sends."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host answered: status, lower-case headers, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type without its parameters, lower-case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def retry_after(self) -> float | None:
        """The seconds a host asks us to wait, a week at most; None where it names no such number."""
        text = self.headers.get("retry-after", "")
        return min(float(text), LONGEST_BAN) if text.isdecimal() else None

    @property
    def sent_at(self) -> datetime | None:
        """The host's own time when it answered, to the second; None where it tells none."""
        try:
            moment = parsedate_to_datetime(self.headers.get("date", ""))
            # A date without a zone is UTC: HTTP knows no other.
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Question:
    """One request: a GET, or a POST of the ``body`` as JSON where there is one."""

    path: str
    params: Params = field(default_factory=dict)
    body: object | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Key:
    """How a host wants its key: in a ``header``, after a ``prefix``, or in a parameter of the query.

    ``env`` is the environment variable that holds it, unless the settings name another.
    """

    env: str
    header: str | None = None
    prefix: str = ""
    param: str | None = None
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast a host may be asked; ``headers`` name the weight it says was used this minute."""

    weight_per_minute: int
    concurrency: int = 4
    used_weight_header: str | None = None


@dataclass(frozen=True, slots=True)
class CandleEndpoint:
    """How a venue is asked for candles.

    ``path`` may hold ``{symbol}`` and ``{interval}``. ``params`` gets both in the venue's spelling
    and a half-open window; they are the query, or the JSON of a POST. ``rows`` reads a
    reply that ``fault`` passed; rows come in any order and may lie outside the window.
    ``resolution`` is the finest time that the venue tells and is told.
    """

    path: str
    page_limit: int
    weight: int
    intervals: Mapping[str, str]
    params: Callable[[str, str, Window, int], Mapping[str, Any]]
    rows: Callable[[Reply], Sequence[Candle]]
    resolution: timedelta = timedelta(milliseconds=1)
    ascending: bool = True
    """Where more candles fit the window than a page, the oldest come; otherwise the newest."""
    omits_quiet: bool = False
    """A slot without a trade has no candle."""
    depth: timedelta | None = None
    """How far back it reaches; None is the whole history."""
    depth_slots: int | None = None
    """The same where it is a number of candles, whatever their interval."""
    is_posted: bool = False
    limit_counts_rows: bool = True
    """The page limit counts rows; otherwise slots, and no window may hold more of them."""
    block: Callable[[Reply], CandleBlock | None] | None = None
    """The same as ``rows`` as arrays, much faster; None of a reply that is not quite plain."""
    weights: Sequence[tuple[int, int]] = ()
    """Limits that weigh less: up to so many rows, so much, the smallest first."""

    @property
    def limits(self) -> list[int]:
        """The limit worth asking with for each weight: the greatest that weighs as much."""
        lighter = [most for most, _ in self.weights if most < self.page_limit]
        return [*lighter, self.page_limit]

    def weight_of(self, limit: int) -> int:
        """What a request for so many rows costs."""
        return next((weight for most, weight in self.weights if limit <= most), self.weight)

    @property
    def tells_first(self) -> bool:
        """Whether one row is enough to ask for the first candle of a window."""
        return self.ascending and self.limit_counts_rows


@dataclass(frozen=True, slots=True)
class ArchiveEndpoint:
    """Where the bulk files of a venue's candles lie: a zip for each series and month, and each day.

    ``folder`` holds ``{period}`` (monthly or daily), ``{symbol}`` and ``{interval}``, and ends with
    a slash. ``listing_url`` answers with the keys below a prefix, as an S3 bucket does.
    """

    venue: str
    listing_url: str
    folder: str
    intervals: Mapping[str, str]
    """The venue's spelling of each interval that there are files of."""
    monthly_only: frozenset[str] = frozenset()
    """Intervals that have no daily files."""


class Listed(NamedTuple):
    """One instrument as a venue lists it; ``symbol`` is the venue's spelling."""

    instrument: Instrument
    symbol: str
    status: Status


@dataclass(frozen=True, slots=True)
class InstrumentEndpoint:
    """How a venue is asked for its instruments, all in one reply; ``rows`` reads one that ``fault`` passed."""

    path: str
    weight: int
    params: Params
    rows: Callable[[Reply], Sequence[Listed]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a provider is asked for the present values of several series at once.

    ``name`` is its own name for a series, None for one it does not serve; ``most`` names fit one
    request. ``rows`` reads a reply that ``fault`` passed, by the provider's names; others than
    those asked for may be among them.
    """

    name: Callable[[str], str | None]
    question: Callable[[Sequence[str]], Question]
    rows: Callable[[Reply], Mapping[str, Observation]]
    most: int = 1


class Asker(Protocol):
    """Asks on behalf of one series and window, so that the log says what for."""

    async def __call__(self, question: Question, read: Callable[[Reply], T]) -> T:
        """The answer as ``read`` takes it from a reply that ``fault`` passed."""
        ...


@dataclass(frozen=True, slots=True)
class History:
    """How a provider is asked for past values of one series.

    ``rows`` gets the provider's name, a half-open window no longer than ``span`` and the length of
    a slot; what it gives comes in any order, may lie outside the window, and has its own time.
    ``absence`` is what rows on both sides of a slot, in one answer without it, prove.
    """

    name: Callable[[str], str | None]
    rows: Callable[[Asker, str, Window, timedelta], Awaitable[Sequence[Observation]]]
    span: timedelta
    depth: timedelta | None = None
    absence: Reason | None = None


@dataclass(frozen=True, slots=True)
class NewsEndpoint:
    """How a provider is asked for articles: a feed for its newest, others for those of a window.

    ``question`` gets None, or a window and one of the ``terms``; ``rows`` reads a reply that
    ``fault`` passed, in any order. An answer with ``full`` rows is cut off, so its window is split.
    """

    question: Callable[[Window | None, str], Question]
    rows: Callable[[Reply], Sequence[Article]]
    is_feed: bool = False
    interval: str = "15m"
    """The length of its slots: one whose allowance is small is asked for much at once."""
    terms: tuple[str, ...] = ("",)
    full: int | None = None
    span: timedelta = timedelta(days=1)
    """The longest window that is asked for at once."""
    narrowest: timedelta = timedelta(minutes=1)
    """A window this short is not split further."""
    depth: timedelta | None = None
    grace: timedelta | None = None
    """How long after its end a slot can be asked for; None is as the dataset says."""
    trust: int = 0
    """0 is the publisher itself; a greater number never replaces what a smaller one said."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who can tell us something, where, how fast, and how its errors are told from its answers.

    ``fault`` gives the error that a reply means, or None for an answer that can be read.
    """

    name: str
    title: str
    docs: str
    base_url: str
    limits: Limits
    fault: Callable[[Reply], ProviderError | None]
    symbol: Callable[[Instrument], str] = str
    mirrors: tuple[str, ...] = ()
    key: Key | None = None
    secret: str | None = field(default=None, repr=False)
    history: str = ""
    candles: CandleEndpoint | None = None
    archive: ArchiveEndpoint | None = None
    instruments: InstrumentEndpoint | None = None
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    """Present values, by dataset."""
    histories: Mapping[str, History] = field(default_factory=dict)
    """Past values, by dataset."""
    news: NewsEndpoint | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The base URL, then its mirrors."""
        return (self.base_url, *self.mirrors)

    @property
    def needs_key(self) -> str | None:
        """The environment variable that must hold its key before it can be asked; None when it can."""
        is_locked = self.key is not None and self.key.is_required and not self.secret
        return self.key.env if self.key and is_locked else None
