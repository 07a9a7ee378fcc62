"""Page-wise printing gives the text that printing one by one would."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_pipeline.sandbox.rendering import decimal, table, whole

VALUES = st.lists(st.integers(min_value=0, max_value=2**63 - 1), min_size=1, max_size=20)


@settings(deadline=None)
@given(VALUES)
def test_whole_numbers_print_as_python_prints_them(values: list[int]) -> None:
    """No leading zero, and a zero is one digit."""
    text = table([whole(np.array(values)), b"\n"], len(values)).decode()

    assert text.split() == [str(value) for value in values]


@settings(deadline=None)
@given(VALUES)
def test_decimals_print_all_eight_places(values: list[int]) -> None:
    """Integers of 1e-8 print exactly, with one digit at least before the point."""
    text = table([decimal(np.array(values)), b"\n"], len(values)).decode()

    assert text.split() == [f"{value // 10**8}.{value % 10**8:08d}" for value in values]


def test_no_rows_print_nothing() -> None:
    """An empty page has no text at all."""
    empty = np.empty(0, dtype=np.int64)

    assert table([b"[", whole(empty), decimal(empty), b"],"], 0) == b""
