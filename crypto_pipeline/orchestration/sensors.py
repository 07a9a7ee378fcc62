"""The gap sensor: reads the ledger and has repaired what is missing, newest first, a little at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dagster as dg

from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.orchestration.backfills import in_flight, request_backfill
from crypto_pipeline.orchestration.partitions import request_days
from crypto_pipeline.orchestration.resources import Pipeline

MAX_BACKFILLS = 2
"""Backfills of one dataset in flight at a time: one that runs, and one that waits for the daemon."""
REPAIRS = "crypto_pipeline/repairs"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dataclass(frozen=True, slots=True)
class Repair:
    """What a tick asks for: today at once, and one range of older days as a backfill."""

    today: date | None
    older: tuple[date, date] | None


def choose(
    days: Sequence[date], taken: Sequence[tuple[date, date]], today: date, max_days: int
) -> Repair:
    """The newest days to repair that nobody works on yet; ``days`` come newest first.

    The range is at most ``max_days`` long and holds none of the days that are taken. Whole days
    between two holes cost less than another run, so they are in it.
    """
    free = [day for day in days if not any(first <= day <= last for first, last in taken)]
    older = [day for day in free if day < today]
    in_flight_before_today = sum(first < today for first, _ in taken)
    if not older or in_flight_before_today >= MAX_BACKFILLS:
        return Repair(today if today in free else None, None)
    newest = oldest = older[0]
    for day in older:
        is_cut = any(day <= last < newest for _, last in taken)
        if newest - day >= timedelta(days=max_days) or is_cut:
            break
        oldest = day
    return Repair(today if today in free else None, (oldest, newest))


def repair_gaps(dataset: Dataset, every_seconds: int, max_days: int) -> dg.SensorDefinition:
    """The sensor of one dataset. A hole that survives a repair is asked for again, later and later."""
    asset = dg.AssetKey(dataset.name)

    @dg.sensor(
        name=f"repair_{dataset.name}_gaps",
        asset_selection=dg.AssetSelection.assets(asset),
        minimum_interval_seconds=every_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Finds what is missing from {dataset.name} and backfills just those days.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.SensorResult:
        now = pipeline.now()
        pipeline.line.register(now, dataset)
        limit = max_days * (MAX_BACKFILLS + 1)
        days = pipeline.line.ledger.days_to_repair(dataset, now, pipeline.due_at, limit)
        flights = list(in_flight(context.instance, asset))
        if any(span is None for _, span in flights):
            return _skipped(now, "a backfill that a person started is in flight; waiting for it")
        taken = [span for _, span in flights if span] + list(_days_being_run(context, dataset))
        repair = choose(days, taken, now.date(), max_days)
        if repair == Repair(None, None):
            return _skipped(now, _why_nothing(days, taken))
        return _launch(context, dataset, repair, now)

    return sensor


def _days_being_run(
    context: dg.SensorEvaluationContext, dataset: Dataset
) -> Iterator[tuple[date, date]]:
    """Days that a run of this sensor is at work on."""
    runs = context.instance.get_runs(
        filters=dg.RunsFilter(tags={REPAIRS: dataset.name}, statuses=_UNFINISHED)
    )
    for run in runs:
        if key := run.tags.get("dagster/partition"):
            yield date.fromisoformat(key), date.fromisoformat(key)


def _launch(
    context: dg.SensorEvaluationContext, dataset: Dataset, repair: Repair, now: datetime
) -> dg.SensorResult:
    """No run key: Dagster launches a key once, ever, and a hole may have to be asked for again."""
    requests = []
    launched: list[str] = []
    if repair.today:
        tags = {REPAIRS: dataset.name}
        requests.append(request_days(repair.today, repair.today, tags=tags))
        launched.append(f"today ({repair.today})")
    if repair.older:
        graph = context.repository_def.asset_graph  # type: ignore[union-attr]
        key = dg.AssetKey(dataset.name)
        backfill = request_backfill(
            context.instance, graph, key, repair.older, now, context.sensor_name
        )
        launched.append(f"backfill {backfill} of {repair.older[0]} to {repair.older[1]}")
    told = f"launched {' and '.join(launched)}"
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else told,
        cursor=f"{now:%Y-%m-%dT%H:%M:%SZ}: {told}",
    )


def _why_nothing(days: Sequence[date], taken: Sequence[tuple[date, date]]) -> str:
    if not days:
        return "nothing is missing that may be asked for now"
    return f"{len(days)} days miss slots, and {len(taken)} repairs are in flight; waiting for them"


def _skipped(now: datetime, reason: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=f"{now:%Y-%m-%dT%H:%M:%SZ}: {reason}")
