"""Faults to order: what can go wrong, for whom, how often, and the book that deals them out.

How a venue words a refusal is the venue's module; how a reply is cut is the front's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Self

import numpy as np

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.windows import utc

REFUSALS = ("429", "418", "451", "403_html", "500", "503", "garbage", "html")
"""The reply is another than the one asked for."""
TRANSPORT = ("slow", "cut_body", "reset")
"""The reply comes late, in part, or not at all."""
PAGES = (
    *("empty_page", "short_page", "stale_page", "holey_page"),
    *("duplicate_rows", "reordered_rows"),
)
"""The rows of a page are not all there, or not as they should be; other requests are spared."""
ROWLESS = ("outage", "delisted", "unlisted")
"""Rows between ``start`` and ``end`` never were; the last two show in the list of symbols too."""
MARKET = (*ROWLESS, "off_grid", "quiet")
"""The market itself, between ``start`` and ``end``: without rows, off the grid, or without trades."""
FILES = ("missing_file", "reissue", "corrupt_zip", "odd_columns", "odd_unit")
"""An archive's files, all of them or those that overlap ``start`` to ``end``, while the fault stands."""
DELIVERY = ("listed_but_gone", "no_checksum", "wrong_checksum")
"""An archive's answers for those files: the first is met by the file, the others by its checksum."""
KINDS = REFUSALS + TRANSPORT + PAGES + MARKET + FILES + DELIVERY
CHECKSUM = ".CHECKSUM"

