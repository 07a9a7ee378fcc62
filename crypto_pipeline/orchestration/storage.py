"""Dagster's Postgres storage over a pool of connections.

Its own makes a new connection for every query; making one costs more than the query does.
"""

from collections.abc import Mapping
from typing import Any, Self

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

from crypto_pipeline.orchestration.event_log import BatchingEventLog

KEPT = 2
"""Connections that a process keeps open; more are made when its threads need them at once."""
KEPT_BY_THE_PAGE = 10
"""The webserver's: one opening of an asset's page asks a dozen questions at once."""


class PooledPostgresStorage(DagsterPostgresStorage):
    """Keeps its connections, and replaces one that has died when it is needed."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        # The tables are there by now, and looking for them again takes a connection.
        self._event_log_storage = BatchingEventLog(postgres_url, should_autocreate_tables=False)
        self._use(self._pool(KEPT))
        for part in self._parts:
            part.optimize_for_webserver = self._optimize_for_webserver

    @property
    def _parts(self) -> tuple[Any, ...]:
        return self._schedule_storage, self._run_storage, self._event_log_storage

    def _pool(self, size: int, **options: Any) -> Any:
        """No number of threads waits for a connection."""
        return create_pg_engine(
            self.postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=size,
            max_overflow=-1,
            pool_pre_ping=True,
            **options,
        )

    def _use(self, engine: Any) -> None:
        for part in self._parts:
            part._engine = engine  # noqa: SLF001 - there is no other way in
        # At its end an instance tells the parts of its storage, not the whole.
        self._run_storage.dispose = engine.dispose  # type: ignore[method-assign]

    def _optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """The webserver tells each part; its own way is a pool of one connection a part."""
        del max_overflow  # no limit, as elsewhere
        options = self._run_storage._engine.url.query.get("options", "")  # noqa: SLF001
        with_timeout = {"options": f"{options} -cstatement_timeout={statement_timeout}"}
        self._use(
            self._pool(KEPT_BY_THE_PAGE, pool_recycle=pool_recycle, connect_args=with_timeout)
        )

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """As dagster.yaml configures it, with the keys of Dagster's own."""
        return cls(pg_url_from_config(config_value), inst_data)
