"""The schedules, evaluated through Dagster, and runs of what they ask for."""

from datetime import UTC, date, datetime

import dagster as dg
import pytest

from crypto_pipeline_tests.orchestration.conftest import MakeScene
from crypto_pipeline_tests.orchestration.scene import Scene, materializations

SCHEDULES = ("every_5_minutes", "every_15_minutes")
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def _requested(scene: Scene, name: str, at: datetime) -> list[dg.RunRequest]:
    """The runs that a schedule asks for at an instant."""
    repository = scene.definitions.get_repository_def()
    context = dg.build_schedule_context(
        scene.instance, scheduled_execution_time=at, repository_def=repository
    )
    return list(repository.get_schedule_def(name).evaluate_tick(context).run_requests or [])


@pytest.mark.parametrize("name", SCHEDULES)
def test_at_noon_one_run_for_today(scene: Scene, name: str) -> None:
    """One partition, one run."""
    (request,) = _requested(scene, name, datetime(2026, 3, 5, 12, 5, tzinfo=UTC))

    assert request.partition_key == "2026-03-05"
    assert START not in request.tags


@pytest.mark.parametrize("name", SCHEDULES)
def test_just_after_midnight_one_run_for_yesterday_and_today(scene: Scene, name: str) -> None:
    """The last slots of yesterday become due today, and one run fetches both."""
    (request,) = _requested(scene, name, datetime(2026, 3, 5, 0, 5, tzinfo=UTC))

    assert request.partition_key is None
    assert (request.tags[START], request.tags[END]) == ("2026-03-04", "2026-03-05")


def test_half_past_midnight_no_longer_looks_back(scene: Scene) -> None:
    """From then on yesterday is the sensor's."""
    at, later = (datetime(2026, 3, 5, 0, minute, tzinfo=UTC) for minute in (29, 30))

    assert START in _requested(scene, "every_5_minutes", at)[0].tags
    assert START not in _requested(scene, "every_5_minutes", later)[0].tags


def test_no_day_before_the_first_is_asked_for(scene: Scene) -> None:
    """On the first day kept there is no yesterday to look back to."""
    (request,) = _requested(scene, "every_5_minutes", datetime(2026, 3, 1, 0, 5, tzinfo=UTC))

    assert request.partition_key == "2026-03-01"


def test_the_run_after_midnight_fetches_both_days(make_scene: MakeScene) -> None:
    """The tags a schedule sets are what Dagster takes for a range."""
    scene = make_scene(now=datetime(2026, 3, 5, 0, 5, 1, tzinfo=UTC))
    (request,) = _requested(scene, "every_5_minutes", scene.now)

    result = scene.definitions.resolve_job_def("collect_live").execute_in_process(
        instance=scene.instance, tags=request.tags
    )

    rows = {day: found["rows_new"] for day, found in materializations(result).items()}
    assert rows == {"2026-03-04": 24, "2026-03-05": 24}
    assert scene.execute("select min(open_time)::date, count(*) from market.ohlc") == [
        (date(2026, 3, 4), 24)
    ]
