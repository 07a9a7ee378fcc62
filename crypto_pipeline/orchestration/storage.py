"""Dagster's Postgres storage over a pool of connections.

Its own makes a new connection for every query; making one costs more than the query does.
"""

from collections.abc import Mapping
from typing import Any, Self

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

KEPT = 2
"""Connections that a process keeps open; more are made when its threads need them at once."""


class PooledPostgresStorage(DagsterPostgresStorage):
    """Keeps its connections, and replaces one that has died when it is needed."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        self._engine = create_pg_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=KEPT,
            max_overflow=-1,
            pool_pre_ping=True,
        )
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = self._engine  # noqa: SLF001 - there is no other way in
        # At its end an instance tells the parts of its storage, not the whole.
        self._run_storage.dispose = self._engine.dispose  # type: ignore[method-assign]

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """As dagster.yaml configures it, with the keys of Dagster's own."""
        return cls(pg_url_from_config(config_value), inst_data)
