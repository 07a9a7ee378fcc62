"""Files of tables: what is read back is what was written, digit for digit."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.errors import UsageError
from crypto_pipeline.frames.tables import METADATA, ArrowFile, CsvFile, schema_of, table_of

NOON = datetime(2026, 3, 4, 12, 0, 0, 500_000, UTC)
EVERY_TYPE = [
    ("at", "timestamptz"),
    ("day", "date"),
    ("number", "numeric"),
    ("count", "int4"),
    ("is_so", "bool"),
    ("text", "text"),
    ("names", "text[]"),
]
WRITTEN = b'2026-03-04T12:00:00.5Z,2026-03-04,1.50,7,true,"a\n""b""","[""x"",""y""]"\n,,,,,,\n'
Writes = Callable[[BytesIO, Any], ArrowFile]
FORMS: list[tuple[Writes, Callable[[BytesIO], Any]]] = [
    (ArrowFile.parquet, pq.read_table),
    (ArrowFile.feather, pa_feather.read_table),
]


def read_back(form: int, schema: Any, *texts: bytes) -> Any:
    """What is in a file that was written piece by piece."""
    file, (write, read) = BytesIO(), FORMS[form]
    table = write(file, schema)
    for text in texts:
        table.add(text)
    table.close()
    return read(BytesIO(file.getvalue()))


@pytest.mark.parametrize("form", [0, 1])
def test_every_type_reads_back(form: int) -> None:
    """Instants in UTC, exact decimals, lists, text with line breaks, and nulls; and what it is of."""
    schema = schema_of(EVERY_TYPE, {"number": 2}, {"dataset": "news", "made_at": NOON})
    table = read_back(form, schema, WRITTEN, b"", WRITTEN)
    row = (NOON, NOON.date(), Decimal("1.50"), 7, True, 'a\n"b"', ["x", "y"])
    names = [name for name, _ in EVERY_TYPE]

    assert [dict(zip(names, row, strict=True)), dict.fromkeys(names)] * 2 == table.to_pylist()
    assert table.schema.field("at").type == pa.timestamp("us", "UTC")
    assert {"dataset": "news", "made_at": str(NOON)} == json.loads(table.schema.metadata[METADATA])


@given(st.lists(st.decimals(-(10**15), 10**15, places=12), min_size=1))
def test_decimals_are_exact(numbers: list[Decimal]) -> None:
    """Any number that the digits suffice for is the same number."""
    text = "".join(f"{number:f}\n" for number in numbers).encode()
    schema = schema_of([("number", "numeric")], {"number": 12}, {})

    assert numbers == read_back(0, schema, text)["number"].to_pylist()


@pytest.mark.parametrize(
    ("scale", "text"), [(39, "1"), (30, "123456789.5"), (2, "NaN"), (1, "0.25")]
)
def test_number_that_does_not_fit_is_refused(scale: int, text: str) -> None:
    """It is neither cut nor rounded; the sentence says what else there is."""
    with pytest.raises(UsageError, match=r"does not fit a decimal of 38 digits .* --float"):
        table_of(text.encode(), schema_of([("number", "numeric")], {"number": scale}, {}))


def test_doubles_are_written_where_they_are_wanted() -> None:
    """Then no number is too long."""
    schema = schema_of([("number", "numeric")], None, {})

    assert [0.1] == table_of(b"0.1000000000000000000000000000000000000000001\n", schema)[
        "number"
    ].to_pylist()


def test_csv_is_the_text_under_a_header() -> None:
    """Digits stay as they are."""
    file = BytesIO()
    table = CsvFile(file, ["at", "price"])
    table.add(b"2026-03-04T12:00:00Z,1.50\n")
    table.close()

    assert file.getvalue() == b"at,price\n2026-03-04T12:00:00Z,1.50\n"
