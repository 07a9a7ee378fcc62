"""The marts under Dagster, made by the real dbt of one warehouse: the tests follow each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.windows import midnight
from crypto_pipeline.orchestration.dbt_project import Project, project_in
from crypto_pipeline.providers.binance import BINANCE
from crypto_pipeline.sandbox.server import running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.conftest import _database
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.orchestration.conftest import opened
from crypto_pipeline_tests.orchestration.scene import (
    SINCE,
    TODAY,
    Scene,
    evaluations,
)

FIRST, SECOND, THIRD, FOURTH = (date(2026, 3, day) for day in (1, 2, 3, 4))
DAILY, GAS = dg.AssetKey("candles_1d"), dg.AssetKey("gas_hourly")
IN_RANGE = "prices_of_1d_lie_between_low_and_high"
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(scope="module")
def kept(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Hours of five days that are collected, and no marts yet."""
    home = tmp_path_factory.mktemp("marts")
    with (
        contextmanager(_database)(server_url, template) as database,
        running(SandboxSettings(weight_limit=None)) as sandbox,
        opened(database.url, home) as instance,
    ):
        limits = replace(BINANCE.limits, weight_per_minute=10_000_000)
        venue = replace(BINANCE, base_url=sandbox.base_url(), mirrors=(), limits=limits)
        series = (series_of("BTC-USDT", interval="1h"),)
        line = Line(database, {"binance": venue}, series, midnight(SINCE))
        scene = Scene(line, instance, project=project_in(home))
        scene.run(FIRST, TODAY)
        yield scene


class Daemon:
    """Asks the sensor of the marts, and keeps its cursor."""

    cursor: str | None = None

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def asks(self, later: timedelta = timedelta()) -> SensorExecutionData:
        """The sensor's answer after a while."""
        self.scene.now += later
        tick = self.scene.tick("refresh_marts", self.cursor)
        self.cursor = tick.cursor
        return tick


@pytest.fixture(scope="module")
def daemon(kept: Scene) -> Daemon:
    """One daemon for the whole story."""
    return Daemon(kept)


def _days(tick: SensorExecutionData) -> list[tuple[str | None, str | None]]:
    """The first and last day of each run that is asked for."""
    return [
        (
            request.tags.get(START, request.partition_key),
            request.tags.get(END, request.partition_key),
        )
        for request in tick.run_requests or []
    ]


def _carry_out(scene: Scene, tick: SensorExecutionData) -> dg.ExecuteInProcessResult:
    (request,) = tick.run_requests or []
    job = scene.definitions.resolve_job_def("make_marts")
    part = job.get_subset(asset_selection=set(request.asset_selection or ()))
    return part.execute_in_process(
        instance=scene.instance, tags=request.tags, partition_key=request.partition_key
    )


def _made(done: dg.ExecuteInProcessResult, asset: dg.AssetKey) -> list[str | None]:
    """The days of a mart that a run made."""
    found = done.asset_materializations_for_node("marts")
    return [one.partition for one in found if one.asset_key == asset]


def test_every_model_is_an_asset_with_its_parents_checks_and_columns(kept: Scene) -> None:
    """Days are those of its sources; what a column is, and in which unit, stands on the page."""
    graph = kept.definitions.get_repository_def().asset_graph
    staged, daily = graph.get(dg.AssetKey("stg_ohlc")), graph.get(DAILY)
    columns = daily.metadata["dagster/column_schema"].columns

    assert {dg.AssetKey("ohlc")} == staged.parent_keys
    assert {dg.AssetKey("stg_ohlc")} == daily.parent_keys
    assert ("staging", "marts") == (staged.group_name, daily.group_name)
    assert graph.get(dg.AssetKey("ohlc")).partitions_def == daily.partitions_def
    assert dg.BackfillPolicy.single_run() == daily.backfill_policy
    assert "prices_of_1d_lie_between_low_and_high" in {key.name for key in daily.check_keys}
    assert "marts.candles_1d" == daily.metadata["dagster/table_name"]
    assert ["venue", "instrument", "day"] == [column.name for column in columns[:3]]
    assert all(column.type and column.description for column in columns)


def test_today_is_asked_for_at_once_and_older_days_when_they_are_quiet(daemon: Daemon) -> None:
    """However many days came, they are one run, and only of the marts that read what came."""
    assert [("2026-03-05", "2026-03-05")] == _days(daemon.asks())

    tick = daemon.asks(MINUTE)
    (request,) = tick.run_requests or []

    assert [("2026-03-01", "2026-03-05")] == _days(tick)
    assert DAILY in (request.asset_selection or ())
    assert GAS not in (request.asset_selection or ())


