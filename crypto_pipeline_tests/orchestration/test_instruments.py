"""The calendar as an asset: read on demand, with what changed, and a failure that says why."""

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from crypto_pipeline.sandbox.faults import Fault
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.ingestion.archives import with_archive
from crypto_pipeline_tests.orchestration.conftest import MakeScene
from crypto_pipeline_tests.orchestration.scene import TODAY, Scene

INSTRUMENTS = dg.AssetKey("instruments")


def _read(scene: Scene) -> dg.ExecuteInProcessResult:
    """What the Materialize button of the asset does."""
    job = scene.definitions.get_repository_def().get_implicit_job_def_for_assets([INSTRUMENTS])
    assert job is not None
    return job.execute_in_process(
        instance=scene.instance, asset_selection=[INSTRUMENTS], raise_on_error=False
    )


def _metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (one,) = result.asset_materializations_for_node("instruments")
    return {name: value.value for name, value in one.metadata.items()}


def test_the_list_of_a_venue_is_kept_and_counted(scene: Scene) -> None:
    """Every instrument of the venue, and when those that are collected began."""
    metadata = _metadata(_read(scene))

    assert (metadata["dagster/row_count"], metadata["changes"], metadata["series_asked"]) == (
        12,
        0,
        1,
    )
    assert scene.execute(
        "select symbol, status, listed_at from market.instruments where is_collected"
    ) == [("BTCUSDT", "trading", datetime(2017, 8, 17, 4, tzinfo=UTC))]


def test_the_first_run_of_a_dataset_reads_it_and_the_page_shows_so(scene: Scene) -> None:
    """Nobody need wait for the night: a calendar that is missing or a day old is read on the way."""
    scene.run(TODAY)
    scene.run(TODAY)

    records = scene.instance.fetch_materializations(INSTRUMENTS, limit=10).records
    assert len(records) == 1


def test_a_halt_is_a_change(scene: Scene, sandbox: Sandbox) -> None:
    """The next reading says how many, and market.instrument_changes which."""
    _read(scene)
    # The sandbox's clock is the real one.
    sandbox.order("delisted:ETHUSDT:2026-01-01T00:00Z/2099-01-01T00:00Z")

    assert _metadata(_read(scene))["changes"] == 1
    assert scene.execute(
        "select instrument, field, old_value, new_value from market.instrument_changes"
        " where field = 'status'"
    ) == [("ETH-USDT", "status", "trading", "halted")]


def test_a_venue_that_cannot_be_asked_fails_the_run_in_a_sentence(
    scene: Scene, sandbox: Sandbox
) -> None:
    """And what was known stays."""
    _read(scene)
    sandbox.order("451")

    result = _read(scene)

    failure = result.failure_data_for_node("instruments")
    assert failure is not None
    assert failure.user_failure_data is not None
    told = failure.user_failure_data.description or ""
    assert told.startswith("no venue could be asked: binance: binance refuses this address")
    assert scene.execute("select count(*) from market.instruments") == [(12,)]


def test_a_bulk_file_that_was_issued_anew_is_read_again(
    make_scene: MakeScene, sandbox: Sandbox
) -> None:
    """Both issues are noted, and the calendar is read all the same."""
    first, last = date(2026, 2, 1), date(2026, 2, 28)
    scene = make_scene("BTC-USDT", since=first, interval="1m")
    scene.line = with_archive(scene.line, sandbox)
    scene.run(first, last)
    before = scene.execute("select etag from market.archive_files")
    sandbox.order(Fault(kind="reissue", path="/binance_vision"))

    assert 12 == _metadata(_read(scene))["dagster/row_count"]
    after = scene.execute("select etag from market.archive_files where read_at is not null")
    assert (1, 2) == (len(before), len({*after}))
