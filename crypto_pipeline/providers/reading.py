"""The readers of JSON values that all providers share: strict, and exact.

What is not what it should be raises a TypeError, ValueError or ArithmeticError, which
``replies.reading`` turns into a MalformedReply; what a reply as a whole means is not for here.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from crypto_pipeline.market.intervals import EPOCH

_SECOND = 1_000_000
"""Microseconds, the finest that a datetime tells."""
_MOST_DIGITS = 18
"""Of microseconds; the year 9999 has as many."""


def text(value: object) -> str:
    """A string as it is."""
    if not isinstance(value, str):
        raise TypeError
    return value


def whole(value: object) -> int:
    """A JSON integer; neither a bool nor a text of digits."""
    if type(value) is not int:
        raise TypeError
    return value


def number(value: object) -> Decimal:
    """The exact value of a finite number, printed as a number or as a text."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError
    read = Decimal(value)
    if not read.is_finite():
        raise ValueError
    return read


def optional_number(value: object) -> Decimal | None:
    """A number where one is told: null and an empty text tell none."""
    return None if value is None or value == "" else number(value)


def from_seconds(value: object) -> datetime:
    """The moment so many seconds after the epoch, which may have a fraction or be a text."""
    return _moment(number(value) * _SECOND)


def from_milliseconds(value: object) -> datetime:
    """The moment so many milliseconds after the epoch."""
    return _moment(number(value) * 1_000)


def from_nanoseconds(value: object) -> datetime:
    """The moment so many nanoseconds after the epoch, cut to microseconds."""
    return _moment(number(value) / 1_000)


def from_iso(value: object) -> datetime:
    """The moment an ISO 8601 text names; one without a zone is UTC."""
    moment = datetime.fromisoformat(text(value))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(microseconds: Decimal) -> datetime:
    # A power of ten too many would be written out, digit by digit.
    if microseconds.adjusted() > _MOST_DIGITS:
        raise ValueError
    return EPOCH + timedelta(microseconds=int(microseconds))
