"""The sensor of the marts: sees which days of their sources came anew, and has them made when it is time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import takewhile

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter
from dagster._core.storage.dagster_run import FINISHED_STATUSES, NOT_FINISHED_STATUSES
from pydantic import TypeAdapter

from crypto_pipeline.orchestration.backfills import (
    DATASET,
    IN_FLIGHT,
    days_being_run,
    in_flight,
)
from crypto_pipeline.orchestration.dbt_manifest import Models
from crypto_pipeline.orchestration.jobs import Job
from crypto_pipeline.orchestration.marts import NAME as MARTS
from crypto_pipeline.orchestration.marts_due import (
    Newest,
    Pace,
    Seen,
    Wanted,
    behind,
    due,
    look,
    newest_range,
    pause,
)
from crypto_pipeline.orchestration.partitions import request_days
from crypto_pipeline.orchestration.resources import Pipeline

NAME = "refresh_marts"
RUNS_SEEN = 8
_SEEN = TypeAdapter(Seen)


@dataclass
class Known:
    """The newest materializations, of which each look reads only what came since; whole once an hour."""

    read_at: datetime | None = None
    newest: dict[str, dict[str, int]] = field(default_factory=dict)

    def read(self, instance: dg.DagsterInstance, assets: Iterable[str], now: datetime) -> Newest:
        """Of each asset and day the number of its newest materialization."""
        if self.read_at is None or self.read_at.hour != now.hour:
            self.newest.clear()
        self.read_at = now
        keys = {dg.AssetKey(asset): self.newest.setdefault(asset, {}) for asset in assets}
        for record in instance.get_asset_records(list(keys)):
            entry = record.asset_entry
            after = max(keys[entry.asset_key].values(), default=0)
            if (entry.last_materialization_storage_id or 0) > after:
                keys[entry.asset_key] |= (
                    instance.event_log_storage.get_latest_storage_id_by_partition(
                        entry.asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION, None, after
                    )
                )
        return self.newest


def refresh_marts(
    told: Models, job: Job, every_seconds: int, pace: Pace | None = None
) -> dg.SensorDefinition:
    """The sensor: what it saw is its cursor, and what it waits for is in its log."""
    reads = {name: told.datasets(name) for name in told.models}
    known, kept = Known(), pace or Pace()

    @dg.sensor(
        name=NAME,
        job=job,
        minimum_interval_seconds=every_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Makes the marts of days that changed: today's once an hour, others soon.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.SensorResult:
        now, instance = pipeline.now(), context.instance
        sources = frozenset().union(*reads.values())
        newest = known.read(instance, sorted(sources | reads.keys()), now)
        late = behind(reads, newest)
        before = _SEEN.validate_json(context.cursor) if context.cursor else Seen()
        seen = look(late, newest, before, now)
        if not late:
            return _skipped("every mart is made of what its sources hold now", seen)
        if reason := _held_up(instance, reads.keys(), now):
            return _skipped(reason, seen)
        busy = _busy(instance, seen.newest, now)
        if days := due(late, newest, seen, busy, now, kept):
            wanted = newest_range(days, kept.near)
            return _launched(wanted, _never_made(told, wanted, newest), seen, now)
        return _skipped(_why_later(seen, busy, kept), seen)

    return sensor


def _held_up(instance: dg.DagsterInstance, models: Collection[str], now: datetime) -> str | None:
    """Why nothing can be made now: marts are being made already, or that failed a moment ago."""
    keys = {dg.AssetKey(model) for model in models}
    runs = instance.get_runs(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)))
    if any(keys & (run.asset_selection or set()) for run in runs):
        return "a run makes marts already; waiting for it"
    backfills = instance.get_backfills(BulkActionsFilter(statuses=IN_FLIGHT))
    if any(keys & {*(backfill.asset_selection or ())} for backfill in backfills):
        return "a backfill of marts that a person started is in flight; waiting for it"
    failures, again = _failures(instance)
    if again and again > now:
        times = f"{failures} time{'s' * (failures > 1)} in a row"
        return f"making marts failed {times}; tried again at {again:%Y-%m-%d %H:%M} UTC"
    return None


def _failures(instance: dg.DagsterInstance) -> tuple[int, datetime | None]:
    """How many of our runs failed since one did not, and when it is time for another."""
    ended = dg.RunsFilter(tags={DATASET: MARTS}, statuses=list(FINISHED_STATUSES))
    records = instance.get_run_records(ended, limit=RUNS_SEEN)
    failed = [*takewhile(lambda one: not one.dagster_run.is_success, records)]
    if not failed:
        return 0, None
    ended_at = datetime.fromtimestamp(failed[0].end_time or 0, tz=UTC)
    return len(failed), ended_at + pause(len(failed))


def _busy(instance: dg.DagsterInstance, sources: Collection[str], now: datetime) -> frozenset[str]:
    """The sources of which days before today are being filled right now."""
    return frozenset(
        source
        for source in sources
        if any(True for _ in in_flight(instance, dg.AssetKey(source)))
        or any(first < now.date() for first, _ in days_being_run(instance, dg.AssetKey(source)))
    )


def _never_made(told: Models, wanted: Wanted, newest: Newest) -> frozenset[str]:
    """What those marts are made of and is not there yet, because nothing of its own sources came so far."""
    needed = frozenset[str]().union(*(told.ancestors(model) for model in wanted.models))
    return frozenset(model for model in needed if not newest[model])


def _launched(wanted: Wanted, too: frozenset[str], seen: Seen, now: datetime) -> dg.SensorResult:
    """No run key: Dagster launches a key once, ever, and the same days change again."""
    keys = [dg.AssetKey(model) for model in sorted(wanted.models | too)]
    request = request_days(wanted.first, wanted.last, asset_selection=keys)
    if wanted.last == now.date():
        seen = replace(seen, today_at=now)
    told = f"launched {wanted.first} to {wanted.last}: {', '.join(sorted(wanted.models | too))}"
    return dg.SensorResult(run_requests=[request], cursor=_cursor(seen, told))


def _skipped(reason: str, seen: Seen) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=_cursor(seen, reason))


def _cursor(seen: Seen, told: str) -> str:
    return _SEEN.dump_json(replace(seen, told=told)).decode()


def _why_later(seen: Seen, busy: Collection[str], pace: Pace) -> str:
    """What is waited for, in a sentence."""
    settling = [
        f"{source} {'is still being filled' if source in busy else 'changed a moment ago'}"
        for source in sorted(seen.newest)
    ]
    today = f"{(seen.today_at + pace.today):%H:%M}" if seen.today_at else "once"
    todays = f"today's marts are made at {today} UTC"
    return "; ".join([*settling, todays])
