"""Backfills that the pipeline asks for, in Dagster's own records."""

from datetime import date

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from crypto_pipeline.orchestration.backfills import in_flight, request_backfill
from crypto_pipeline_tests.orchestration.scene import NOW, OHLC, Scene

SPAN = (date(2026, 3, 2), date(2026, 3, 4))


def _request(scene: Scene) -> str:
    graph = scene.definitions.get_repository_def().asset_graph
    return request_backfill(scene.instance, graph, OHLC, SPAN, NOW, "repair_ohlc_gaps")


def test_a_backfill_is_on_the_page_with_its_days_and_who_asked(scene: Scene) -> None:
    """A person sees at a glance what is being repaired, and by which sensor."""
    backfill_id = _request(scene)

    (backfill,) = scene.instance.get_backfills()
    assert backfill.backfill_id == backfill_id
    assert backfill.title == "2026-03-02 to 2026-03-04"
    assert (backfill.tags or {})["dagster/sensor_name"] == "repair_ohlc_gaps"
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
