"""The assets: one for each dataset, partitioned by UTC day."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from time import monotonic
from typing import Any

import dagster as dg
from dagster._core.storage.tags import SCHEDULE_NAME_TAG, SENSOR_NAME_TAG

from crypto_pipeline.ingestion.ingest import Ingested, Progress, ingest
from crypto_pipeline.ingestion.news import ingest_news
from crypto_pipeline.market.datasets import NEWS, OHLC, Dataset
from crypto_pipeline.market.windows import Window
from crypto_pipeline.orchestration.instruments import read_if_due
from crypto_pipeline.orchestration.partitions import window_of
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.warehouse.ledger import Asking, DayCoverage, Ledger, by_day

SHOWN = 10
"""Series in a day's table: every day keeps its own, and the page reads a hundred of them at once."""
LONGEST_SILENCE = 30.0
"""Seconds without a word in the log of a run that gets on."""


class IngestConfig(dg.Config):
    """What a person can ask of one run."""

    refetch: bool = False


def ingested(dataset: Dataset, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset that brings a dataset up to date for its partitions; safe to materialize again."""

    @dg.asset(
        name=dataset.name,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="market",
        kinds={"python", "postgres"},
        description=_description(dataset),
        metadata={
            "dagster/column_schema": _columns(dataset),
            "dagster/table_name": f"market.{dataset.name}",
        },
    )
    def asset(
        context: dg.AssetExecutionContext,
        config: IngestConfig,
        pipeline: dg.ResourceParam[Pipeline],
    ) -> dg.MaterializeResult[None]:
        window, now = window_of(context), pipeline.now()
        if dataset == OHLC:
            read_if_due(context, pipeline, dataset)
        collect = ingest_news if dataset == NEWS else ingest
        done = collect(
            pipeline.line,
            window,
            now=now,
            dataset=dataset,
            asking="everything" if config.refetch else _missing(context.run.tags),
            run_id=context.run_id,
            on_progress=pipeline.on_progress or logged(context.log.info),
        )
        _describe_days(context, pipeline.line.ledger, dataset, window, now)
        _raise_if_all_failed(done)
        return dg.MaterializeResult(metadata=_run_metadata(done))

    return asset


def _missing(tags: Mapping[str, str]) -> Asking:
    """A person's run asks for all that is missing; a tick's leaves alone what waits."""
    is_a_ticks = SCHEDULE_NAME_TAG in tags or SENSOR_NAME_TAG in tags
    return "patiently" if is_a_ticks else "missing"


def logged(
    log: Callable[[str], None], clock: Callable[[], float] = monotonic
) -> Callable[[Progress], None]:
    """Progress as lines of a log: one for each tenth of the way, and on a long way one every while."""
    told, told_at = -1, clock()

    def on_progress(progress: Progress) -> None:
        nonlocal told, told_at
        tenth, now = 10 * progress.done // max(progress.planned, 1), clock()
        if tenth > told or now - told_at >= LONGEST_SILENCE:
            told, told_at = max(tenth, told), now
            waits = f"; {progress.limited_by} is waited for" if progress.limited_by else ""
            asked = f"{progress.done} of {progress.planned} requests"
            log(f"{asked}, {progress.rows:,} rows{waits}")

    return on_progress


def _describe_days(
    context: dg.AssetExecutionContext,
    ledger: Ledger,
    dataset: Dataset,
    window: Window,
    now: datetime,
) -> None:
    """Each day's own metadata: what the ledger says of it, and where its rows came from."""
    sources = ledger.sources(dataset, window)
    rows = by_day(ledger.summary(dataset, window, now))
    for key in context.partition_keys:
        day = date.fromisoformat(key)
        metadata = day_metadata(rows.get(day, []), sources.get(day, {}))
        context.add_asset_metadata(metadata, partition_key=key)


def day_metadata(
    rows: Sequence[DayCoverage], sources: dict[str, int]
) -> dict[str, dg.MetadataValue[Any]]:
    """Counts that the page can plot, and a small table by series."""
    expected, missing = sum(row.expected for row in rows), sum(row.missing for row in rows)
    return {
        "dagster/partition_row_count": dg.MetadataValue.int(sum(sources.values())),
        "expected": dg.MetadataValue.int(expected),
        "missing": dg.MetadataValue.int(missing),
        "explained": dg.MetadataValue.int(sum(row.explained for row in rows)),
        "completeness_pct": dg.MetadataValue.float(
            round(100 * (expected - missing) / expected, 4) if expected else 100.0
        ),
        "sources": dg.MetadataValue.text(
            ", ".join(f"{name}: {count:,}" for name, count in sources.items()) or "none"
        ),
        "series": dg.MetadataValue.table(_table(rows) or [dg.TableRecord({"series": "none"})]),
    }


def _table(rows: Sequence[DayCoverage]) -> list[dg.TableRecord]:
    """Those that lack most come first; of many series the others are summed up in one record."""
    ranked = sorted(rows, key=lambda row: -row.missing)
    shown = ranked if len(rows) <= SHOWN + 1 else ranked[:SHOWN]
    records = [_record(row.series, [row]) for row in shown]
    if others := ranked[len(shown) :]:
        records.append(_record(f"{len(others)} more", others))
    return records


def _record(name: str, rows: Sequence[DayCoverage]) -> dg.TableRecord:
    counts = {
        count: sum(getattr(row, count) for row in rows)
        for count in ("expected", "present", "explained", "missing")
    }
    return dg.TableRecord({"series": name, **counts})


def _run_metadata(done: Ingested) -> dict[str, int | float | str]:
    failures = "; ".join(f"{name}: {why}" for name, why in done.failures.items())
    return {
        "requests": done.requests,
        "rows_new": done.stored.inserted,
        "rows_changed": done.stored.updated,
        "rows_rejected": done.stored.rejected,
        "waited_for_limit_s": round(done.waited_for_limit_s, 1),
        **({"failures": failures} if failures else {}),
    }


def _raise_if_all_failed(done: Ingested) -> None:
    """A run that got nothing of what it asked for is a failure; retrying is the sensor's business."""
    if done.failed_wholly:
        reasons = "; ".join(sorted(set(done.failures.values())))
        msg = f"nothing could be fetched: {reasons}"
        raise dg.Failure(msg, allow_retries=False)


def _description(dataset: Dataset) -> str:
    return f"{dataset.title}.\n\n**Grain:** {dataset.grain}.\n\n**Complete when:** {dataset.completeness}."


def _columns(dataset: Dataset) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, column.type, f"{column.description} ({column.unit})")
            for column in dataset.columns
        ]
    )
