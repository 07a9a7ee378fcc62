"""The gap sensor, asked as Dagster asks it: what it launches, what it leaves alone, and what it says."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from crypto_pipeline.market.windows import DAY
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.orchestration.conftest import MakeScene
from crypto_pipeline_tests.orchestration.scene import NOW, OHLC, TODAY, Scene, at_once

FIRST, SECOND, THIRD, FOURTH = (date(2026, 3, day) for day in (1, 2, 3, 4))
OUTAGE = "outage:BTCUSDT:2026-03-03T05:00Z/2026-03-03T08:00Z"


def _backfills(scene: Scene) -> dict[str, list[str]]:
    """The backfills on Dagster's page, newest first: title and days."""
    graph = scene.definitions.get_repository_def().asset_graph
    found = {}
    for backfill in scene.instance.get_backfills():
        subset = backfill.get_asset_backfill_data(graph).get_target_partitions_subset(OHLC)
        days, _, _ = str(backfill.title).partition(", attempt")
        found[days] = sorted(subset.get_partition_keys())
    return found


def _today_asked(tick: SensorExecutionData) -> list[str | None]:
    return [request.partition_key for request in tick.run_requests or []]


def _start(scene: Scene, tick: SensorExecutionData) -> None:
    """What the daemon does with a tick's run requests: runs that are under way."""
    for request in tick.run_requests or []:
        scene.instance.create_run_for_job(
            job_def=scene.definitions.resolve_job_def("__ASSET_JOB"),
            tags=request.tags,
            status=dg.DagsterRunStatus.STARTED,
        )


def _carry_out(scene: Scene) -> None:
    """What the daemon does with the backfills that are asked for: one run a range."""
    for backfill in scene.instance.get_backfills():
        if backfill.status == BulkActionStatus.REQUESTED:
            graph = scene.definitions.get_repository_def().asset_graph
            subset = backfill.get_asset_backfill_data(graph).get_target_partitions_subset(OHLC)
            keys = sorted(subset.get_partition_keys())
            scene.run(date.fromisoformat(keys[0]), date.fromisoformat(keys[-1]))
            ended = backfill._replace(status=BulkActionStatus.COMPLETED_SUCCESS)
            scene.instance.update_backfill(ended)


def _backfill_by_hand(scene: Scene, *days: date) -> None:
    """What the page's Materialize button does."""
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id="by-hand",
        asset_graph=scene.definitions.get_repository_def().asset_graph,
        partition_names=[day.isoformat() for day in days],
        asset_selection=[OHLC],
        backfill_timestamp=NOW.timestamp(),
        tags={},
        dynamic_partitions_store=scene.instance,
        all_partitions=False,
        title="by hand",
        description=None,
        run_config=None,
    )
    scene.instance.add_backfill(backfill)


def _require_sentence(text: str | None) -> str:
    """A reason is one line that a person can read."""
    assert text
    assert re.fullmatch(r"[a-z0-9][^\n]{10,200}", text)
    return text


def test_a_cold_start_asks_for_today_and_backfills_the_rest(scene: Scene) -> None:
    """Today at once as a run; the days behind it as one backfill that the page shows."""
    tick = scene.tick()

    assert _today_asked(tick) == ["2026-03-05"]
    assert _backfills(scene) == {
        "2026-03-01 to 2026-03-04": ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]
    }


def test_the_backfill_runs_as_one_run_and_fills_the_days(scene: Scene) -> None:
    """After it and the run for today nothing is left, and the sensor says so."""
    scene.tick()
    _carry_out(scene)
    scene.run(TODAY)

    tick = scene.tick()

    assert scene.execute("select count(*) from warehouse.ohlc") == [(4 * 24 + 12,)]
    assert _today_asked(tick) == []
    assert _require_sentence(tick.skip_message) == (
        "nothing is missing: every due slot is there or explained"
    )
    assert len(scene.instance.get_runs()) == 2


