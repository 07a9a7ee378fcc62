"""The asset checks: what they say, how gravely, and where Dagster keeps it."""

from datetime import UTC, date, datetime

import dagster as dg
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Status,
)

from crypto_pipeline.orchestration.partitions import daily, range_tags
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.orchestration.conftest import MakeScene
from crypto_pipeline_tests.orchestration.scene import OHLC, SINCE, TODAY, Scene, evaluations

FIRST, SECOND, THIRD, FOURTH = (date(2026, 3, day) for day in (1, 2, 3, 4))
COMPLETE = dg.AssetCheckKey(OHLC, "complete")
OUTAGE = "outage:BTCUSDT:2026-03-03T05:00Z/2026-03-03T08:00Z"
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def _by_day(scene: Scene) -> dict[str | None, tuple[Status, bool]]:
    """What the page shows for each day: the check's status, and whether it is of the newest rows."""
    infos = scene.instance.event_log_storage.get_asset_check_partition_info([COMPLETE])
    return {info.partition_key: (info.latest_execution_status, info.is_current) for info in infos}


def test_one_day_run_records_every_check(scene: Scene) -> None:
    """All four are evaluated in the run that fetched, and ``complete`` belongs to the day."""
    result = scene.run(FOURTH)

    found = {
        (*one.asset_key.path, one.check_name, one.partition)
        for one in result.get_asset_check_evaluations()
    }
    assert found == {
        ("ohlc", "complete", "2026-03-04"),
        ("ohlc", "fresh", None),
        ("ohlc", "no_unexplained_gaps", None),
        ("ohlc", "rows_are_valid", None),
    }
    assert _by_day(scene) == {"2026-03-04": (Status.SUCCEEDED, True)}


def test_range_run_judges_each_day_and_the_whole(scene: Scene, sandbox: Sandbox) -> None:
    """An outage on one day fails this day and the range, and no other day."""
    sandbox.order(OUTAGE)

    result = scene.run(SECOND, FOURTH)

    assert result.success
    assert {day: one.passed for day, one in evaluations(result, "complete").items()} == {
        "2026-03-02": True,
        "2026-03-03": False,
        "2026-03-04": True,
        None: False,
    }
    failed = evaluations(result, "complete")["2026-03-03"]
    assert failed.severity == ERROR
    assert failed.description == (
        "21 of 24 slots are there or explained; missing in binance/BTC-USDT/1h 2026-03-03: 3"
    )


def test_range_run_colours_each_day_on_the_page(scene: Scene, sandbox: Sandbox) -> None:
    """Each evaluation points at its day's newest materialization; without that the page shows none."""
    sandbox.order(OUTAGE)

    scene.run(SECOND, FOURTH)

    days = {day: status for day, status in _by_day(scene).items() if day}
    assert days == {
        "2026-03-02": (Status.SUCCEEDED, True),
        "2026-03-03": (Status.FAILED, True),
        "2026-03-04": (Status.SUCCEEDED, True),
    }


def test_range_of_one_day_judges_the_day(scene: Scene) -> None:
    """A backfill of one day is a range too: its day has an answer, and is not shown as skipped."""
    scene.run(THIRD, THIRD)

    assert _by_day(scene)["2026-03-03"] == (Status.SUCCEEDED, True)


def test_checks_alone_judge_what_earlier_runs_filled(make_scene: MakeScene) -> None:
    """Each day's evaluation points at the run that materialized the day, whichever that was."""
    alone = dg.define_asset_job("judge", dg.AssetSelection.checks(COMPLETE))
    scene = make_scene(extra=dg.Definitions(jobs=[alone]))
    first, second = scene.run(SECOND), scene.run(THIRD)

    judged = scene.definitions.resolve_job_def("judge").execute_in_process(
        instance=scene.instance, tags=range_tags(FIRST, THIRD)
    )

    targets = {
        day: one.target_materialization_data and one.target_materialization_data.run_id
        for day, one in evaluations(judged, "complete").items()
        if day
    }
    assert targets == {
        "2026-03-01": None,
        "2026-03-02": first.run_id,
        "2026-03-03": second.run_id,
    }


def test_a_repaired_day_is_judged_anew(scene: Scene, sandbox: Sandbox) -> None:
    """The failure of the range run does not outlive the hole."""
    sandbox.order(OUTAGE)
    scene.run(SECOND, FOURTH)
    sandbox.clear_faults()

    scene.run(THIRD)

    assert _by_day(scene)["2026-03-03"] == (Status.SUCCEEDED, True)


