"""Puts the Dagster definitions together from a dataset list and a few settings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import dagster as dg

from crypto_pipeline.market.datasets import DATASETS, NEWS, OHLC
from crypto_pipeline.orchestration.assets import ingested
from crypto_pipeline.orchestration.backfills import DATASET
from crypto_pipeline.orchestration.checks import NIGHTLY, audits, checks_of
from crypto_pipeline.orchestration.dbt_manifest import Models
from crypto_pipeline.orchestration.dbt_project import Project
from crypto_pipeline.orchestration.expiring import NAME as EXPIRED_MONTHS
from crypto_pipeline.orchestration.expiring import expired_months
from crypto_pipeline.orchestration.instruments import NAME as INSTRUMENTS
from crypto_pipeline.orchestration.instruments import instruments
from crypto_pipeline.orchestration.jobs import collect, every, nightly
from crypto_pipeline.orchestration.marts import NAME as MARTS
from crypto_pipeline.orchestration.marts import marts
from crypto_pipeline.orchestration.marts_sensor import refresh_marts
from crypto_pipeline.orchestration.packing import NAME as PACKED_MONTHS
from crypto_pipeline.orchestration.packing import packed_months
from crypto_pipeline.orchestration.partitions import daily
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.orchestration.sensors import repair_gaps

GROUP = "market"
"""What is collected and kept; the marts are in groups of their own."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When things happen: the first day kept, three cron expressions, and the sensor's bounds."""

    since: date
    fast: str
    full: str
    nightly: str
    repair_every_seconds: int
    repair_max_days: int


def build_definitions(
    timetable: Timetable, open_pipeline: Callable[[], Pipeline], project: Project | None = None
) -> dg.Definitions:
    """Every asset, check, job, schedule and sensor; the pipeline is opened by the run that needs it.

    Without a project there are no marts.
    """
    since = timetable.since
    days = daily(since)
    everything = dg.AssetSelection.groups(GROUP)
    collected = everything - dg.AssetSelection.assets(INSTRUMENTS, PACKED_MONTHS, EXPIRED_MONTHS)
    for dataset in DATASETS.values():
        collected -= audits(dataset)
    fast = collected - dg.AssetSelection.assets(NEWS.name)
    live = collect("collect_live", "Bring the live data up to date.", fast)
    full = collect("collect_everything", "Bring all data up to date.", collected)
    night = collect(NIGHTLY, "Re-read yesterday, read the calendar, audit.", everything)
    ours = dg.Definitions(
        assets=[
            *(ingested(dataset, days) for dataset in DATASETS.values()),
            instruments(OHLC),
            packed_months(),
            expired_months(),
        ],
        asset_checks=[check for one in DATASETS.values() for check in checks_of(one, days)],
        jobs=[live, full, night],
        schedules=[
            every("every_5_minutes", timetable.fast, live, since, "Keeps the live data fresh."),
            every("every_15_minutes", timetable.full, full, since, "Collects everything."),
            nightly("every_night", timetable.nightly, night, OHLC, since),
        ],
        sensors=[
            repair_gaps(dataset, timetable.repair_every_seconds, timetable.repair_max_days)
            for dataset in DATASETS.values()
        ],
        resources={"pipeline": dg.ResourceDefinition(lambda _: open_pipeline())},
        executor=dg.in_process_executor,
        # Every event is on the page; the server's own log keeps what went wrong.
        loggers={"console": dg.colored_console_logger.configured({"log_level": "WARNING"})},
    )
    return dg.Definitions.merge(ours, _marts(project, timetable)) if project else ours


def _marts(project: Project, timetable: Timetable) -> dg.Definitions:
    """What dbt makes of the datasets: its models, the job that makes them, the sensor that asks for it."""
    told = Models(project.manifest())
    asset = marts(project, told, daily(timetable.since))
    job = dg.define_asset_job(
        "make_marts",
        dg.AssetSelection.assets(asset),
        tags={DATASET: MARTS},
        description="Make the marts of some days anew.",
    )
    sensor = refresh_marts(told, job, 2 * timetable.repair_every_seconds)
    return dg.Definitions(assets=[asset], jobs=[job], sensors=[sensor])
