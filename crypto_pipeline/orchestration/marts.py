"""The marts: an asset for each of dbt's models and a check for each of its tests, made by one dbt a run."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import dagster as dg

from crypto_pipeline.errors import PipelineError
from crypto_pipeline.orchestration.dbt_manifest import Check, Model, Models
from crypto_pipeline.orchestration.dbt_project import Answer, Project
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.query import answered

NAME = "marts"
SHOWN_ROWS = 5
SAMPLE_SECONDS = 10
ROUNDS = 3
"""Days that came anew while dbt read them are built again; a source that never rests waits for the sensor."""
Results = Mapping[str, Answer]
Events = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]


def marts(
    project: Project, told: Models, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    """All models as one asset of many; a run of any days and any of them is one call of dbt."""

    @dg.multi_asset(
        name=NAME,
        specs=[_spec(model, partitions) for model in told.models.values()],
        check_specs=[_check_spec(check) for check in told.checks.values()],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def build(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> Events:
        run, database = context.op_execution_context, pipeline.line.database
        models = {key.to_user_string() for key in run.selected_asset_keys}
        checks = {told.checks[key.name].test for key in run.selected_asset_check_keys}
        results = _build(context, project, told, database, (models, checks))
        yield from _events(told, results, database)
        _raise_if_failed(told, results)

    return build


def _build(
    context: dg.AssetExecutionContext,
    project: Project,
    told: Models,
    database: Database,
    chosen: tuple[Collection[str], Collection[str]],
) -> Results:
    """What became of each model and test; built again where their sources changed meanwhile."""
    days = sorted(context.partition_keys)
    variables = {"first_day": days[0], "last_day": days[-1]}
    sources = {one for model in chosen[0] for one in told.datasets(model)}
    for _ in range(ROUNDS):
        before = _newest(context.instance, sources, days)
        answers = project.carry_out(_commands(*chosen), database.client_environment, variables)
        results = _results(context, answers)
        if before == _newest(context.instance, sources, days):
            break
        context.log.info("Days came anew while dbt read them: they are built again.")
    return results


def _commands(models: Collection[str], checks: Collection[str]) -> list[list[str]]:
    """Tests come after all models, for a failed one is a failed check and holds up nothing."""
    commands = []
    if models:
        commands.append(["run", "--select", *sorted(models)])
    if checks:
        commands.append(["test", "--indirect-selection", "empty", "--select", *sorted(checks)])
    return commands


def _newest(
    instance: dg.DagsterInstance, sources: Collection[str], days: Sequence[str]
) -> list[Mapping[str, int]]:
    return [
        instance.event_log_storage.get_latest_storage_id_by_partition(
            dg.AssetKey(source), dg.DagsterEventType.ASSET_MATERIALIZATION, set(days)
        )
        for source in sorted(sources)
    ]


def _results(context: dg.AssetExecutionContext, answers: Iterator[Answer]) -> Results:
    """The results by node, in the order they came in; what dbt tells meanwhile is logged."""
    results: dict[str, Answer] = {}
    for answer in answers:
        if "told" in answer:
            context.log.info(answer["told"])
        elif "error" in answer:
            msg = f"dbt could not work: {answer['error']}"
            raise dg.Failure(msg, allow_retries=False)
        else:
            results[answer["id"]] = answer
    return results


def _events(told: Models, results: Results, database: Database) -> Events:
    models = {model.id: model for model in told.models.values()}
    checks = {check.id: check for check in told.checks.values()}
    failed = {models[node].name for node, one in results.items() if _has_failed(node, one)}
    for node, result in results.items():
        if node in models and models[node].name not in failed:
            yield dg.MaterializeResult(asset_key=models[node].name, metadata=_metadata(result))
        elif node in checks and checks[node].model not in failed:
            yield _check_result(checks[node], result, database)


def _metadata(result: Answer) -> dict[str, Any]:
    rows = result["rows"]
    counted = {"rows_written": rows} if isinstance(rows, int) and rows >= 0 else {}
    return {**counted, "seconds": round(result["seconds"], 2)}


def _check_result(check: Check, result: Answer, database: Database) -> dg.AssetCheckResult:
    """As severe as dbt takes it; a test that could not be run has failed too."""
    failures, passed = result["failures"] or 0, result["status"] == "pass"
    metadata: dict[str, Any] = {"failures": failures}
    if result["sql"] and failures:
        metadata["rows"] = dg.MetadataValue.md(_sample(database, result["sql"]))
    if result["sql"]:
        metadata["sql"] = dg.MetadataValue.md(f"```sql\n{result['sql'].strip()}\n```")
    is_warning = result["status"] == "warn"
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(check.model),
        check_name=check.name,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
        description=None if passed else str(result["message"]),
        metadata=metadata,
    )


def _sample(database: Database, statement: str) -> str:
    """Some of the rows that a test found, as a table; none where they cannot be had quickly."""
    with (
        suppress(PipelineError),
        answered(database, statement, SAMPLE_SECONDS) as found,
    ):
        rows = [[*map(str, row)] for row, _ in zip(found.rows, range(SHOWN_ROWS), strict=False)]
        lines = [[*found.columns], ["---"] * len(found.columns), *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "they could not be read"


def _has_failed(node: str, result: Answer) -> bool:
    return node.startswith("model.") and result["status"] != "success"


def _raise_if_failed(told: Models, results: Results) -> None:
    """A model that could not be made fails the run, in dbt's words; the others were made."""
    models = {model.id: model.name for model in told.models.values()}
    failed = [
        f"{models[node]}: {result['message']}"
        for node, result in results.items()
        if _has_failed(node, result)
    ]
    if failed:
        raise dg.Failure("; ".join(failed), allow_retries=False)


def _spec(model: Model, partitions: dg.PartitionsDefinition[str]) -> dg.AssetSpec:
    columns = [dg.TableColumn(name, type_, told) for name, type_, told in model.columns]
    return dg.AssetSpec(
        model.name,
        deps=sorted(model.parents),
        description=model.description,
        group_name=model.group,
        kinds={"dbt", "postgres"},
        code_version=model.version,
        metadata={
            "dagster/table_name": model.table,
            "dagster/column_schema": dg.TableSchema(columns),
        },
        partitions_def=partitions,
    )


def _check_spec(check: Check) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        check.name,
        asset=check.model,
        additional_deps=sorted(check.others),
        description=check.description,
    )
