"""Backfills that the pipeline itself asks for: seen on the Backfills page, one run a range.

Dagster has no public way to launch one from inside; this module is the only place that knows how.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    BACKFILL_ID_TAG,
    PARTITION_NAME_TAG,
    SENSOR_NAME_TAG,
)
from dagster._core.utils import make_new_backfill_id

from crypto_pipeline.orchestration.partitions import days_between

FIRST_DAY = "crypto_pipeline/first_day"
LAST_DAY = "crypto_pipeline/last_day"
ATTEMPT = "crypto_pipeline/attempt"
DATASET = "crypto_pipeline/dataset"
"""The instance runs one backfill of a dataset at a time, so that no slow source holds up another."""
_UNFINISHED = list(NOT_FINISHED_STATUSES)
IN_FLIGHT = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]


@dataclass(frozen=True, slots=True)
class Target:
    """A range of days, both ends included, and how often it has been asked for with this time."""

    first: date
    last: date
    attempt: int


def request_backfill(
    instance: dg.DagsterInstance,
    graph: BaseAssetGraph,  # type: ignore[type-arg]
    asset: dg.AssetKey,
    target: Target,
    now: datetime,
    asked_by: str,
) -> str:
    """Have Dagster's daemon backfill a range of days; the backfill's id."""
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id=make_new_backfill_id(),
        asset_graph=graph,
        partition_names=days_between(target.first, target.last),
        asset_selection=[asset],
        backfill_timestamp=now.timestamp(),
        tags={
            FIRST_DAY: target.first.isoformat(),
            LAST_DAY: target.last.isoformat(),
            ATTEMPT: str(target.attempt),
            DATASET: asset.to_user_string(),
            SENSOR_NAME_TAG: asked_by,
        },
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=f"{target.first} to {target.last}, attempt {target.attempt}",
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)
    return backfill.backfill_id


def in_flight(
    instance: dg.DagsterInstance, asset: dg.AssetKey
) -> Iterator[tuple[str, tuple[date, date] | None]]:
    """Id and days of each unfinished backfill of an asset; a person's own has no known days."""
    for backfill in instance.get_backfills(filters=BulkActionsFilter(statuses=IN_FLIGHT)):
        if asset in (backfill.asset_selection or []):
            tags = backfill.tags or {}
            days = None
            if FIRST_DAY in tags and LAST_DAY in tags:
                days = date.fromisoformat(tags[FIRST_DAY]), date.fromisoformat(tags[LAST_DAY])
            yield backfill.backfill_id, days


def days_being_run(instance: dg.DagsterInstance, asset: dg.AssetKey) -> list[tuple[date, date]]:
    """The days of each unfinished run of an asset, whoever started it; a backfill's own are its."""
    unfinished = instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED))
    found = (_days_of(run) for run in unfinished if _concerns(run, asset))
    return [days for days in found if days]


def _concerns(run: dg.DagsterRun, asset: dg.AssetKey) -> bool:
    """A job's run without a selection of its own is taken to be about every asset."""
    return BACKFILL_ID_TAG not in run.tags and asset in (run.asset_selection or {asset})


def _days_of(run: dg.DagsterRun) -> tuple[date, date] | None:
    key = run.tags.get(PARTITION_NAME_TAG)
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, key)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG, key)
    return (date.fromisoformat(first), date.fromisoformat(last)) if first and last else None
