"""What the repository's dagster.yaml makes of the instance."""

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_postgres.run_storage import PostgresRunStorage

from crypto_pipeline.orchestration.backfills import DATASET
from crypto_pipeline_tests.orchestration.scene import Scene


def test_crashed_runs_are_retried_and_failed_ones_are_not(instance: dg.DagsterInstance) -> None:
    """A run whose process died starts again; a run that failed by its own logic would fail again."""
    assert instance.run_retries_enabled
    assert instance.get_settings("run_retries") == {
        "enabled": True,
        "max_retries": 2,
        "retry_on_asset_or_op_failure": False,
    }


def test_runs_are_monitored(instance: dg.DagsterInstance) -> None:
    """A run that does not start is noticed after two minutes."""
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_start_timeout_seconds == 120


def test_nothing_is_told_to_anybody(instance: dg.DagsterInstance) -> None:
    """Telemetry and its first-start dialogue are off."""
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled


def test_queued_runs_wait_a_second_at_most(instance: dg.DagsterInstance) -> None:
    """A scheduled run is taken from the queue at the next second, six at a time."""
    coordinator = instance.run_coordinator

    assert isinstance(coordinator, QueuedRunCoordinator)
    config = coordinator.get_run_queue_config()
    assert (coordinator.dequeue_interval_seconds, config.max_concurrent_runs) == (1, 6)


def test_backfills_leave_room_for_ticks(instance: dg.DagsterInstance) -> None:
    """Three of the six places are never a backfill's, and no dataset takes two of the others."""
    coordinator = instance.run_coordinator

    assert isinstance(coordinator, QueuedRunCoordinator)
    assert [
        {"key": "dagster/backfill", "limit": 3},
        {"key": DATASET, "value": {"applyLimitPerUniqueValue": True}, "limit": 1},
    ] == [*coordinator.get_run_queue_config().tag_concurrency_limits]


def test_storage_is_a_schema_beside_the_warehouse(scene: Scene) -> None:
    """Dagster's tables are in schema ``dagster`` of the same database, and nowhere else."""
    assert isinstance(scene.instance.run_storage, PostgresRunStorage)
    tables = "select distinct table_schema from information_schema.tables where table_name"
    assert scene.execute(f"{tables} in ('runs', 'event_logs', 'alembic_version')") == [
        ("dagster",),
        ("warehouse",),
    ]
    assert scene.execute(f"{tables} = 'runs'") == [("dagster",)]


def test_runs_execute_in_their_own_process_alone(scene: Scene) -> None:
    """No second process for each step: that costs more than the steps."""
    jobs = [scene.definitions.resolve_job_def(name) for name in ("collect_live", "__ASSET_JOB")]

    assert [job.executor_def.name for job in jobs] == ["in_process", "in_process"]
