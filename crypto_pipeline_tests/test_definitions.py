"""What Dagster loads, compared with a list that is kept beside this test: a change of it is seen."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from crypto_pipeline.cli.dagster_home import dagster_environment
from crypto_pipeline.definitions import definitions, open_pipeline
from crypto_pipeline.settings import load_settings
from crypto_pipeline_tests.conftest import REPOSITORY

EXPECTED = Path(__file__).with_name("definitions.txt")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: dbt reads its models once and not for each of them."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def environment(settings_environment: dict[str, str], data_dir: Path) -> dict[str, str]:
    """The settings of a person who keeps everything since the first of March."""
    mine = {"CRYPTO_PIPELINE_SINCE": "2026-03-01", "CRYPTO_PIPELINE_DATA_DIR": str(data_dir)}
    return settings_environment | mine


@pytest.fixture
def repository(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> dg.RepositoryDefinition:
    """What the front door gives with these settings."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return definitions().get_repository_def()


def test_definitions_are_the_listed_ones(repository: dg.RepositoryDefinition) -> None:
    """Whoever adds, drops or changes an asset, check, job, schedule or sensor says so in the list."""
    told = [*_assets(repository), *_checks(repository), *_jobs(repository), *_ticks(repository)]

    assert told == EXPECTED.read_text(encoding="utf-8").splitlines()


def test_the_table_is_described_on_the_page(repository: dg.RepositoryDefinition) -> None:
    """The asset names its view in Postgres, and its columns with types and units."""
    metadata = repository.asset_graph.get(dg.AssetKey("ohlc")).metadata

    schema = metadata["dagster/column_schema"]
    assert metadata["dagster/table_name"] == "market.ohlc"
    assert [column.name for column in schema.columns][:2] == ["open_time", "open"]
    assert all(column.description for column in schema.columns)


@pytest.mark.usefixtures("repository")
def test_runs_get_the_line_that_the_settings_describe() -> None:
    """Two instruments, the sandbox as their only host, eleven minutes of patience."""
    pipeline = open_pipeline()

    assert [one.name for one in pipeline.line.series] == [
        "binance/BTC-USDT/1m",
        "binance/ETH-USDT/1m",
    ]
    assert len(pipeline.line.provider("binance").hosts) == 1
    assert pipeline.late_after.total_seconds() == 660


def test_the_workspace_loads_with_dagsters_own_command(environment: dict[str, str]) -> None:
    """Who knows Dagster starts it without our command line."""
    settings = load_settings(environment)
    command = (sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml")
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment | dagster_environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "All code locations passed validation" in done.stderr + done.stdout


def _assets(repository: dg.RepositoryDefinition) -> Iterator[str]:
    graph = repository.asset_graph
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        one_run = node.backfill_policy == dg.BackfillPolicy.single_run()
        partitions = f"{node.partitions_def}, " if node.partitions_def else "no partitions, "
        yield (
            f"asset {key.to_user_string()}: group {node.group_name}, {partitions}"
            f"{'one run a range' if one_run else 'a run for each partition'}"
        )


def _checks(repository: dg.RepositoryDefinition) -> Iterator[str]:
    graph = repository.asset_graph
    for check in sorted(graph.asset_check_keys, key=str):
        node = graph.get(check)
        yield (
            f"check {check.to_user_string()}: {'blocking' if node.blocking else 'not blocking'}, "
            f"{'for each partition' if node.partitions_def else 'as a whole'}"
        )


def _jobs(repository: dg.RepositoryDefinition) -> Iterator[str]:
    for job in sorted(repository.get_all_jobs(), key=lambda one: one.name):
        yield f"job {job.name}: {job.executor_def.name}, {', '.join(sorted(job.graph.node_dict))}"


def _ticks(repository: dg.RepositoryDefinition) -> Iterator[str]:
    for schedule in sorted(repository.schedule_defs, key=lambda one: one.name):
        yield (
            f"schedule {schedule.name}: {schedule.cron_schedule} {schedule.execution_timezone}, "
            f"{schedule.job_name}, {schedule.default_status.value}"
        )
    for sensor in sorted(repository.sensor_defs, key=lambda one: one.name):
        yield (
            f"sensor {sensor.name}: every {sensor.minimum_interval_seconds} s, "
            f"{sensor.asset_selection}, {sensor.default_status.value}"
        )