def test_a_second_tick_launches_nothing_for_the_same_days(scene: Scene) -> None:
    """What is in flight is waited for: neither a run nor a backfill is asked for twice."""
    _start(scene, scene.tick())

    tick = scene.tick()

    assert _today_asked(tick) == []
    assert len(_backfills(scene)) == 1
    assert _require_sentence(tick.skip_message) == (
        "5 days with something to ask for; 2 runs are at them"
    )


def test_backfills_are_small_and_few(make_scene: MakeScene) -> None:
    """Newest first, at most so many days each, and never more than two at a time."""
    scene = make_scene(since=date(2026, 2, 20), max_days=3)
    for _ in range(4):
        _start(scene, scene.tick())

    assert _backfills(scene) == {
        "2026-03-02 to 2026-03-04": ["2026-03-02", "2026-03-03", "2026-03-04"],
        "2026-02-27 to 2026-03-01": ["2026-02-27", "2026-02-28", "2026-03-01"],
    }


def test_a_year_that_an_archive_has_is_one_backfill(make_scene: MakeScene) -> None:
    """A year's files are read in seconds, which is what the start of another run costs."""
    scene = make_scene(since=date(2025, 3, 5), max_days=366)
    scene.line = replace(scene.line, archives=scene.line.providers)

    scene.tick()

    assert list(_backfills(scene)) == ["2025-03-05 to 2026-03-04"]


def test_when_one_backfill_has_ended_the_next_is_launched(make_scene: MakeScene) -> None:
    """The history fills up, newest first, until nothing is left."""
    scene = make_scene(max_days=2)
    scene.tick()
    _carry_out(scene)
    scene.tick()
    _carry_out(scene)

    assert list(_backfills(scene)) == ["2026-03-01 to 2026-03-02", "2026-03-03 to 2026-03-04"]
    assert scene.execute("select count(*) from warehouse.ohlc") == [(4 * 24,)]


def test_near_holes_are_joined(scene: Scene) -> None:
    """A run costs more than a whole day between two holes, which asks for nothing."""
    scene.run(THIRD)

    scene.tick()

    assert list(_backfills(scene)) == ["2026-03-01 to 2026-03-04"]


def test_only_the_days_with_holes_are_backfilled(scene: Scene) -> None:
    """A range begins and ends with a day that misses something."""
    scene.run(THIRD, TODAY)

    tick = scene.tick()

    assert _today_asked(tick) == []
    assert list(_backfills(scene)) == ["2026-03-01 to 2026-03-02"]


def test_a_persons_backfill_is_waited_for(scene: Scene) -> None:
    """The sensor does not interfere with it, and says that it waits."""
    _backfill_by_hand(scene, FIRST, THIRD)

    tick = scene.tick()

    assert _today_asked(tick) == []
    assert list(_backfills(scene)) == ["by hand"]
    assert "a backfill that a person started" in _require_sentence(tick.skip_message)


def test_after_a_persons_backfill_the_sensor_goes_on(scene: Scene) -> None:
    """It asks for what the person left."""
    _backfill_by_hand(scene, SECOND, THIRD, FOURTH)
    _carry_out(scene)

    scene.tick()

    assert list(_backfills(scene)) == ["2026-03-01 to 2026-03-01", "by hand"]


def test_what_was_asked_in_vain_rests_and_is_explained(scene: Scene, sandbox: Sandbox) -> None:
    """An outage is not hammered: it is asked for once more, explained, and put to the test days later."""
    sandbox.order(OUTAGE)
    scene.run(FIRST, TODAY)

    asked, told = [], []
    for minutes in (1, 6, 7, 50):
        scene.now = NOW + timedelta(minutes=minutes)
        told.append(scene.tick().skip_message)
        asked.append(len(scene.instance.get_backfills()))
        _carry_out(scene)

    scene.now = NOW + timedelta(days=1, minutes=7)
    scene.tick()

    assert asked == [0, 1, 1, 1]
    assert list(_backfills(scene)) == ["2026-03-03 to 2026-03-05", "2026-03-03 to 2026-03-03"]
    assert _require_sentence(told[0]) == (
        "slots of 1 day were asked for in vain; "
        "the first are asked for again at 2026-03-05 12:12 UTC"
    )
    assert scene.execute("select reason, slots from market.explanations") == [("venue_outage", 3)]


