"""The jobs and the schedules that run them: the live data often, everything less often."""

from datetime import date, datetime, timedelta
from typing import TypeAlias

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.orchestration.partitions import request_days

LOOK_BACK = timedelta(minutes=30)
"""How far before a tick its days reach, so that the last slots of yesterday are not left behind."""


Job: TypeAlias = UnresolvedAssetJobDefinition


def collect(name: str, description: str, selection: dg.AssetSelection) -> Job:
    """A job over some assets; one run, one process."""
    return dg.define_asset_job(name, selection, description=description)


def every(name: str, cron: str, job: Job, since: date, description: str) -> dg.ScheduleDefinition:
    """A schedule that brings today up to date, and just after midnight yesterday too."""

    @dg.schedule(
        name=name,
        cron_schedule=cron,
        job=job,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return newest_days(context.scheduled_execution_time, since)

    return schedule


def nightly(name: str, cron: str, job: Job, dataset: Dataset, since: date) -> dg.ScheduleDefinition:
    """A schedule that re-reads yesterday, and has the calendar read and the whole ledger audited."""

    @dg.schedule(
        name=name,
        cron_schedule=cron,
        job=job,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Re-reads the last closed day, reads what the venues list, audits the ledger.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        yesterday = max((context.scheduled_execution_time - DAY).date(), since)
        config = {"ops": {dataset.name: {"config": {"refetch": True}}}}
        return request_days(yesterday, yesterday, run_config=config)

    return schedule


def newest_days(now: datetime, since: date) -> dg.RunRequest:
    """One run for the days that hold the newest due slots, none of them before the first day kept."""
    days = list(Window(now - LOOK_BACK, now + timedelta(microseconds=1)).days())
    return request_days(max(days[0], since), days[-1])