def test_a_range_of_days_is_made_by_one_dbt(daemon: Daemon) -> None:
    """Its days are partitions of every mart, its tests passed, and nothing is left to ask for."""
    scene = daemon.scene
    done = _carry_out(scene, daemon.asks())

    assert [str(day) for day in (FIRST, SECOND, THIRD, FOURTH, TODAY)] == _made(done, DAILY)
    assert [(FIRST, TODAY, 5)] == scene.execute(
        "select min(day), max(day), count(*) from marts.candles_1d"
    )
    assert evaluations(done, IN_RANGE, DAILY)[None].passed
    assert "every mart is made of what its sources hold now" == daemon.asks().skip_message


def test_today_waits_for_its_hour(daemon: Daemon) -> None:
    """Marts at each five minutes' tick would cost more than they tell; the log says when."""
    daemon.scene.run(TODAY)

    assert "today's marts are made at 13:08 UTC" == daemon.asks().skip_message
    assert [("2026-03-05", "2026-03-05")] == _days(daemon.asks(HOUR))


def test_an_old_day_that_was_repaired_flows_to_its_marts(daemon: Daemon) -> None:
    """That day alone, and not while its source is still being filled."""
    scene = daemon.scene
    scene.run(SECOND)
    other = scene.instance.create_run_for_job(
        job_def=scene.definitions.resolve_job_def("collect_live"),
        tags={START: str(FIRST), END: str(FIRST)},
        status=dg.DagsterRunStatus.STARTED,
    )
    busy = daemon.asks(), daemon.asks(2 * MINUTE)
    scene.instance.report_run_canceled(other)

    assert all("ohlc is still being filled" in str(tick.skip_message) for tick in busy)
    assert [("2026-03-02", "2026-03-02")] == _days(daemon.asks())


def test_what_fails_is_told_and_holds_up_nothing_else(daemon: Daemon) -> None:
    """A wrong row is a failed check that names it; a broken mart fails the run in dbt's own words."""
    scene = daemon.scene
    scene.execute(
        "update warehouse.ohlc set close = 10 * high where open_time = '2026-03-03 23:00Z'"
    )
    scene.run(THIRD)
    done = scene.run(THIRD, job="make_marts", only=(dg.AssetKey("stg_gas_prices"), GAS))
    scene.execute("alter table marts.gas_hourly rename column slots to places")
    done = scene.run(THIRD, job="make_marts", only=(DAILY, GAS))
    failure = done.failure_data_for_node("marts")
    check = evaluations(done, IN_RANGE, DAILY)[None]

    assert not done.success
    assert failure is not None
    assert "gas_hourly: " in str(failure)
    assert ["2026-03-03"] == _made(done, DAILY)
    assert (False, dg.AssetCheckSeverity.ERROR) == (check.passed, check.severity)
    assert "| binance | BTC-USDT | 2026-03-03 |" in str(check.metadata["rows"].value)


def test_a_failed_run_is_tried_again_after_a_pause(daemon: Daemon) -> None:
    """The pause begins when the run ended, and the log says until when."""
    assert "making marts failed 1 time in a row; tried again at" in str(daemon.asks().skip_message)


def test_days_that_came_while_dbt_read_them_are_made_again(kept: Scene) -> None:
    """Else their marts would be newer than they, and made of what was there before."""
    asked = []

    class Overtaken(Project):
        """A dbt that makes nothing; while it works for the first time, a day comes anew."""

        def carry_out(self, *told: object) -> Iterator[dict[str, object]]:
            asked.append(told)
            if len(asked) == 1:
                came = dg.AssetMaterialization("ohlc", partition=str(THIRD))
                kept.instance.report_runless_asset_event(came)
            return iter(())

    assert kept.project is not None
    scene = replace(kept, project=Overtaken(kept.project.models, kept.project.state))
    scene.run(THIRD, job="make_marts", only=(DAILY,))

    assert len(asked) == 2


def test_dbt_describes_every_mart_on_a_page(kept: Scene) -> None:
    """One file that any browser opens, with what each column is."""
    assert kept.project is not None
    page = kept.project.write_docs(kept.line.database.client_environment)

    told = page.read_text(encoding="utf-8")
    assert kept.project.state == page.parent
    assert "marts" in told
    assert "Price of the first trade, by time, that is there; quote asset per base asset." in told
