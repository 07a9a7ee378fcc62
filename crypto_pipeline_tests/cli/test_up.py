"""The main job as a person runs it: one start, watched from outside, through death and revival.

The tests of this module share one house and follow each other; a run of one alone starts its own.
"""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from crypto_pipeline_tests.cli.running import REPOSITORY, House, house, told, wait_for

MISSING = (
    "select coalesce(sum(slots), 0) from market.gaps "
    "where gap_start < now() - interval '100 seconds'"
)


@pytest.fixture(scope="module")
def running_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A started house in a path with a space."""
    with house(tmp_path_factory.mktemp("a house with spaces")) as one:
        one.start()
        yield one


def test_the_first_candles_are_there_within_a_minute(running_house: House) -> None:
    """Nobody waits for the next quarter hour: today's candles come right after the start."""
    seconds = wait_for(
        lambda: running_house.query("select count(*) from market.ohlc") != [(0,)], 60, "candles"
    )

    assert seconds < 60


def test_history_follows_by_itself(running_house: House) -> None:
    """The sensor has yesterday filled by a real backfill, until nothing older is missing."""
    wait_for(lambda: running_house.query(MISSING) == [(0,)], 150, "all of history", pause=2)
    backfills = running_house.query("select status from dagster.bulk_actions")

    assert ("COMPLETED_FAILED",) not in backfills
    assert len(backfills) >= 1


def test_a_scheduled_run_succeeds(running_house: House) -> None:
    """The schedule's tick ends in a successful run."""
    wait_for(lambda: running_house.successes("dagster/schedule_name") > 0, 120, "a scheduled run")

    wait_for(
        lambda: told(r"ohlc: (100\.0|99\.9) %", running_house.output), 30, "the terminal to say so"
    )


def test_a_second_start_is_refused_in_one_sentence(running_house: House) -> None:
    """Two starts on one data directory would fight; the second says who is there."""
    assert running_house.process is not None
    second = running_house.refusal("--sandbox")

    assert second.returncode == 3
    assert f"already runs here (process {running_house.process.pid})" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_hole_that_a_dead_daemon_left_is_closed(running_house: House) -> None:
    """Two ticks without a daemon leave a hole; once it is back, the next tick or the sensor fills it."""
    daemon = running_house.child("dagster-daemon")
    daemon.send_signal(signal.SIGSTOP)
    time.sleep(135)
    hole = running_house.query(MISSING)
    daemon.kill()

    assert hole != [(0,)]
    wait_for(lambda: running_house.query(MISSING) == [(0,)], 90, "the hole to close")
    assert "daemon had died" in running_house.output


def test_it_comes_back_after_a_kill_of_everything(running_house: House) -> None:
    """After a kill -9 of every process it starts again, with every committed row and no leftovers."""
    rows = running_house.query("select count(*) from market.ohlc")
    running_house.kill_everything()

    seconds = running_house.start()

    assert seconds < 60
    assert running_house.query("select count(*) from market.ohlc") >= rows
    wait_for(
        lambda: (
            running_house.query(
                "select 1 from dagster.runs where status in ('STARTED', 'STARTING') "
                "and create_timestamp < now() - interval '3 minutes'"
            )
            == []
        ),
        240,
        "runs whose process is gone to be told from those that live",
    )


def test_ctrl_c_stops_all_that_was_started(running_house: House) -> None:
    """After Ctrl-C no process is left, and it ends as something that was asked to."""
    family = running_house.family()

    assert running_house.stop() == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    assert "Stopped." in running_house.output


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    """A port that somebody else has is named, with the setting that moves ours."""
    with house(tmp_path) as one, socket.socket() as taken:
        taken.bind(("127.0.0.1", one.web_port))
        taken.listen()
        refused = one.refusal("--sandbox")

    assert refused.returncode == 3
    assert f"port {one.web_port} on 127.0.0.1 cannot be used" in refused.stderr
    assert "webserver.port" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_the_sandbox_never_writes_into_a_database_of_ones_own(tmp_path: Path) -> None:
    """Invented prices and a person's own database are kept apart."""
    with house(tmp_path) as one:
        one.environment["CRYPTO_PIPELINE_DATABASE_URL"] = "postgresql://a:secret@127.0.0.1:1/b"
        refused = one.refusal("--sandbox")

    assert refused.returncode == 2
    assert "invented prices" in refused.stderr
    assert "secret" not in refused.stderr


def test_an_unreachable_database_is_one_sentence(tmp_path: Path) -> None:
    """A database that does not answer is named without its password."""
    with house(tmp_path) as one:
        one.environment["CRYPTO_PIPELINE_DATABASE_URL"] = "postgresql://a:secret@127.0.0.1:1/b"
        refused = one.refusal()

    assert refused.returncode == 3
    assert "no database at 127.0.0.1:1/b" in refused.stderr
    assert "secret" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_data_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """The setting is named, and what is wrong with it."""
    with house(tmp_path) as one:
        one.environment["CRYPTO_PIPELINE_DATA_DIR"] = "/proc/nowhere"
        refused = one.refusal()

    assert refused.returncode == 3
    assert "data_dir = /proc/nowhere cannot be written to" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_both_front_doors_are_in_the_repository() -> None:
    """``dagster dev -w workspace.yaml`` finds the definitions that ``up`` serves."""
    text = (REPOSITORY / "workspace.yaml").read_text(encoding="utf-8")

    assert "crypto_pipeline.definitions" in text
