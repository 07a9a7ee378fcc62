"""Alembic's entry: runs the migrations on the connection that ``migrate`` hands over."""

import re

from alembic import context

from crypto_pipeline.warehouse import (  # each adds its tables to the metadata
    schema_archive,  # noqa: F401
    schema_datasets,  # noqa: F401
    schema_hosts,  # noqa: F401
    schema_news,  # noqa: F401
    schema_storage,  # noqa: F401
)
from crypto_pipeline.warehouse.schema import SCHEMA, metadata

_MONTH = re.compile(r"_\d{4}_\d{2}$")


def _ours(name: str | None, kind: str, _: object) -> bool:
    """Only our schema is compared; month partitions come and go without migrations."""
    if kind == "schema":
        return name == SCHEMA
    return not (kind == "table" and _MONTH.search(name or ""))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=_ours,
    compare_server_default=False,
)
context.run_migrations()
