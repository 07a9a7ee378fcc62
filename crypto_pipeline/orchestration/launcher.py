"""A run launcher that can tell whether a run's process is still alive.

Dagster's own launcher cannot: after a kill -9 of everything its runs would stay STARTED for ever,
hold their places in the queue, and never be tried again.
"""

import os
import socket
from contextlib import suppress

import dagster as dg
import psutil
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.dagster_run import DagsterRun
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

PROCESS_TAG = "crypto_pipeline/process"
"""On a run that works in the process that made it: host, process id, and when that was born."""


def process_tag() -> dict[str, str]:
    """The tag that names this very process."""
    me = psutil.Process()
    return {PROCESS_TAG: f"{socket.gethostname()} {os.getpid()} {me.create_time():.0f}"}


class WatchedRunLauncher(dg.DefaultRunLauncher):
    """Asks the code server that launched a run, or looks for the process that made it."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does: run monitoring may ask."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """RUNNING while the run's process lives, as far as can be told from here."""
        if PROCESS_TAG in run.tags:
            return _judged(process_lives(run.tags[PROCESS_TAG]))
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return _judged(is_alive=True)
        request = CanCancelExecutionRequest(run_id=run.run_id)
        try:
            answer = client.can_cancel_execution(request, timeout=10)
        except DagsterUserCodeUnreachableError:
            return _judged(is_alive=False)
        return _judged(deserialize_value(answer, CanCancelExecutionResult).can_cancel)


def process_lives(tag: str) -> bool:
    """Whether the process of a tag lives; one on another machine is taken to."""
    host, pid, born = tag.rsplit(" ", 2)
    if host != socket.gethostname():
        return True
    with suppress(psutil.NoSuchProcess):
        return abs(psutil.Process(int(pid)).create_time() - int(born)) <= 1
    return False


def _judged(is_alive: bool) -> CheckRunHealthResult:
    if is_alive:
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    return CheckRunHealthResult(WorkerStatus.FAILED, "the run's process is gone")
