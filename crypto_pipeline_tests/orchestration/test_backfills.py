"""Backfills that the pipeline asks for, in Dagster's own records."""

from datetime import date

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from crypto_pipeline.orchestration.backfills import (
    Target,
    days_being_run,
    in_flight,
    request_backfill,
)
from crypto_pipeline.orchestration.partitions import range_tags
from crypto_pipeline_tests.orchestration.scene import NOW, OHLC, Scene

SPAN = (date(2026, 3, 2), date(2026, 3, 4))


def _request(scene: Scene) -> str:
    graph = scene.definitions.get_repository_def().asset_graph
    target = Target(*SPAN, attempt=3)
    return request_backfill(scene.instance, graph, OHLC, target, NOW, "repair_ohlc_gaps")


def test_a_backfill_is_on_the_page_with_its_days_its_attempt_and_who_asked(scene: Scene) -> None:
    """A person sees at a glance what is being repaired, and by which sensor."""
    backfill_id = _request(scene)

    (backfill,) = scene.instance.get_backfills()
    assert backfill.backfill_id == backfill_id
    assert backfill.title == "2026-03-02 to 2026-03-04, attempt 3"
    assert (backfill.tags or {})["dagster/sensor_name"] == "repair_ohlc_gaps"
    assert (backfill.tags or {})["crypto_pipeline/dataset"] == "ohlc"
    assert backfill.is_asset_backfill


def test_an_unfinished_backfill_is_in_flight_with_its_days(scene: Scene) -> None:
    """Both ends included, as they were asked for."""
    backfill_id = _request(scene)

    assert list(in_flight(scene.instance, OHLC)) == [(backfill_id, SPAN)]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (BulkActionStatus.CANCELING, 1),
        (BulkActionStatus.FAILING, 1),
        (BulkActionStatus.CANCELED, 0),
        (BulkActionStatus.FAILED, 0),
        (BulkActionStatus.COMPLETED_FAILED, 0),
        (BulkActionStatus.COMPLETED_SUCCESS, 0),
    ],
)
def test_a_backfill_is_in_flight_until_it_ends(
    scene: Scene, status: BulkActionStatus, expected: int
) -> None:
    """However it ends."""
    _request(scene)
    (backfill,) = scene.instance.get_backfills()
    scene.instance.update_backfill(backfill._replace(status=status))

    assert len(list(in_flight(scene.instance, OHLC))) == expected


def test_backfills_of_other_assets_are_not_ours(scene: Scene) -> None:
    """Each dataset's sensor looks after its own."""
    _request(scene)

    assert list(in_flight(scene.instance, dg.AssetKey("sentiment"))) == []


@pytest.mark.parametrize(
    ("tags", "days"),
    [
        ({"dagster/partition": "2026-03-04"}, [(date(2026, 3, 4), date(2026, 3, 4))]),
        (range_tags(*SPAN), [SPAN]),
        (range_tags(*SPAN) | {"dagster/backfill": "abc"}, []),
        ({}, []),
    ],
)
def test_a_run_that_anybody_started_is_known_by_its_days(
    scene: Scene, tags: dict[str, str], days: list[tuple[date, date]]
) -> None:
    """One day or a range; a backfill's own runs count with the backfill."""
    job = scene.definitions.resolve_job_def("collect_live")
    scene.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)

    assert days == days_being_run(scene.instance, OHLC)


def test_a_run_that_has_ended_is_no_longer_at_its_days(scene: Scene) -> None:
    """However it ended."""
    job, tags = scene.definitions.resolve_job_def("collect_live"), range_tags(*SPAN)
    scene.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.FAILURE)

    assert [] == days_being_run(scene.instance, OHLC)
