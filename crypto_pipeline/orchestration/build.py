"""Puts the Dagster definitions together from a dataset list and a few settings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import dagster as dg

from crypto_pipeline.market.datasets import DATASETS, NEWS, OHLC
from crypto_pipeline.orchestration.assets import ingested
from crypto_pipeline.orchestration.checks import NIGHTLY, audits, checks_of
from crypto_pipeline.orchestration.instruments import NAME as INSTRUMENTS
from crypto_pipeline.orchestration.instruments import instruments
from crypto_pipeline.orchestration.jobs import collect, every, nightly
from crypto_pipeline.orchestration.packing import NAME as PACKED_MONTHS
from crypto_pipeline.orchestration.packing import packed_months
from crypto_pipeline.orchestration.partitions import daily
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.orchestration.sensors import repair_gaps


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
    timetable: Timetable, open_pipeline: Callable[[], Pipeline]
) -> dg.Definitions:
    """Every asset, check, job, schedule and sensor; the pipeline is opened by the run that needs it."""
    since = timetable.since
    days = daily(since)
    everything = dg.AssetSelection.all()
    collected = everything - dg.AssetSelection.assets(INSTRUMENTS, PACKED_MONTHS)
    for dataset in DATASETS.values():
        collected -= audits(dataset)
    fast = collected - dg.AssetSelection.assets(NEWS.name)
    live = collect("collect_live", "Bring the live data up to date.", fast)
    full = collect("collect_everything", "Bring all data up to date.", collected)
    night = collect(NIGHTLY, "Re-read yesterday, read the calendar, audit.", everything)
    return dg.Definitions(
        assets=[
            *(ingested(dataset, days) for dataset in DATASETS.values()),
            instruments(OHLC),
            packed_months(),
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
