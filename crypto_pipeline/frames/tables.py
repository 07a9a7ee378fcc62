"""Files of tables: Parquet, Feather and CSV, written piece by piece from rows as CSV text.

What the rows are is not known here; FreqTrade's files are in ``freqtrade``.
"""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Protocol

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from crypto_pipeline.errors import UsageError

MOST_DIGITS = 38
"""Of a decimal that every reader of Parquet and Arrow can hold."""
METADATA = b"crypto_pipeline"
"""Where a file says, as JSON, what it is of."""
_ARROW = {
    "timestamptz": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
    "bool": pa.bool_(),
    **dict.fromkeys(("int2", "int4", "int8"), pa.int64()),
    "float8": pa.float64(),
}
_TEXTS = pa.list_(pa.string())


class TableFile(Protocol):
    """A file that takes rows as they come; it is whole once it is closed."""

    def add(self, text: bytes) -> None:
        """Rows as CSV text without a header."""

    def close(self) -> None:
        """Write what belongs at the end; the file itself stays open."""


class CsvFile:
    """The text as it is, under a header."""

    def __init__(self, file: BinaryIO, names: Sequence[str]) -> None:
        self._file = file
        file.write(f"{','.join(names)}\n".encode())

    def add(self, text: bytes) -> None:
        """Rows as CSV text without a header."""
        self._file.write(text)

    def close(self) -> None:
        """Nothing comes after the rows."""


class ArrowFile:
    """Parquet or Feather: each piece is a group of rows in it."""

    def __init__(self, writer: Any, schema: Any) -> None:
        self._writer, self._schema = writer, schema

    @classmethod
    def parquet(cls, file: BinaryIO, schema: Any) -> "ArrowFile":
        """Compressed by Zstandard."""
        return cls(pq.ParquetWriter(file, schema, compression="zstd"), schema)

    @classmethod
    def feather(cls, file: BinaryIO, schema: Any) -> "ArrowFile":
        """Compressed by LZ4, which is what Feather's readers expect."""
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        return cls(pa.ipc.new_file(file, schema, options=options), schema)

    def add(self, text: bytes) -> None:
        """Rows as CSV text without a header."""
        if text:
            self._writer.write_table(table_of(text, self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def schema_of(
    columns: Sequence[tuple[str, str]],
    scales: Mapping[str, int] | None,
    about: Mapping[str, object],
) -> Any:
    """Columns by name and Postgres type; decimals have as many digits as told, or are doubles."""
    fields = [pa.field(name, _arrow_type(name, kind, scales)) for name, kind in columns]
    return pa.schema(fields, {METADATA: json.dumps(about, default=str)})


def _arrow_type(name: str, kind: str, scales: Mapping[str, int] | None) -> Any:
    if kind.endswith("[]"):
        return _TEXTS
    if kind != "numeric":
        return _ARROW.get(kind, pa.string())
    if scales is None:
        return pa.float64()
    if scales[name] > MOST_DIGITS:
        msg = f"{scales[name]} digits after the point of {name}"
        raise _too_long(msg)
    return pa.decimal128(MOST_DIGITS, scales[name])


def table_of(text: bytes, schema: Any) -> Any:
    """Rows of CSV text as they are typed; a UsageError where a number does not fit."""
    read = {one.name: pa.string() if one.type == _TEXTS else one.type for one in schema}
    options = pa_csv.ConvertOptions(
        column_types=read,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        table = pa_csv.read_csv(
            io.BytesIO(text),
            pa_csv.ReadOptions(column_names=schema.names, block_size=len(text) + 1),
            pa_csv.ParseOptions(newlines_in_values=True),
            options,
        )
        # Reading lets a number pass that has a digit more than its type.
        table.validate(full=True)
    except pa.ArrowInvalid as error:
        raise _too_long(str(error)) from None
    return pa.table([_listed(table[one.name], one.type) for one in schema], schema=schema)


def _listed(column: Any, kind: Any) -> Any:
    """Lists come as JSON."""
    if kind != _TEXTS:
        return column
    return pa.array([one and json.loads(one) for one in column.to_pylist()], kind)


def _too_long(what: str) -> UsageError:
    return UsageError(
        f"a number does not fit a decimal of {MOST_DIGITS} digits ({what}): "
        "write --format csv, which keeps every digit, or --float, which rounds"
    )
