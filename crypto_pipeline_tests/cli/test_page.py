"""What a person sees: the Dagster page in a headless Chromium."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_pipeline.market.datasets import DATASETS
from crypto_pipeline_tests.cli.running import House, house, wait_for

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 60_000
CHECKS = ("complete", "fresh", "ledger_matches_rows", "no_unexplained_gaps", "rows_are_valid")

if CHROMIUM is None:
    pytest.skip("no Chromium on this machine", allow_module_level=True)

from playwright.sync_api import Page, sync_playwright  # noqa: E402 - only where there is a browser
from playwright.sync_api import TimeoutError as PlaywrightTimeout  # noqa: E402


@pytest.fixture(scope="module")
def filled_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose sensor has backfilled yesterday."""
    with house(tmp_path_factory.mktemp("page")) as one:
        one.start()
        done = "select 1 from dagster.bulk_actions where status = 'COMPLETED_SUCCESS'"
        wait_for(lambda: (1,) in one.query(done), 180, "a backfill that succeeded", pause=2)
        yield one
        one.stop()


@pytest.fixture(scope="module")
def page(filled_house: House) -> Iterator[Page]:
    """A browser window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        window = browser.new_page(
            viewport={"width": 1400, "height": 950}, base_url=filled_house.page
        )
        window.set_default_timeout(SECONDS)
        yield window
        browser.close()


def _shot(page: Page, tmp_path: Path, name: str) -> None:
    page.screenshot(path=tmp_path / f"{name}.png")


def _look_until(page: Page, place: str, text: str) -> None:
    """Open a page until it shows a text: what a tick brings is not always shown without."""
    for _ in range(5):
        page.goto(place)
        try:
            return page.get_by_text(text).first.wait_for(timeout=SECONDS / 2)
        except PlaywrightTimeout:
            continue
    pytest.fail(f"{place} never showed {text!r}")


def test_the_asset_page_says_what_it_is_and_how_it_fares(page: Page, tmp_path: Path) -> None:
    """The asset's page has its description, its columns with units, and its latest partition."""
    page.goto("/assets/ohlc")
    page.get_by_text("Closed candles of spot markets").wait_for()
    page.get_by_text("amount traded, in the base asset").wait_for()
    page.get_by_text("completeness_pct").first.wait_for()
    _shot(page, tmp_path, "asset")

    assert page.get_by_text("repair_ohlc_gaps").count() >= 1


def test_the_catalog_lists_every_dataset(page: Page, tmp_path: Path) -> None:
    """Whoever opens the catalog sees all datasets, each with its partitions."""
    page.set_viewport_size({"width": 1600, "height": 3000})  # rows out of sight are not there
    page.goto("/assets")
    for name in (*DATASETS, "candles_1h"):
        page.get_by_text(name, exact=True).first.wait_for()
    page.get_by_text("partitions").first.wait_for()
    _shot(page, tmp_path, "catalog")

    assert page.get_by_text("Failed").count() == 0


def test_prices_are_held_against_candles(page: Page, tmp_path: Path) -> None:
    """The prices' own check is there with its answer."""
    _look_until(
        page,
        "/assets/market_prices?view=checks&checkDetail=sources_agree",
        "prices agree with candles",
    )
    _shot(page, tmp_path, "prices")

    assert page.get_by_text("sources_agree").count() >= 1


def test_the_checks_page_shows_every_answer(page: Page, tmp_path: Path) -> None:
    """Each check has been evaluated but the audit, whose turn is the night; none fails with history there."""
    page.goto("/assets/ohlc?view=checks")
    for name in CHECKS:
        page.get_by_text(name, exact=True).first.wait_for()
    page.get_by_text("Succeeded").nth(3).wait_for()
    _shot(page, tmp_path, "checks")

    assert page.get_by_text("Skipped").count() == 0


def test_the_backfills_page_shows_who_asked_for_it(page: Page, tmp_path: Path) -> None:
    """The sensor's backfill is a real one: it stands on the Backfills page with its days."""
    page.goto("/runs?view=backfills")
    page.get_by_text("crypto_pipeline/first_day").first.wait_for()
    page.get_by_text("Success").first.wait_for()
    _shot(page, tmp_path, "backfills")

    assert page.get_by_text("repair_ohlc_gaps").count() >= 1


def test_the_automation_page_shows_schedules_and_sensor_on(page: Page, tmp_path: Path) -> None:
    """Nobody has to switch anything on after the first start."""
    page.goto("/automation")
    schedules = ("every_5_minutes", "every_15_minutes", "every_night")
    sensors = (*(f"repair_{name}_gaps" for name in DATASETS), "refresh_marts")
    for name in (*schedules, *sensors):
        page.get_by_text(name).first.wait_for()
    switched_on = page.locator("input[type=checkbox]:checked")
    switched_on.nth(len(schedules + sensors) - 1).wait_for(state="attached")
    _shot(page, tmp_path, "automation")

    assert len(schedules + sensors) == switched_on.count()