def test_an_attempt_says_which_it_is(scene: Scene, sandbox: Sandbox) -> None:
    """The second time a day is asked for, the Backfills page says so."""
    sandbox.order("503")
    scene.line = replace(scene.line, sleep=at_once)
    scene.run(THIRD)
    scene.now = NOW + timedelta(minutes=20)

    scene.tick()

    (backfill,) = scene.instance.get_backfills()
    assert str(backfill.title) == "2026-03-01 to 2026-03-04, attempt 2"
    assert (backfill.tags or {})["crypto_pipeline/attempt"] == "2"


def test_a_run_that_a_person_started_is_waited_for(scene: Scene) -> None:
    """The sensor asks for the days around it, and not for those it is at."""
    job = scene.definitions.resolve_job_def("collect_everything")
    tags = {"dagster/partition": FOURTH.isoformat()}
    scene.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)

    scene.tick()

    assert list(_backfills(scene)) == ["2026-03-01 to 2026-03-03"]


def test_a_hole_that_closes_is_forgotten(scene: Scene, sandbox: Sandbox) -> None:
    """When the venue has the hours after all, the next repair stores them and the sensor rests."""
    sandbox.order(OUTAGE)
    scene.run(FIRST, TODAY)
    sandbox.clear_faults()
    scene.now = NOW + timedelta(minutes=6)
    scene.tick()
    _carry_out(scene)

    scene.now = NOW + timedelta(minutes=30)

    assert "nothing is missing" in str(scene.tick().skip_message)
    assert scene.execute("select count(*) from warehouse.ohlc") == [(4 * 24 + 12,)]


def test_what_just_became_due_is_left_to_the_schedule(scene: Scene) -> None:
    """A slot that the next tick of a schedule brings anyway is not a gap yet."""
    scene.run(FIRST, TODAY)
    scene.now = NOW.replace(hour=13, minute=5)
    early = scene.tick()
    scene.now = NOW.replace(hour=13, minute=15)

    assert (_today_asked(early), _today_asked(scene.tick())) == ([], ["2026-03-05"])


def test_every_tick_says_what_it_saw(scene: Scene) -> None:
    """The cursor on the sensor's page holds the time and the outcome, launched or not."""
    launched, waiting = scene.tick(), scene.tick()

    seen = json.loads(str(launched.cursor))
    assert re.fullmatch(
        r"launched today \(2026-03-05\) and backfill \w+ of 2026-03-01 to 2026-03-04, attempt 1",
        seen.pop("did"),
    )
    assert seen == {
        "at": "2026-03-05T12:07:30Z",
        "days_to_repair": 5,
        "newest_day": "2026-03-05",
        "oldest_day": "2026-03-01",
    }
    assert json.loads(str(waiting.cursor))["did"] == "launched today (2026-03-05)"


def test_requests_bear_no_run_key(scene: Scene) -> None:
    """Dagster runs a key once, ever; a hole may have to be asked for again."""
    (request,) = scene.tick().run_requests or []

    assert request.run_key is None


def test_a_thousand_series_for_a_year_are_looked_through_in_a_moment(
    make_scene: MakeScene, record_property: Callable[[str, object], None]
) -> None:
    """The ledger's index finds the holes: what is whole costs a tick nothing."""
    names = [f"X{number:03}-USDT" for number in range(1000)]
    scene = make_scene(*names, since=TODAY - 365 * DAY)
    scene.line.register(scene.now)
    scene.execute("update warehouse.coverage set present = expected where day < '2026-03-05'")
    scene.execute(
        "update warehouse.coverage set present = '{}'"
        " where series_id % 100 = 0 and day in ('2025-09-01', '2026-02-03', '2026-02-11')"
    )
    scene.execute("vacuum analyze warehouse.coverage")

    began = time.perf_counter()
    tick = scene.tick()
    seconds = time.perf_counter() - began

    record_property("seconds", round(seconds, 2))
    assert seconds < 5
    assert _today_asked(tick) == ["2026-03-05"]
    assert list(_backfills(scene)) == ["2026-02-03 to 2026-02-11"]
