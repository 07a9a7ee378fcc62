"""The definitions over one test's warehouse, sandbox and Dagster instance, at an instant of its choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import dagster as dg
import psycopg
from dagster._core.definitions.sensor_definition import SensorExecutionData

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.orchestration.build import Timetable, build_definitions
from crypto_pipeline.orchestration.dbt_project import Project
from crypto_pipeline.orchestration.partitions import range_tags
from crypto_pipeline.orchestration.resources import Pipeline

SINCE = date(2026, 3, 1)
TODAY = date(2026, 3, 5)
NOW = datetime(2026, 3, 5, 12, 7, 30, tzinfo=UTC)
LATE_AFTER = timedelta(minutes=11)
MAX_DAYS = 31
OHLC = dg.AssetKey("ohlc")

Evaluation = dg.AssetCheckEvaluation


@dataclass
class Scene:
    """One pipeline under Dagster; ``now`` is its clock, ``extra`` are definitions beside ours.

    With a ``pace`` the clock moves on by that much each time it is read.
    """

    line: Line
    instance: dg.DagsterInstance
    now: datetime = NOW
    pace: timedelta = timedelta()
    max_days: int = MAX_DAYS
    extra: dg.Definitions | None = None
    project: Project | None = None

    @cached_property
    def definitions(self) -> dg.Definitions:
        """What Dagster loads."""
        since = self.line.since.date()
        timetable = Timetable(since, "*/5 * * * *", "*/15 * * * *", "40 0 * * *", 30, self.max_days)
        ours = build_definitions(timetable, self.pipeline, self.project)
        return dg.Definitions.merge(ours, self.extra or dg.Definitions())

    def pipeline(self) -> Pipeline:
        """What runs are handed: the line, and this scene's clock."""
        return Pipeline(self.line, LATE_AFTER, now=self._read_clock)

    def _read_clock(self) -> datetime:
        self.now += self.pace
        return self.now

    def run(
        self,
        first: date,
        last: date | None = None,
        *,
        job: str = "collect_live",
        run_config: Mapping[str, Any] | None = None,
        only: Sequence[dg.AssetKey] | None = (OHLC,),
    ) -> dg.ExecuteInProcessResult:
        """One run over a day or a range of days, failed or not; of ``only`` some assets of the job."""
        days: dict[str, Any] = {"partition_key": first.isoformat()}
        if last is not None:
            days = {"tags": range_tags(first, last)}
        whole = self.definitions.resolve_job_def(job)
        return _part(whole, only).execute_in_process(
            run_config=run_config, instance=self.instance, raise_on_error=False, **days
        )

    def requested(self, schedule: str, at: datetime) -> Sequence[dg.RunRequest]:
        """The runs that a schedule asks for at an instant."""
        repository = self.definitions.get_repository_def()
        context = dg.build_schedule_context(
            self.instance, scheduled_execution_time=at, repository_def=repository
        )
        return repository.get_schedule_def(schedule).evaluate_tick(context).run_requests or []

    def run_request(self, job: str, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """What the daemon makes of a request."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            run_config=request.run_config,
            instance=self.instance,
            partition_key=request.partition_key,
            tags=request.tags,
            raise_on_error=False,
        )

    def tick(
        self, name: str = "repair_ohlc_gaps", cursor: str | None = None
    ) -> SensorExecutionData:
        """What a sensor answers when Dagster asks it."""
        repository = self.definitions.get_repository_def()
        with dg.build_sensor_context(
            self.instance,
            repository_def=repository,
            sensor_name=name,
            cursor=cursor,
            resources={"pipeline": self.pipeline()},
        ) as context:
            return repository.get_sensor_def(name).evaluate_tick(context)

    def execute(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """One SQL statement in the warehouse, and its rows."""
        with psycopg.connect(self.line.database.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


async def at_once(_: float) -> None:
    """A pause that nobody waits for, as a line may have it."""


def _part(job: dg.JobDefinition, only: Sequence[dg.AssetKey] | None) -> dg.JobDefinition:
    """The job as far as it is about these assets: named alone, an asset brings checks of other jobs."""
    if only is None:
        return job
    checks = job.asset_layer.asset_graph.asset_check_keys
    return job.get_subset(
        asset_selection=set(only),
        asset_check_selection={one for one in checks if one.asset_key in only},
    )


def evaluations(
    result: dg.ExecuteInProcessResult, check: str, asset: dg.AssetKey = OHLC
) -> dict[str | None, Evaluation]:
    """The evaluations of one asset's check in a run by partition; the run's own is under None."""
    return {
        one.partition: one
        for one in result.get_asset_check_evaluations()
        if (one.asset_key, one.check_name) == (asset, check)
    }


def materializations(
    result: dg.ExecuteInProcessResult, asset: dg.AssetKey = OHLC
) -> dict[str, dict[str, Any]]:
    """The metadata of each partition of an asset that a run materialized, as plain values."""
    return {
        str(one.partition): {name: value.value for name, value in one.metadata.items()}
        for one in result.asset_materializations_for_node(asset.to_user_string())
        if one.asset_key == asset
    }
