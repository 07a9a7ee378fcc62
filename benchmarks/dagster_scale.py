"""Dagster at scale: what a year's days cost a run beside its rows, and how an asset's page opens after ten.

Ten runs of a year each, of which everything is there already, make the history; then the page is
opened in a headless Chromium. Under three minutes. Run alone with ``python -m benchmarks.dagster_scale``.
"""

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import dagster as dg
from playwright.sync_api import Page, Request, sync_playwright

from benchmarks.table import judge, show
from crypto_pipeline.bootstrap import open_line
from crypto_pipeline.cli.dagster_home import dagster_environment, inherited, workspace
from crypto_pipeline.cli.supervisor import Child, Supervisor
from crypto_pipeline.cli.up import LOOPBACK, answers, free_port, listens, program, wait_until
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.orchestration.build import Timetable, build_definitions
from crypto_pipeline.orchestration.partitions import range_tags
from crypto_pipeline.orchestration.resources import Pipeline
from crypto_pipeline.settings import Settings
from crypto_pipeline.warehouse.migrate import upgrade
from crypto_pipeline.warehouse.server import EmbeddedServer
from crypto_pipeline_tests.cli.test_page import CHROMIUM, FLAGS

NOW = datetime.now(UTC)
TODAY, YEARS, YEAR = NOW.date(), 10, 365
SINCE = TODAY - timedelta(days=YEARS * YEAR)
JOB, ASSET = "collect_everything", dg.AssetKey(OHLC.name)
YEAR_LIMIT = 8.0
PAGE_LIMIT = 1.0
OPENINGS = 6
"""The first one loads the page's scripts too; the others are what a person sees from then on."""
VIEWS: Mapping[str, tuple[str, ...]] = {
    "overview": (str(TODAY), "completeness_pct"),
    "partitions": (f"Materialized ({YEARS * YEAR + 1})", str(TODAY)),
    "checks": ("slots are there or explained",),
    "events": (str(TODAY),),
}
"""What stands on each view when all of it has come."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Seconds until a view was there, and of each question that it asked."""

    seconds: float
    questions: Mapping[str, float]


def main() -> None:
    """Make ten years of days, open their page, and judge both."""
    for kind in (dg.BetaWarning, dg.PreviewWarning):
        warnings.simplefilter("ignore", kind)
    with house() as settings:
        show_years(list(history(settings)))
        with page_of(settings) as page:
            openings = {view: opened(page, view) for view in VIEWS}
    show_openings(openings)


def show_years(years: list[dict[str, float]]) -> None:
    """The first run, the last, and the slowest: where the seconds of each went."""
    slowest = max(years, key=lambda one: one["whole run"])
    rows = [(name, years[0][name], years[-1][name], slowest[name]) for name in slowest]
    title = f"dagster: a range run of {YEAR} days with nothing to fetch, seconds"
    show(title, ("", "first", "last", "slowest"), rows)
    judge("bookkeeping of a year, slowest", slowest["whole run"], YEAR_LIMIT, "s")


def show_openings(openings: Mapping[str, list[Opening]]) -> None:
    """Each view's openings, and the slowest questions of the overview's quickest one."""
    rows = [
        (view, many[0].seconds, *sorted(one.seconds for one in many[1:]))
        for view, many in openings.items()
    ]
    header = ("", "first", "quickest", *("" for _ in range(OPENINGS - 3)), "slowest")
    show(
        f"dagster: the page of {YEARS * YEAR + 1:,} days, seconds until a view is there",
        header,
        rows,
    )
    best = min(openings["overview"][1:], key=lambda one: one.seconds)
    slow = sorted(best.questions.items(), key=lambda one: -one[1])[:5]
    show("dagster: what the overview asks, seconds", ("", ""), slow)
    judge("the asset's page, quickest", best.seconds, PAGE_LIMIT, "s")


@contextmanager
def house() -> Iterator[Settings]:
    """A warehouse whose ledger says that ten years of five series are all there."""
    with TemporaryDirectory() as directory:
        server = EmbeddedServer(Path(directory) / "server", 0)
        try:
            settings = Settings.model_validate(
                {"data_dir": directory, "database_url": server.start(), "since": SINCE}
            )
            line = open_line(settings)
            upgrade(line.database)
            fill_ledger(line)
            os.environ.update(dagster_environment(settings))
            yield settings
        finally:
            server.stop()


def fill_ledger(line: Line) -> None:
    """Everything that is expected is present; no venue need be asked what it lists."""
    line.register(NOW, OHLC)
    with line.database.connect() as connection:
        connection.execute(
            "update warehouse.coverage set present = expected where day <= %s", (TODAY,)
        )
        connection.execute(
            "update warehouse.series set listed_at = since, listing_read_at = %s", (NOW,)
        )
        connection.execute("vacuum analyze warehouse.coverage")


