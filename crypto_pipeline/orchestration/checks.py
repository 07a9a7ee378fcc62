"""The asset checks: the verdicts of the line, recorded where the Dagster page shows them."""

from collections.abc import Collection, Mapping
from datetime import date

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_START_TAG

from crypto_pipeline.ingestion import verdicts
from crypto_pipeline.ingestion.verdicts import Verdict
from crypto_pipeline.market.datasets import MARKET_PRICES, Dataset
from crypto_pipeline.market.intervals import EPOCH
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.orchestration.event_log import log_evaluations
from crypto_pipeline.orchestration.partitions import window_of
from crypto_pipeline.orchestration.resources import Pipeline

AUDIT = "ledger_matches_rows"
NIGHTLY = "keep_the_ledger"
"""The job that audits everything; other runs look at their own days."""


def checks_of(
    dataset: Dataset, partitions: dg.PartitionsDefinition[str]
) -> list[dg.AssetChecksDefinition]:
    """The checks of a dataset; ``complete`` has an answer for each day, range runs included."""

    @dg.asset_check(
        asset=dataset.name,
        partitions_def=partitions,
        description="Every slot the calendar expects of the day is there, or explained.",
    )
    def complete(
        context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.AssetCheckResult:
        run = context.op_execution_context
        rows = pipeline.line.ledger.summary(dataset, window_of(run), pipeline.due_at)
        if run.has_tag(ASSET_PARTITION_RANGE_START_TAG):
            _log_each_day(run, dataset, verdicts.completeness_by_day(rows))
        return result(verdicts.complete(rows))

    @dg.asset_check(
        asset=dataset.name,
        description="Nothing is missing anywhere: every hole is filled or explained.",
    )
    def no_unexplained_gaps(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
        return result(verdicts.no_unexplained_gaps(pipeline.line, dataset, pipeline.due_at))

    @dg.asset_check(
        asset=dataset.name,
        blocking=True,
        description="Every row of these days keeps the dataset's promises.",
    )
    def rows_are_valid(
        context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.AssetCheckResult:
        window = window_of(context.op_execution_context)
        return result(verdicts.rows_are_valid(pipeline.line, dataset, window))

    @dg.asset_check(
        asset=dataset.name,
        description="The newest due slot of every series came in time.",
    )
    def fresh(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
        return result(verdicts.fresh(pipeline.line, dataset, pipeline.now(), pipeline.late_after))

    @dg.asset_check(
        asset=dataset.name,
        name=AUDIT,
        description="The ledger agrees with the rows themselves; what differed is repaired.",
    )
    def ledger_matches_rows(
        context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.AssetCheckResult:
        run = context.op_execution_context
        window = window_of(run)
        if run.job_name == NIGHTLY:
            window = Window(EPOCH, pipeline.now() + DAY)
        return result(verdicts.ledger_matches_rows(pipeline.line, dataset, window))

    cross_checks = [_cross_check()] if dataset == MARKET_PRICES else []
    return [
        complete,
        no_unexplained_gaps,
        rows_are_valid,
        fresh,
        ledger_matches_rows,
        *cross_checks,
    ]


def _cross_check() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=MARKET_PRICES.name,
        description="Every price of these days lies near what venues' candles say of its time; "
        "one of a less trusted source that does not is quarantined.",
    )
    def sources_agree(
        context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.AssetCheckResult:
        run, now = context.op_execution_context, pipeline.now()
        verdict = verdicts.sources_agree(
            pipeline.line, window_of(run), now, sets_aside=True, run_id=run.run_id
        )
        return result(verdict)

    return sources_agree


def audits(dataset: Dataset) -> dg.AssetSelection:
    """The check that reads every row, which is too much for each tick."""
    return dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(dataset.name), AUDIT))


def result(verdict: Verdict) -> dg.AssetCheckResult:
    """A verdict as Dagster shows it."""
    return dg.AssetCheckResult(
        passed=verdict.passed,
        severity=_severity(verdict),
        description=verdict.summary,
        metadata=dict(verdict.facts),
    )


def _severity(verdict: Verdict) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if verdict.is_error else dg.AssetCheckSeverity.WARN


def _log_each_day(
    run: dg.OpExecutionContext, dataset: Dataset, by_day: Mapping[date, Verdict]
) -> None:
    """A range run has one result; each day's own evaluation is logged beside it."""
    asset = dg.AssetKey(dataset.name)
    targets = _targets(run.instance, asset, {day.isoformat() for day in by_day})
    evaluations = [
        dg.AssetCheckEvaluation(
            asset_key=asset,
            check_name=verdict.check,
            passed=verdict.passed,
            target_materialization_data=targets.get(day.isoformat()),
            severity=_severity(verdict),
            description=verdict.summary,
            metadata=dict(verdict.facts),
            blocking=False,
            partition=day.isoformat(),
        )
        for day, verdict in by_day.items()
    ]
    log_evaluations(run, evaluations)


def _targets(
    instance: dg.DagsterInstance, asset: dg.AssetKey, days: Collection[str]
) -> dict[str, Target]:
    """The newest materialization of each day; a verdict that points at no such one is not shown."""
    newest = instance.event_log_storage.get_latest_storage_id_by_partition(
        asset, dg.DagsterEventType.ASSET_MATERIALIZATION, set(days)
    )
    wanted = dg.AssetRecordsFilter(asset, list(days), storage_ids=list(newest.values()))
    found = instance.fetch_materializations(wanted, limit=max(len(newest), 1)).records
    return {
        str(record.partition_key): Target(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for record in found
    }
