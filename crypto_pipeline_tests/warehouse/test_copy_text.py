"""The text of a COPY."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from crypto_pipeline.warehouse.copy_text import text_lines


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1.500"), "1.500"),
        (7, "7"),
        (True, "True"),
        (None, "\\N"),
        (datetime(2024, 3, 1, tzinfo=UTC), "2024-03-01T00:00:00+00:00"),
        ("a\tb\nc\\N", "a\\tb\\nc\\\\N"),
    ],
)
def test_value_is_written_as_copy_reads_it(value: object, written: str) -> None:
    """Each after the keys, with what would end a field escaped."""
    assert f"3\t4\t{written}\n" == text_lines([(value,)], 3, 4)


def test_each_row_is_a_line() -> None:
    """In the order they came."""
    assert "1\t2\t5\n1\t2\t6\n" == text_lines([(5,), (6,)], 1, 2)