def test_a_broken_row_blocks_what_lies_downstream(make_scene: MakeScene) -> None:
    """``rows_are_valid`` names the row, fails the run, and what depends on the asset does not run."""

    @dg.asset(
        deps=[OHLC],
        partitions_def=daily(SINCE),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def downstream() -> None:
        raise AssertionError

    scene = make_scene(extra=dg.Definitions(assets=[downstream]))
    scene.run(FOURTH)
    scene.execute("update warehouse.ohlc set low = -1 where open_time = '2026-03-04T07:00Z'")

    result = scene.run(FOURTH, only=None)

    verdict = evaluations(result, "rows_are_valid")[None]
    assert (verdict.passed, verdict.severity, verdict.blocking) == (False, ERROR, True)
    assert verdict.description == (
        "binance/BTC-USDT/1h 2026-03-04T07:00:00Z: stored row breaks a promise"
    )
    assert not result.success
    steps = {event.step_key for event in result.all_events if event.is_step_start}
    assert "downstream" not in steps


def test_only_the_days_of_the_run_are_validated(scene: Scene) -> None:
    """A broken row elsewhere does not block today."""
    scene.run(FOURTH)
    scene.execute("update warehouse.ohlc set low = -1 where open_time = '2026-03-04T07:00Z'")

    result = scene.run(TODAY)

    assert evaluations(result, "rows_are_valid")[None].passed


def test_gaps_warn_until_no_provider_can_fill_them(make_scene: MakeScene, sandbox: Sandbox) -> None:
    """What is not fetched yet, or tried again soon, is a warning; what is stuck is an error, and why."""
    scene = make_scene("BTC-USDT", "NIX-USDT")
    sandbox.order(OUTAGE)

    warned = evaluations(scene.run(FOURTH), "no_unexplained_gaps")[None]
    failed = evaluations(scene.run(FIRST, FOURTH), "no_unexplained_gaps")[None]

    assert (warned.passed, failed.passed) == (False, False)
    assert failed.severity == ERROR
    assert "99 were asked for in vain; 96 are stuck: binance/NIX-USDT/1h" in (
        failed.description or ""
    )
    assert "Invalid symbol" in (failed.description or "")


def test_history_that_is_not_fetched_yet_is_a_warning(scene: Scene) -> None:
    """Nobody has asked for it, so nobody is to be woken."""
    verdict = evaluations(scene.run(FOURTH), "no_unexplained_gaps")[None]

    assert (verdict.passed, verdict.severity) == (False, WARN)
    assert verdict.description == "83 slots are missing on 4 series-days"


def test_no_gap_is_left_once_all_is_fetched(scene: Scene) -> None:
    """The check passes when every due slot since the first day is there."""
    verdict = evaluations(scene.run(FIRST, TODAY), "no_unexplained_gaps")[None]

    assert (verdict.passed, verdict.description) == (True, "nothing is missing")


def test_a_late_series_is_named(make_scene: MakeScene, sandbox: Sandbox) -> None:
    """``fresh`` fails for the series that lags, and not for the one that is in time."""
    scene = make_scene("BTC-USDT", "ETH-USDT")
    sandbox.order("outage:ETHUSDT:2026-03-05T10:00Z/2026-03-05T13:00Z")

    verdict = evaluations(scene.run(TODAY), "fresh")[None]

    assert (verdict.passed, verdict.severity) == (False, ERROR)
    assert verdict.description == "binance/ETH-USDT/1h is 2:00:00 behind"
    assert verdict.metadata["late_series"].value == 1


def test_fresh_passes_in_the_run_of_an_old_day(scene: Scene) -> None:
    """Freshness is the dataset's, whichever day a run fills."""
    scene.run(TODAY)

    assert evaluations(scene.run(SECOND), "fresh")[None].passed


def test_what_just_became_due_is_not_yet_missed(make_scene: MakeScene, sandbox: Sandbox) -> None:
    """A slot has a while to come before a check calls it missing."""
    scene = make_scene(now=datetime(2026, 3, 5, 12, 0, 5, tzinfo=UTC))
    sandbox.order("outage:BTCUSDT:2026-03-05T11:00Z/2026-03-05T12:00Z")

    assert evaluations(scene.run(TODAY), "complete")["2026-03-05"].passed
