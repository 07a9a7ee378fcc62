"""What a provider is: data, and small pure functions where a protocol has its own mind.

Nothing here sends a request; the client does.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple, Protocol, TypeVar

from crypto_pipeline.errors import ProviderError
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

    ``params`` gets the venue's symbol, its interval and a half-open window. ``rows`` reads a
    reply that ``fault`` passed; rows come in any order and may lie outside the window.
    """

    path: str
    page_limit: int
    weight: int
    intervals: Mapping[str, str]
    params: Callable[[str, str, Window, int], Params]
    rows: Callable[[Reply], Sequence[Candle]]
    resolution: timedelta = timedelta(milliseconds=1)
    ascending: bool = True
    """A reply begins with the oldest candle of the window."""
    omits_quiet: bool = False
    """A slot without a trade has no candle."""
    depth: timedelta | None = None
    """How far back it reaches; None is the whole history."""
    limit_counts_rows: bool = True
    """The page limit counts rows, so a longer window without rows is one page."""


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
    instruments: InstrumentEndpoint | None = None
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    """Present values, by dataset."""
    histories: Mapping[str, History] = field(default_factory=dict)
    """Past values, by dataset."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The base URL, then its mirrors."""
        return (self.base_url, *self.mirrors)

    @property
    def needs_key(self) -> str | None:
        """The environment variable that must hold its key before it can be asked; None when it can."""
        is_locked = self.key is not None and self.key.is_required and not self.secret
        return self.key.env if self.key and is_locked else None