def history(settings: Settings) -> Iterator[dict[str, float]]:
    """A run for each year, and one for today."""
    pipeline = Pipeline(open_line(settings), timedelta(minutes=11), now=lambda: NOW)
    timetable = Timetable(SINCE, "*/5 * * * *", "*/15 * * * *", "40 0 * * *", 30, 366)
    job = build_definitions(timetable, lambda: pipeline).resolve_job_def(JOB)
    checks = {one for one in job.asset_layer.asset_graph.asset_check_keys if one.asset_key == ASSET}
    job = job.get_subset(asset_selection={ASSET}, asset_check_selection=checks)
    with dg.DagsterInstance.get() as instance:
        for number in range(YEARS):
            first = SINCE + timedelta(days=number * YEAR)
            yield run(job, instance, first, first + timedelta(days=YEAR - 1))
        run(job, instance, TODAY, TODAY)


def run(
    job: dg.JobDefinition, instance: dg.DagsterInstance, first: date, last: date
) -> dict[str, float]:
    """Seconds of the whole run, and of its parts."""
    began = perf_counter()
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    done = job.execute_in_process(run_config=quiet, instance=instance, tags=range_tags(first, last))
    whole = perf_counter() - began
    steps: dict[str, float] = {}
    for entry in instance.all_logs(done.run_id):
        if entry.dagster_event_type == dg.DagsterEventType.STEP_START:
            steps[entry.step_key] = -entry.timestamp
        elif entry.dagster_event_type == dg.DagsterEventType.STEP_SUCCESS:
            steps[entry.step_key] += entry.timestamp
    material, complete = steps["ohlc"], steps["ohlc_complete"]
    other_checks = sum(steps.values()) - material - complete
    return {
        "whole run": whole,
        "  materializations and metadata": material,
        "  evaluations of each day": complete,
        "  other checks": other_checks,
        "  plan and the rest": whole - sum(steps.values()),
    }


@contextmanager
def page_of(settings: Settings) -> Iterator[Page]:
    """A browser window at the page of a house, served as ``up`` serves it."""
    supervisor = Supervisor(settings.data_dir / "processes.json")
    try:
        url = serve(settings, supervisor)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            yield browser.new_page(viewport={"width": 1400, "height": 950}, base_url=url)
            browser.close()
    finally:
        supervisor.stop()


def serve(settings: Settings, supervisor: Supervisor) -> str:
    """Start the code server and the webserver; where the page is."""
    prefix, code_port, web_port = "CRYPTO_PIPELINE_", free_port(), free_port()
    environment = inherited(os.environ, settings) | {
        f"{prefix}DATA_DIR": str(settings.data_dir),
        f"{prefix}DATABASE_URL": open_line(settings).database.url,
        f"{prefix}SINCE": str(SINCE),
    }
    file = str(workspace(Path(environment["DAGSTER_HOME"]), LOOPBACK, code_port))

    def child(name: str, port: int, *command: str) -> Child:
        command = (*command, "--host", LOOPBACK, "--port", str(port))
        return Child(name, command, environment, settings.data_dir / f"{name}.log")

    module = ("-m", "crypto_pipeline.definitions", "--location-name", "crypto_pipeline")
    code = child("code", code_port, program("dagster"), "api", "grpc", *module)
    supervisor.start(code)
    wait_until(lambda: listens(LOOPBACK, code_port), code)
    web = child("web", web_port, program("dagster-webserver"), "--workspace", file)
    supervisor.start(web)
    url = f"http://{LOOPBACK}:{web_port}"
    wait_until(lambda: answers(f"{url}/server_info"), web)
    return url


def opened(page: Page, view: str) -> list[Opening]:
    """Open one view of the asset again and again."""
    return [_opened(page, view) for _ in range(OPENINGS)]


def _opened(page: Page, view: str) -> Opening:
    asked: dict[Request, float] = {}
    answered: dict[str, float] = {}

    def on_request(request: Request) -> None:
        if request.url.endswith("/graphql") or "/graphql?" in request.url:
            asked[request] = perf_counter()

    def on_answer(request: Request) -> None:
        if request in asked:
            name = json.loads(request.post_data or "{}").get("operationName", "?")
            answered[name] = perf_counter() - asked[request]

    page.goto("about:blank")
    page.on("request", on_request)
    page.on("requestfinished", on_answer)
    began = perf_counter()
    page.goto(f"/assets/{OHLC.name}?view={view}", wait_until="commit")
    for text in VIEWS[view]:
        page.get_by_text(text).first.wait_for()
    seconds = perf_counter() - began
    page.remove_listener("request", on_request)
    page.remove_listener("requestfinished", on_answer)
    return Opening(seconds, answered)


if __name__ == "__main__":
    main()