_TEXT = re.compile(
    r"(?P<kind>[^:]+)"
    r"(?::(?P<symbol>[A-Za-z0-9._-]+))?"
    r"(?::(?P<start>\d{4}-[^/=,]*)/(?P<end>\d{4}-[^/=,]*))?"
    r"(?::(?P<options>\w+=.*))?"
)
_FORM = (
    "write kind[:SYMBOL][:START/END][:name=value,...], "
    "like 'outage:BTCUSDT:2026-01-02T03:00Z/2026-01-02T05:00Z' or '429:times=3,retry_after=2'"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a fault can tell a request by."""

    path: str
    symbol: str | None = None
    is_page: bool = False
    window: tuple[int, int] | None = None
    """Of an archive's file: the time of its candles, in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong: for ever without ``times``; ``path`` is how paths must begin."""

    kind: str
    symbol: str | None = None
    path: str = "/"
    times: int | None = None
    probability: float = 1.0
    start: datetime | None = None
    end: datetime | None = None
    retry_after: int | None = None
    ms: int = 2000

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if (moment := getattr(self, name)) is not None:
                object.__setattr__(self, name, utc(moment))
        for wrong, why in (
            (
                self.kind not in KINDS,
                f"unknown fault {self.kind!r}: expected one of {', '.join(KINDS)}",
            ),
            (self.times is not None and self.times < 1, "times must be 1 or more"),
            (not 0 <= self.probability <= 1, "probability must lie between 0 and 1"),
            (self.ms < 0 or (self.retry_after or 0) < 0, "ms and retry_after cannot be negative"),
            (
                self._has_span != self._wants_span,
                f"{', '.join(MARKET)}: these need START/END; only faults of files may have it too",
            ),
            (
                self.kind in MARKET + FILES and self._is_dealt,
                f"{self.kind} is for ever: no times, no probability",
            ),
        ):
            if wrong:
                raise UsageError(why)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the compact form; anything else is a UsageError that shows it."""
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            msg = f"fault {text!r} cannot be read: {_FORM}"
            raise UsageError(msg)
        given = {name: value for name, value in match.groupdict().items() if value}
        options = given.pop("options", "")
        given |= dict(_pair(option, text) for option in options.split(",") if option)
        return cls.of(given)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Read the JSON form: an object with this class's fields, times in ISO 8601."""
        unknown = set(given) - {field.name for field in fields(cls)}
        if unknown or "kind" not in given:
            msg = f"fault {dict(given)!r} cannot be read: {_FORM}"
            raise UsageError(msg)
        values: dict[str, Any] = {}
        for name, value in given.items():
            if value is not None:
                values[name] = _READERS[name](name, value)
        return cls(**values)

    @property
    def span(self) -> tuple[int, int]:
        """``[start, end)`` in milliseconds; faults of the market and of files have one."""
        if self.start is None or self.end is None:
            return (0, 0)
        return round(self.start.timestamp() * 1000), round(self.end.timestamp() * 1000)

    def concerns(self, asked: Asked) -> bool:
        """Whether it is meant for such a request; faults of the market and of files are for none."""
        if self.kind in MARKET + FILES or (self.kind in PAGES and not asked.is_page):
            return False
        is_of_file = self.kind == "listed_but_gone"
        if self.kind in DELIVERY and is_of_file == asked.path.endswith(CHECKSUM):
            return False
        return self.touches(asked)

    def touches(self, asked: Asked) -> bool:
        """Whether what is asked for is of its path and symbol; of a file also, whether it is of its span."""
        if asked.window is None and self.kind in FILES + DELIVERY:
            return False
        if asked.window is not None and self._has_span:
            (start, end), (first, stop) = self.span, asked.window
            if stop <= start or end <= first:
                return False
        return asked.path.startswith(self.path) and self.symbol in (None, asked.symbol)

    @property
    def _has_span(self) -> bool:
        return self.start is not None and self.end is not None and self.start < self.end

    @property
    def _wants_span(self) -> bool:
        if self.kind in FILES + DELIVERY:
            return self.start is not None or self.end is not None
        return self.kind in MARKET

    @property
    def _is_dealt(self) -> bool:
        return self.times is not None or self.probability < 1


class FaultBook:
    """The faults on order; requests are served in the order faults were added."""

    def __init__(self, seed: int, faults: Sequence[Fault] = ()) -> None:
        self._seed = seed
        self._lock = Lock()
        self._orders: list[_Order] = []
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Order more."""
        with self._lock:
            for fault in faults:
                number = len(self._orders)
                self._orders.append(
                    _Order(fault, np.random.default_rng([self._seed, number]), fault.times)
                )

    def clear(self) -> None:
        """Order none."""
        with self._lock:
            self._orders.clear()

    def standing(self) -> tuple[Fault, ...]:
        """The faults that can still strike."""
        return tuple(order.fault for order in self._orders if order.left != 0)

    def strike(self, asked: Asked) -> tuple[Fault, ...]:
        """The faults this request meets, each used once; nothing follows a refusal or a reset."""
        struck: list[Fault] = []
        with self._lock:
            for order in self._orders:
                if order.fault.concerns(asked) and order.strikes():
                    struck.append(order.fault)
                    if order.fault.kind in (*REFUSALS, "reset"):
                        break
        return tuple(struck)

    def spans(self, kind: str, asked: Asked) -> tuple[tuple[int, int], ...]:
        """The spans of the market faults of that kind for the symbol and path, in milliseconds."""
        return tuple(
            fault.span for fault in self.standing() if fault.kind == kind and fault.touches(asked)
        )

    def holds(self, kind: str, asked: Asked, now: int) -> bool:
        """Whether a market fault of that kind holds for the symbol and path ``now``."""
        return any(start <= now < end for start, end in self.spans(kind, asked))


def disarranged(count: int, kinds: Sequence[str]) -> list[int]:
    """Which of a page's rows to send, and in what order."""
    rows = list(range(count))
    if "short_page" in kinds:
        rows = rows[: count // 2]
    if "stale_page" in kinds:
        del rows[-3:]
    if "holey_page" in kinds:
        del rows[5:-1:11]
    if "empty_page" in kinds:
        rows = []
    if "duplicate_rows" in kinds:
        rows = sorted(rows + rows[::7])
    if "reordered_rows" in kinds:
        for row in range(0, len(rows) - 1, 2):
            rows[row], rows[row + 1] = rows[row + 1], rows[row]
    return rows


@dataclass(slots=True)
class _Order:
    fault: Fault
    chance: np.random.Generator
    left: int | None

    def strikes(self) -> bool:
        """Whether it strikes now, and if so one time less is left."""
        if self.left == 0 or self.chance.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


def _pair(option: str, text: str) -> tuple[str, str]:
    name, _, value = option.partition("=")
    if not value:
        msg = f"fault {text!r} cannot be read: {option!r} is not name=value"
        raise UsageError(msg)
    return name, value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        msg = f"a fault's {name} must be text, not {value!r}"
        raise UsageError(msg)
    return value


def _whole(name: str, value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        msg = f"a fault's {name} must be a whole number, not {value!r}"
        raise UsageError(msg) from None


def _part(name: str, value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        msg = f"a fault's {name} must be a number, not {value!r}"
        raise UsageError(msg) from None


def _moment(name: str, value: object) -> datetime:
    """An ISO time; without a zone it is UTC, for the sandbox knows no other."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        msg = f"a fault's {name} must be a time like 2026-01-02T03:00Z, not {value!r}"
        raise UsageError(msg) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_READERS = {
    **dict.fromkeys(("kind", "symbol", "path"), _text),
    **dict.fromkeys(("times", "retry_after", "ms"), _whole),
    "probability": _part,
    **dict.fromkeys(("start", "end"), _moment),
}
