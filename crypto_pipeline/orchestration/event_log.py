"""Dagster's event log in Postgres, whose batches are a statement a table, whatever events are in them.

Its own writes planned partitions and evaluations one by one: some five statements and a commit each.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any
from uuid import uuid4

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationPlanned as Planned,
)
from dagster._core.events import (
    ASSET_EVENTS,
    DagsterEvent,
    DagsterEventBatchMetadata,
)
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Status,
)
from dagster._core.storage.asset_check_state import AssetCheckState
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Executions
from dagster._core.storage.event_log.schema import AssetKeyTable as AssetKeys
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as EventLogs
from dagster._serdes import serialize_value
from dagster_postgres.event_log import PostgresEventLogStorage

from crypto_pipeline.orchestration.check_states import check_states

MANY = 100
"""Events after which Postgres is to look anew: the page's joins take it seconds where it knows of none."""
Row = dict[str, Any]


class BatchingEventLog(PostgresEventLogStorage):
    """Stores a batch in one transaction; where it fails, Dagster stores its events one by one.

    It looks once for a table or a column; the page would look dozens of times.
    """

    @cached_property
    def _tables(self) -> set[str]:
        return set()

    def has_table(self, table_name: str) -> bool:
        """Whether there is such a table; one that was there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def has_asset_key_col(self, column_name: str) -> bool:
        """The same of a column of the assets' table."""
        name = f"{AssetKeys.name}.{column_name}"
        if name not in self._tables and super().has_asset_key_col(column_name):
            self._tables.add(name)
        return name in self._tables

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """The events, what is newest of each asset, and what is planned or said of each check."""
        with self.index_transaction() as connection:
            new_ids = EventLogs.insert().returning(EventLogs.c.id, sort_by_parameter_order=True)
            rows = [self._event_to_row(event) for event in events]
            ids: list[int] = list(connection.execute(new_ids, rows).scalars())
            stored = list(zip(events, ids, strict=True))
            about_assets = [one for one in stored if one[0].dagster_event_type in ASSET_EVENTS]
            self._store_asset_event_tags(
                connection, [one for one, _ in about_assets], [number for _, number in about_assets]
            )
            for event, number in _newest_by_asset(about_assets):
                self._store_asset_event(connection, event, number)
            if checks := [row for one in stored for row in self._check_rows(*one)]:
                for planned in _planned_before(checks):
                    connection.execute(planned)
                connection.execute(Executions.insert(), checks)
        if len(events) >= MANY:
            # They are stored: an error from here would have Dagster store them again.
            with suppress(Exception), self.index_connection() as connection:
                connection.exec_driver_sql(f"analyze {EventLogs.name}, {Executions.name}")

    def get_asset_check_state(
        self, keys: Sequence[tuple[dg.AssetCheckKey, dg.PartitionsDefinition[str] | None]]
    ) -> Mapping[dg.AssetCheckKey, AssetCheckState]:
        """How each check stands; those of days are worked out by subsets."""
        daily = {
            key: one for key, one in keys if isinstance(one, dg.TimeWindowPartitionsDefinition)
        }
        others = [(key, one) for key, one in keys if key not in daily]
        infos = self.get_asset_check_partition_info(list(daily))
        return {
            **super().get_asset_check_state(others),
            **check_states(self._instance, daily, infos),
        }

    def _check_rows(self, event: dg.EventLogEntry, number: int) -> list[Row]:
        """A row for each partition that a check is planned for; one for an evaluation."""
        about = event.get_dagster_event().event_specific_data
        if not isinstance(about, Planned | dg.AssetCheckEvaluation):
            return []
        row = {
            "asset_key": about.asset_key.to_string(),
            "check_name": about.check_name,
            "run_id": event.run_id,
            "evaluation_event": serialize_value(event),
            "evaluation_event_timestamp": self._event_insert_timestamp(event),  # type: ignore[no-untyped-call]
            "evaluation_event_storage_id": number,
        }
        told = _planned(about) if isinstance(about, Planned) else [_said(about)]
        return [row | one for one in told]


def log_evaluations(
    run: dg.OpExecutionContext, evaluations: Sequence[dg.AssetCheckEvaluation]
) -> None:
    """What ``run.log_event`` does for each, in a batch; each must have a partition."""
    batch, step = str(uuid4()), run.get_step_execution_context()
    for left, evaluation in enumerate(evaluations, 1 - len(evaluations)):
        event = DagsterEvent.from_step(
            event_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION,
            step_context=step,
            event_specific_data=evaluation,
            message=evaluation.description,
            batch_metadata=DagsterEventBatchMetadata(batch, is_end=not left),
        )
        run._events.append(event)  # noqa: SLF001 - as log_event does


def _newest_by_asset(
    stored: Sequence[tuple[dg.EventLogEntry, int]],
) -> list[tuple[dg.EventLogEntry, int]]:
    """In the order of the assets' names, so that two batches cannot wait for each other."""
    newest = {str(one[0].get_dagster_event().asset_key): one for one in stored}
    return [newest[name] for name in sorted(newest)]


def _planned(about: Planned) -> list[Row]:
    subset = about.partitions_subset
    keys: Iterable[str | None] = subset.get_partition_keys() if subset else (None,)
    row = {"execution_status": Status.PLANNED.value, "materialization_event_storage_id": None}
    return [row | {"partition": key} for key in keys]


def _said(about: dg.AssetCheckEvaluation) -> Row:
    target = about.target_materialization_data
    return {
        "execution_status": (Status.SUCCEEDED if about.passed else Status.FAILED).value,
        "materialization_event_storage_id": target.storage_id if target else None,
        "partition": about.partition,
    }


def _planned_before(rows: Sequence[Row]) -> Iterator[Any]:
    """Deletes what was planned of the partitions that evaluations tell of: a row of theirs replaces it."""
    told = defaultdict(list)
    for row in rows:
        if row["execution_status"] != Status.PLANNED.value:
            told[row["asset_key"], row["check_name"], row["run_id"]].append(row["partition"])
    of = Executions.c
    for (asset, check, run_id), partitions in told.items():
        about = (of.asset_key == asset) & (of.check_name == check) & (of.run_id == run_id)
        yield Executions.delete().where(about & of.partition.in_(partitions))
