"""The statements of ``sql/rows.sql``, worded for one dataset: its table, its columns, its promises."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from psycopg import sql

from crypto_pipeline.market.datasets import NEWS, OHLC, PROVISIONAL, Dataset
from crypto_pipeline.warehouse.statements import statements


@cache
def row_statements(dataset: Dataset) -> Mapping[str, sql.Composed]:
    """Every statement about rows by its heading; names come from the declaration, never from outside.

    Articles belong to no single series, so theirs are statements of their own.
    """
    if dataset == NEWS:
        return MappingProxyType(
            {name: sql.Composed([sql.SQL(text)]) for name, text in statements("news").items()}
        )
    columns = [column.name for column in dataset.columns]
    values = dataset.values
    words = {
        "table": sql.Identifier("warehouse", dataset.name),
        **_reading(dataset),
        "revisions": sql.Identifier("warehouse", f"{dataset.name}_revisions"),
        "staging": sql.Identifier(f"staged_{dataset.name}"),
        "time": sql.Identifier(dataset.time),
        "columns": _listed(columns),
        "kept_columns": _listed(columns, "kept"),
        "kept_values": _listed(values, "kept"),
        "staged_values": _listed(values, "staged"),
        "excluded_values": _listed(values, "excluded"),
        "set_values": sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(one), sql.Identifier("excluded", one))
            for one in values
        ),
        "promise": sql.SQL(statements("promises")[dataset.name]),
        "is_final": _is_final(dataset),
    }
    return MappingProxyType(
        {name: sql.SQL(text).format(**words) for name, text in statements("rows").items()}
    )


def _reading(dataset: Dataset) -> dict[str, sql.Composable]:
    """Where rows are read: candles may be packed by days, of which those not asked for stay so."""
    if dataset != OHLC:
        table, always = sql.Identifier("warehouse", dataset.name), sql.SQL("true")
        return {"stored": table, "ends": table, "in_days": always, "in_days_and_a_slot": always}
    since = "(kept.day is null or kept.day between (%(start)s::timestamptz at time zone 'utc')::date and "
    return {
        "stored": sql.Identifier("warehouse", "ohlc_stored"),
        "ends": sql.Identifier("warehouse", "ohlc_ends"),
        "in_days": sql.SQL(since + "(%(end)s::timestamptz at time zone 'utc')::date)"),
        "in_days_and_a_slot": sql.SQL(
            since + "((%(end)s + %(step)s::interval) at time zone 'utc')::date)"
        ),
    }


def _listed(names: Iterable[str], table: str | None = None) -> sql.Composed:
    parts = (sql.Identifier(table, one) if table else sql.Identifier(one) for one in names)
    return sql.SQL(", ").join(parts)


def _is_final(dataset: Dataset) -> sql.Composable:
    """Only a value that can change no more makes its slot present."""
    if dataset.is_provisional_at is None:
        return sql.SQL("true")
    return sql.SQL("not {}").format(sql.Identifier("kept", PROVISIONAL))
