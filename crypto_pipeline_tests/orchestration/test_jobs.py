"""The schedules, evaluated through Dagster, and runs of what they ask for."""

from datetime import UTC, date, datetime

import pytest

from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.orchestration.conftest import MakeScene
from crypto_pipeline_tests.orchestration.scene import TODAY, Scene, evaluations, materializations

SCHEDULES = ("every_5_minutes", "every_15_minutes")
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.mark.parametrize("name", SCHEDULES)
def test_at_noon_one_run_for_today(scene: Scene, name: str) -> None:
    """One partition, one run."""
    (request,) = scene.requested(name, datetime(2026, 3, 5, 12, 5, tzinfo=UTC))

    assert request.partition_key == "2026-03-05"
    assert START not in request.tags


@pytest.mark.parametrize("name", SCHEDULES)
def test_just_after_midnight_one_run_for_yesterday_and_today(scene: Scene, name: str) -> None:
    """The last slots of yesterday become due today, and one run fetches both."""
    (request,) = scene.requested(name, datetime(2026, 3, 5, 0, 5, tzinfo=UTC))

    assert request.partition_key is None
    assert (request.tags[START], request.tags[END]) == ("2026-03-04", "2026-03-05")


def test_half_past_midnight_no_longer_looks_back(scene: Scene) -> None:
    """From then on yesterday is the sensor's."""
    at, later = (datetime(2026, 3, 5, 0, minute, tzinfo=UTC) for minute in (29, 30))

    assert START in scene.requested("every_5_minutes", at)[0].tags
    assert START not in scene.requested("every_5_minutes", later)[0].tags


def test_no_day_before_the_first_is_asked_for(scene: Scene) -> None:
    """On the first day kept there is no yesterday to look back to."""
    (request,) = scene.requested("every_5_minutes", datetime(2026, 3, 1, 0, 5, tzinfo=UTC))

    assert request.partition_key == "2026-03-01"


def test_the_run_after_midnight_fetches_both_days(make_scene: MakeScene) -> None:
    """The tags a schedule sets are what Dagster takes for a range."""
    scene = make_scene(now=datetime(2026, 3, 5, 0, 5, 1, tzinfo=UTC))
    (request,) = scene.requested("every_5_minutes", scene.now)

    result = scene.run_request("collect_live", request)

    rows = {day: found["rows_new"] for day, found in materializations(result).items()}
    assert rows == {"2026-03-04": 24, "2026-03-05": 24}
    assert scene.execute("select min(open_time)::date, count(*) from market.ohlc") == [
        (date(2026, 3, 4), 24)
    ]


def test_at_night_yesterday_is_read_again_and_everything_audited(
    scene: Scene, sandbox: Sandbox
) -> None:
    """A candle that the venue changed is replaced, the calendar is read, the ledger held to the rows."""
    scene.run(date(2026, 3, 1), TODAY)
    scene.execute(
        "update warehouse.ohlc set close = close + 1 where open_time = '2026-03-05 03:00Z'"
    )
    scene.execute("delete from warehouse.ohlc where open_time = '2026-03-02 05:00Z'")
    sandbox.clear_requests()
    scene.now = datetime(2026, 3, 6, 0, 40, 5, tzinfo=UTC)
    (request,) = scene.requested("every_night", datetime(2026, 3, 6, 0, 40, tzinfo=UTC))

    result = scene.run_request("keep_the_ledger", request)

    audit = evaluations(result, "ledger_matches_rows")[None]
    assert request.partition_key == "2026-03-05"
    assert "/api/v3/exchangeInfo" in [
        one.path.removeprefix("/binance") for one in sandbox.requests()
    ]
    assert materializations(result)["2026-03-05"]["rows_changed"] == 1
    assert scene.execute("select open_time, replaced_by from market.ohlc_revisions") == [
        (datetime(2026, 3, 5, 3, tzinfo=UTC), "binance")
    ]
    assert (audit.passed, "2026-03-02" in (audit.description or "")) == (False, True)
    assert scene.execute(
        "select count(*) from market.gaps where gap_start = '2026-03-02 05:00Z'"
    ) == [(1,)]


def test_the_first_tick_after_any_downtime_brings_the_newest(make_scene: MakeScene) -> None:
    """Dagster catches up nothing: today comes with the next tick, the days between by the sensor."""
    scene = make_scene(since=date(2026, 1, 1), now=datetime(2026, 1, 2, 12, 7, tzinfo=UTC))
    scene.run(date(2026, 1, 1), date(2026, 1, 2))
    scene.now = datetime(2026, 3, 5, 12, 7, tzinfo=UTC)
    (request,) = scene.requested("every_5_minutes", scene.now)

    result = scene.run_request("collect_live", request)
    scene.tick()

    assert evaluations(result, "fresh")[None].passed
    (backfill,) = scene.instance.get_backfills()
    assert backfill.title == "2026-02-02 to 2026-03-04, attempt 1"
