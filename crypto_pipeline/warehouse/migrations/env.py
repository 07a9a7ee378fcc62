"""Alembic's entry: runs the migrations on the connection that ``migrate`` hands over."""

from alembic import context

from crypto_pipeline.warehouse.schema import SCHEMA, metadata


def _ours(name: str | None, kind: str, _: object) -> bool:
    """Only our schema is compared; month partitions come and go without migrations."""
    if kind == "schema":
        return name == SCHEMA
    return not (kind == "table" and (name or "").startswith("ohlc_2"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=_ours,
    compare_server_default=False,
)
context.run_migrations()
