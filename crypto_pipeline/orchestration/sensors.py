"""The gap sensor: reads the ledger and has repaired what is missing, newest first, a little at a time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dagster as dg

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC, Dataset
from crypto_pipeline.orchestration.backfills import (
    Target,
    days_being_run,
    in_flight,
    request_backfill,
)
from crypto_pipeline.orchestration.partitions import request_days
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.warehouse.ledger import Ledger, Waiting

MAX_BACKFILLS = 2
"""Backfills of one dataset in flight at a time: one that runs, and one that waits for the daemon."""
YEAR = 366
NEAR = timedelta(days=31)
"""Holes that are no farther from each other are filled by one run: the days between cost less than another."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What a tick asks for: today at once, and one range of older days as a backfill."""

    today: date | None
    older: tuple[date, date] | None


def choose(
    days: Sequence[date], taken: Sequence[tuple[date, date]], today: date, max_days: int
) -> Repair:
    """The newest days to repair that nobody works on yet; ``days`` come newest first.

    The range is at most ``max_days`` long and holds none of the days that are taken. A few whole
    days between two holes cost less than another run, so they are in it.
    """
    free = [day for day in days if not any(first <= day <= last for first, last in taken)]
    older = [day for day in free if day < today]
    in_flight_before_today = sum(first < today for first, _ in taken)
    if not older or in_flight_before_today >= MAX_BACKFILLS:
        return Repair(today if today in free else None, None)
    newest = oldest = older[0]
    for day in older:
        is_cut = any(day <= last < newest for _, last in taken)
        if newest - day >= timedelta(days=max_days) or oldest - day > NEAR or is_cut:
            break
        oldest = day
    return Repair(today if today in free else None, (oldest, newest))


def days_at_once(dataset: Dataset, line: Line, most: int) -> int:
    """How long a range is worth one run: a year where archives tell it in seconds."""
    archived = dataset == OHLC and all(venue in line.archives for venue in line.venues)
    return min(most, YEAR if archived else dataset.days_at_once)


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
        ledger, longest = pipeline.line.ledger, days_at_once(dataset, pipeline.line, max_days)
        limit = longest * (MAX_BACKFILLS + 1)
        days = ledger.days_to_repair(dataset, now, pipeline.due_at, limit)
        look = Look(now, days, ledger.waiting(dataset, now))
        flights = list(in_flight(context.instance, asset))
        if any(span is None for _, span in flights):
            return look.skipped("a backfill that a person started is in flight; waiting for it")
        taken = [span for _, span in flights if span]
        taken += days_being_run(context.instance, asset)
        repair = choose(days, taken, now.date(), longest)
        if repair == Repair(None, None):
            return look.skipped(look.why_nothing(taken))
        return _launch(context, dataset, repair, look, ledger)

    return sensor


@dataclass(frozen=True, slots=True)
class Look:
    """What a tick saw in the ledger; its cursor tells the next reader."""

    now: datetime
    days: Sequence[date]
    waiting: Waiting

    def why_nothing(self, taken: Sequence[tuple[date, date]]) -> str:
        """Why this tick launches nothing, in a sentence."""
        if self.days:
            return (
                f"{_days(len(self.days))} with something to ask for; {len(taken)} runs are at them"
            )
        if self.waiting.until:
            return (
                f"slots of {_days(self.waiting.days)} were asked for in vain; the first are "
                f"asked for again at {self.waiting.until:%Y-%m-%d %H:%M} UTC"
            )
        return "nothing is missing: every due slot is there or explained"

    def skipped(self, reason: str) -> dg.SensorResult:
        """A tick that launched no run of its own."""
        return dg.SensorResult(skip_reason=reason, cursor=self.cursor(reason))

    def cursor(self, told: str) -> str:
        """What was seen, and what was done about it."""
        seen: dict[str, object] = {"at": f"{self.now:%Y-%m-%dT%H:%M:%SZ}", "did": told}
        seen["days_to_repair"] = len(self.days)
        if self.days:
            seen |= {"newest_day": str(self.days[0]), "oldest_day": str(self.days[-1])}
        if self.waiting.until:
            seen["waiting_days"] = self.waiting.days
            seen["first_retry_at"] = f"{self.waiting.until:%Y-%m-%dT%H:%M:%SZ}"
        return json.dumps(seen)


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _launch(
    context: dg.SensorEvaluationContext,
    dataset: Dataset,
    repair: Repair,
    look: Look,
    ledger: Ledger,
) -> dg.SensorResult:
    """No run key: Dagster launches a key once, ever, and a hole may have to be asked for again."""
    requests = []
    launched: list[str] = []
    if repair.today:
        requests.append(request_days(repair.today, repair.today))
        launched.append(f"today ({repair.today})")
    if repair.older:
        graph = context.repository_def.asset_graph  # type: ignore[union-attr]
        attempt = ledger.attempts(dataset, *repair.older) + 1
        backfill = request_backfill(
            context.instance,
            graph,
            dg.AssetKey(dataset.name),
            Target(*repair.older, attempt),
            look.now,
            context.sensor_name,
        )
        launched.append(
            f"backfill {backfill} of {repair.older[0]} to {repair.older[1]}, attempt {attempt}"
        )
    told = f"launched {' and '.join(launched)}"
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else told,
        cursor=look.cursor(told),
    )
