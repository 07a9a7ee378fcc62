"""Rows as the text of a COPY, which Postgres reads faster than a driver can make binary decimals."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def text_lines(rows: Iterable[tuple[Any, ...]], series_id: int, load_id: int) -> str:
    """A line for each row, its keys before it; numbers are written as the source printed them."""
    keys = f"{series_id}\t{load_id}"
    return "".join(
        "\t".join([keys, *[_FORMS[type(value)](value) for value in row]]) + "\n" for row in rows
    )


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _null(_: object) -> str:
    return "\\N"


_FORMS: Mapping[type, Callable[[Any], str]] = {
    Decimal: str,
    int: str,
    bool: str,
    datetime: datetime.isoformat,
    str: _escaped,
    type(None): _null,
}
