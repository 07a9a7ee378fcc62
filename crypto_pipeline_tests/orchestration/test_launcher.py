"""The launcher tells a run that is at work from one whose process is gone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import dagster as dg
import psutil
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from crypto_pipeline.cli.up import free_port, listens
from crypto_pipeline.orchestration.launcher import PROCESS_TAG, process_tag
from crypto_pipeline_tests.orchestration.scene import Scene

HOST, PID, BORN = process_tag()[PROCESS_TAG].rsplit(" ", 2)


def _health(scene: Scene, tags: dict[str, str]) -> WorkerStatus:
    """What run monitoring hears of a started run with such tags."""
    run = scene.instance.create_run_for_job(
        job_def=scene.definitions.resolve_job_def("collect_live"),
        tags=tags,
        status=dg.DagsterRunStatus.STARTED,
    )
    return scene.instance.run_launcher.check_run_worker_health(run).status


def _served(port: int) -> dict[str, str]:
    """The tag of a run that was launched by a code server."""
    return {GRPC_INFO_TAG: json.dumps({"host": "127.0.0.1", "port": port})}


@pytest.fixture
def code_server(settings_environment: dict[str, str]) -> Iterator[int]:
    """The port of a real code server that has launched nothing."""
    port = free_port()
    module = ("-m", "crypto_pipeline.definitions", "--location-name", "crypto_pipeline")
    command = (sys.executable, "-m", "dagster", "api", "grpc", *module, "--port", str(port))
    with subprocess.Popen(
        command,
        env=settings_environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 60
        while not listens("127.0.0.1", port) and time.monotonic() < deadline:
            time.sleep(0.1)
        yield port
        process.terminate()


def test_monitoring_may_ask(scene: Scene) -> None:
    """Without this Dagster never looks whether a started run is alive."""
    assert scene.instance.run_launcher.supports_check_run_worker_health


def test_this_process_lives(scene: Scene) -> None:
    """A backfill in a terminal is at work as long as its process."""
    assert _health(scene, process_tag()) == WorkerStatus.RUNNING


def test_a_process_that_ended_is_gone(scene: Scene) -> None:
    """Its run has failed, whatever its status says."""
    with subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE) as child:
        born = psutil.Process(child.pid).create_time()

    tag = {PROCESS_TAG: f"{HOST} {child.pid} {born:.0f}"}
    assert _health(scene, tag) == WorkerStatus.FAILED


def test_a_process_id_that_was_given_anew_is_another_process(scene: Scene) -> None:
    """Its birth tells them apart."""
    tag = {PROCESS_TAG: f"{HOST} {os.getpid()} {int(BORN) - 60}"}

    assert _health(scene, tag) == WorkerStatus.FAILED


def test_another_machines_process_is_left_alone(scene: Scene) -> None:
    """Nobody can look at it from here."""
    assert _health(scene, {PROCESS_TAG: f"elsewhere {PID} {BORN}"}) == WorkerStatus.RUNNING


def test_a_run_whose_code_server_is_gone_is_gone(scene: Scene) -> None:
    """Runs are children of their code server."""
    assert _health(scene, _served(free_port())) == WorkerStatus.FAILED


def test_a_code_server_says_which_runs_are_not_its_own(scene: Scene, code_server: int) -> None:
    """After a new start on the same port the runs of the old one are gone."""
    assert _health(scene, _served(code_server)) == WorkerStatus.FAILED


def test_a_run_of_which_nothing_is_known_is_left_alone(scene: Scene) -> None:
    """No evidence, no verdict."""
    assert _health(scene, {}) == WorkerStatus.RUNNING
