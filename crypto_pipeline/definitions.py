"""The front door for Dagster: the definitions, built from the settings when they are asked for."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from crypto_pipeline.bootstrap import open_line
from crypto_pipeline.orchestration.build import Timetable, build_definitions
from crypto_pipeline.orchestration.dbt_project import project_in
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.settings import Settings, load_settings


def open_pipeline() -> Pipeline:
    """The pipeline that the settings describe; the database must be running."""
    settings = load_settings()
    late_after = timedelta(seconds=settings.repair.late_after_seconds)
    return Pipeline(
        open_line(settings), late_after, pack_after_months=settings.storage.pack_after_months
    )


@dg.definitions
def definitions() -> dg.Definitions:
    """Every asset, check, job, schedule and sensor."""
    settings = load_settings()
    project = project_in(settings.data_dir)
    return build_definitions(timetable(settings), open_pipeline, project)


def timetable(settings: Settings) -> Timetable:
    """When things happen, as the settings say."""
    return Timetable(
        since=settings.first_day(datetime.now(UTC)),
        fast=settings.schedules.fast,
        full=settings.schedules.full,
        nightly=settings.schedules.nightly,
        repair_every_seconds=settings.repair.every_seconds,
        repair_max_days=settings.repair.max_days,
    )
