"""How a check stands on each day of many years, for the page.

Dagster adds one partition after another to what it has so far, which takes seconds for ten years of
days; here a whole subset is made at once, and kept while no other day joins or leaves it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

import dagster as dg
from dagster._core.asset_graph_view.serializable_entity_subset import SerializableEntitySubset
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Told,
)
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionResolvedStatus as Stands,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckPartitionInfo
from dagster._core.storage.asset_check_state import AssetCheckState
from dagster._core.storage.dagster_run import FINISHED_STATUSES

Partitions = dg.PartitionsDefinition[str]
_CLEAR = {Told.SUCCEEDED: Stands.SUCCEEDED, Told.FAILED: Stands.FAILED}


def check_states(
    instance: dg.DagsterInstance,
    partitioned: Mapping[dg.AssetCheckKey, Partitions],
    infos: Iterable[AssetCheckPartitionInfo],
) -> dict[dg.AssetCheckKey, AssetCheckState]:
    """The state of each check by what is newest of each of its partitions, as Dagster judges it."""
    found: dict[dg.AssetCheckKey, list[AssetCheckPartitionInfo]] = {key: [] for key in partitioned}
    for info in infos:
        found[info.check_key].append(info)
    planned = {one.latest_planned_run_id for many in found.values() for one in many if _waits(one)}
    ended = _ended(instance, planned) if planned else {}
    return {
        key: state_of(key, partitions, found[key], ended) for key, partitions in partitioned.items()
    }


def state_of(
    key: dg.AssetCheckKey,
    partitions: Partitions,
    infos: Collection[AssetCheckPartitionInfo],
    ended: Mapping[str, dg.DagsterRunStatus],
) -> AssetCheckState:
    """What is planned is in progress, until its run is among those that ended."""
    known = _known(partitions, partitions.get_last_partition_key())
    stand: defaultdict[Stands, list[str]] = defaultdict(list)
    runs: defaultdict[str, list[str]] = defaultdict(list)
    for info in infos:
        day = info.partition_key
        if day not in known:
            continue
        if _waits(info):
            stand[Stands.IN_PROGRESS].append(day)
            runs[info.latest_planned_run_id].append(day)
        elif info.is_current:
            stand[_CLEAR[info.latest_execution_status]].append(day)

    newest = (
        max(one.latest_check_event_storage_id, one.latest_materialization_storage_id or 0)
        for one in infos
    )
    state = AssetCheckState(
        latest_storage_id=max(newest, default=0),
        subsets={
            status: _subset(key, partitions, frozenset(days)) for status, days in stand.items()
        },
        in_progress_runs={
            run: _subset(key, partitions, frozenset(days)) for run, days in runs.items()
        },
    )
    return state.with_updates(key, partitions, [], ended)


@lru_cache(maxsize=16)
def _known(partitions: Partitions, _: str | None) -> frozenset[str]:
    """Every key of the partitions; there are others as soon as the last one is another."""
    return frozenset(partitions.get_partition_keys())


@lru_cache(maxsize=64)
def _subset(
    key: dg.AssetCheckKey, partitions: Partitions, days: frozenset[str]
) -> SerializableEntitySubset[dg.AssetCheckKey]:
    return SerializableEntitySubset.from_coercible_value(key, sorted(days), partitions)


def _ended(
    instance: dg.DagsterInstance, run_ids: Collection[str]
) -> dict[str, dg.DagsterRunStatus]:
    """How those of the runs ended that did."""
    wanted = dg.RunsFilter(run_ids=list(run_ids), statuses=list(FINISHED_STATUSES))
    return {run.run_id: run.status for run in instance.get_runs(wanted)}


def _waits(info: AssetCheckPartitionInfo) -> bool:
    return info.latest_execution_status == Told.PLANNED
