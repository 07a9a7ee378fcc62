"""Backfills that the pipeline itself asks for: seen on the Backfills page, one run a range.

Dagster has no public way to launch one from inside; this module is the only place that knows how.
"""

from collections.abc import Iterator
from datetime import date, datetime

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import SENSOR_NAME_TAG
from dagster._core.utils import make_new_backfill_id

from crypto_pipeline.orchestration.partitions import days_between

FIRST_DAY = "crypto_pipeline/first_day"
LAST_DAY = "crypto_pipeline/last_day"
_IN_FLIGHT = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]


def request_backfill(
    instance: dg.DagsterInstance,
    graph: BaseAssetGraph,  # type: ignore[type-arg]
    asset: dg.AssetKey,
    days: tuple[date, date],
    now: datetime,
    asked_by: str,
) -> str:
    """Have Dagster's daemon backfill a range of days, both ends included; the backfill's id."""
    first, last = days
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id=make_new_backfill_id(),
        asset_graph=graph,
        partition_names=days_between(first, last),
        asset_selection=[asset],
        backfill_timestamp=now.timestamp(),
        tags={
            FIRST_DAY: first.isoformat(),
            LAST_DAY: last.isoformat(),
            SENSOR_NAME_TAG: asked_by,
        },
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=f"{first} to {last}",
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)
    return backfill.backfill_id


def in_flight(
    instance: dg.DagsterInstance, asset: dg.AssetKey
) -> Iterator[tuple[str, tuple[date, date] | None]]:
    """Id and days of each unfinished backfill of an asset; a person's own has no known days."""
    for backfill in instance.get_backfills(filters=BulkActionsFilter(statuses=_IN_FLIGHT)):
        if asset in (backfill.asset_selection or []):
            tags = backfill.tags or {}
            days = None
            if FIRST_DAY in tags and LAST_DAY in tags:
                days = date.fromisoformat(tags[FIRST_DAY]), date.fromisoformat(tags[LAST_DAY])
            yield backfill.backfill_id, days
