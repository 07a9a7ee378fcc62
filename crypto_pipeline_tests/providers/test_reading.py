"""The readers that providers share: what is read is exact, and nothing odd is read at all."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.providers.reading import (
    from_iso,
    from_milliseconds,
    from_nanoseconds,
    from_seconds,
    number,
    optional_number,
    text,
    whole,
)

ODD: tuple[object, ...] = (None, True, 1.5, [], {}, b"1", "", "abc", "NaN", "-Infinity")
MOMENT = datetime(2025, 8, 18, 5, 58, 6, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.10", "0.10"), (7, "7"), (Decimal("0E-12"), "0E-12"), ("-1e-8", "-1e-8")],
)
def test_number_is_exact(value: object, expected: str) -> None:
    """Every digit that was printed is kept, trailing zeros too."""
    assert str(Decimal(expected)) == str(number(value))


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_number_is_refused(value: object) -> None:
    """Neither a bool, nor a float that lost digits, nor what is not finite is a number."""
    with pytest.raises((TypeError, ValueError, ArithmeticError)):
        number(value)


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("", None), ("1.0", Decimal("1.0"))])
def test_absent_number_is_none(value: object, expected: Decimal | None) -> None:
    """Null and an empty text tell no number, and nothing else is taken for one."""
    assert expected == optional_number(value)


@pytest.mark.parametrize("value", ["7", True, 7.0, Decimal(7), None], ids=repr)
def test_whole_is_a_json_integer(value: object) -> None:
    """What is printed otherwise is no count."""
    assert 7 == whole(7)
    with pytest.raises(TypeError):
        whole(value)


def test_text_is_a_string() -> None:
    """A number is never taken for a name."""
    assert "BTC" == text("BTC")
    with pytest.raises(TypeError):
        text(1)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (from_seconds, "1755496686.25"),
        (from_seconds, Decimal("1755496686.250")),
        (from_milliseconds, 1755496686250),
        (from_nanoseconds, "1755496686250000999"),
        (from_iso, "2025-08-18T05:58:06.25Z"),
        (from_iso, "2025-08-18T07:58:06.25+02:00"),
        (from_iso, "2025-08-18 05:58:06.250"),
    ],
)
def test_moment_is_read_to_the_microsecond(
    read: Callable[[object], datetime], value: object
) -> None:
    """Whatever unit it is told in, it is the same moment in UTC."""
    moment = read(value)

    assert MOMENT == moment
    assert timedelta() == moment.utcoffset()


@given(
    st.sampled_from([from_seconds, from_milliseconds, from_nanoseconds, from_iso]),
    st.one_of(
        st.integers(), st.decimals(), st.text(), st.sampled_from(["1e999999999", "-1e999999999"])
    ),
)
def test_no_moment_raises_what_reading_turns(
    read: Callable[[object], datetime], value: object
) -> None:
    """A time that is none raises an error that becomes a malformed reply, and at once."""
    with suppress(TypeError, ValueError, ArithmeticError):
        assert EPOCH.tzinfo == read(value).tzinfo
