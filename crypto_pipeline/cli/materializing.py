"""Runs days of a dataset in this very process, recorded in Dagster as the same partitions.

The one module of the command line that imports Dagster; it is imported when a run is asked for.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from crypto_pipeline.cli.dagster_home import dagster_environment
from crypto_pipeline.cli.progress import Bar
from crypto_pipeline.definitions import open_pipeline, timetable
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.orchestration.build import build_definitions
from crypto_pipeline.orchestration.launcher import process_tag
from crypto_pipeline.orchestration.partitions import range_tags
from crypto_pipeline.settings import Settings

JOB = "collect_everything"


@dataclass(frozen=True, slots=True)
class Materialized:
    """What a run brought; ``failure`` is the reason where it failed."""

    rows_new: int = 0
    rows_changed: int = 0
    failure: str | None = None


def materialize(
    settings: Settings, dataset: Dataset, days: tuple[date, date], *, refetch: bool, bar: Bar
) -> Materialized:
    """One run over a range of days, both ends included; a KeyboardInterrupt is its cancellation."""
    os.environ.update(dagster_environment(settings))
    with _silently(), dg.DagsterInstance.get() as instance:
        run_id = str(uuid.uuid4())
        try:
            result = _job(settings, dataset, bar).execute_in_process(
                run_config={"ops": {dataset.name: {"config": {"refetch": refetch}}}},
                instance=instance,
                run_id=run_id,
                **_partitions(*days),
            )
        except dg.DagsterExecutionInterruptedError:
            _cancel(instance, run_id)
            raise KeyboardInterrupt from None
        except dg.Failure as failure:
            return Materialized(rows_new=bar.rows, failure=failure.description)
        except dg.DagsterError as error:
            return Materialized(rows_new=bar.rows, failure=str(error))
    return Materialized(
        rows_new=_count(result, dataset, "rows_new"),
        rows_changed=_count(result, dataset, "rows_changed"),
    )


def _partitions(first: date, last: date) -> dict[str, Any]:
    """A day is a partition of its own, and its checks are recorded with it; more are a range.

    The daemon must not start again what a person started and stopped in a terminal.
    """
    tags = {"dagster/max_retries": "0"} | process_tag()
    if first == last:
        return {"partition_key": first.isoformat(), "tags": tags}
    return {"tags": tags | range_tags(first, last)}


def _job(settings: Settings, dataset: Dataset, bar: Bar) -> dg.JobDefinition:
    """The job as far as it is about the dataset: named alone, an asset would bring checks of other jobs."""
    pipeline, asset = replace(open_pipeline(), on_progress=bar.update), dg.AssetKey(dataset.name)
    job = build_definitions(timetable(settings), lambda: pipeline).resolve_job_def(JOB)
    checks = job.asset_layer.asset_graph.asset_check_keys
    return job.get_subset(
        asset_selection={asset},
        asset_check_selection={one for one in checks if one.asset_key == asset},
    )


def _cancel(instance: dg.DagsterInstance, run_id: str) -> None:
    """Dagster takes an interrupt that it did not ask for as a failure; here a person asked."""
    run = instance.get_run_by_id(run_id)
    if run is not None:
        instance.report_run_canceled(run, "Stopped in the terminal.")


def _count(result: dg.ExecuteInProcessResult, dataset: Dataset, name: str) -> int:
    """Each day's event carries the whole run's counts beside its own; other assets' events none."""
    found = result.asset_materializations_for_node(dataset.name)
    metadata = next(one.metadata for one in found if name in one.metadata)
    return int(str(metadata[name].value))


@contextmanager
def _silently() -> Iterator[None]:
    """What Dagster logs and warns of goes to the run's own log on its page; the terminal is the bar's."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield
