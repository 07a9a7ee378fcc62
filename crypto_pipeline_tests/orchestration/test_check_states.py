"""How a check stands on each day: what Dagster itself would work out, for anything that was told."""

from datetime import date, timedelta

import dagster as dg
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Told,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckPartitionInfo
from dagster._core.storage.asset_check_state import AssetCheckState
from dagster._core.storage.dagster_run import FINISHED_STATUSES, DagsterRunStatus
from hypothesis import given
from hypothesis import strategies as st

from crypto_pipeline.orchestration.check_states import state_of
from crypto_pipeline.orchestration.partitions import daily, days_between
from crypto_pipeline_tests.orchestration.scene import OHLC

COMPLETE = dg.AssetCheckKey(OHLC, "complete")
SINCE = date(2026, 2, 20)
DAYS = daily(SINCE)
KEYS = [None, "not a day", *days_between(SINCE - timedelta(days=2), date(2026, 3, 8))]
RUNS = ("one", "two", "three")

infos = st.builds(
    AssetCheckPartitionInfo,
    check_key=st.just(COMPLETE),
    partition_key=st.sampled_from(KEYS),
    latest_execution_status=st.sampled_from(Told),
    latest_planned_run_id=st.sampled_from(RUNS),
    latest_check_event_storage_id=st.integers(1, 100),
    latest_materialization_storage_id=st.none() | st.integers(1, 3),
    latest_target_materialization_storage_id=st.none() | st.integers(1, 3),
)
ended = st.dictionaries(st.sampled_from(RUNS), st.sampled_from(list(FINISHED_STATUSES)))


@given(
    st.lists(infos, max_size=40, unique_by=lambda one: one.partition_key),
    ended,
)
def test_checks_stand_as_dagster_judges_them(
    told: list[AssetCheckPartitionInfo], ended: dict[str, DagsterRunStatus]
) -> None:
    """Whatever was planned, said, outdated, or left behind by runs that ended."""
    theirs = AssetCheckState.empty().with_updates(COMPLETE, DAYS, told, ended)

    ours = state_of(COMPLETE, DAYS, told, ended)

    assert theirs == ours
