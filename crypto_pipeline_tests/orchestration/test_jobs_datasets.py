"""One tick over every dataset, at a sandbox whose clock is the scene's."""

from collections.abc import Iterator
from dataclasses import replace

import dagster as dg
import pytest

from crypto_pipeline.bootstrap import open_line
from crypto_pipeline.market.datasets import DATASETS, MARKET_PRICES
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.settings import load_settings
from crypto_pipeline_tests.orchestration.scene import (
    NOW,
    TODAY,
    Scene,
    at_once,
    materializations,
)

LITTLE = {
    "SINCE": str(TODAY),
    "OHLC__INSTRUMENTS": "BTC-USDT",
    "OHLC__INTERVAL": "1h",
    "MARKET_PRICES__ASSETS": "bitcoin,ethereum",
    "SENTIMENT__INDICES": "fear_greed",
    "GAS_PRICES__CHAINS": "ethereum",
    "NEWS__PROVIDERS": "rss_decrypt",
}
"""A little of everything, since this morning."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One where it is as late as in the scene."""
    with running(SandboxSettings(weight_limit=None, clock=lambda: NOW)) as one:
        yield one


@pytest.fixture
def scene(settings_environment: dict[str, str], instance: dg.DagsterInstance) -> Scene:
    """What the settings describe, with pauses that pass at once."""
    little = {f"CRYPTO_PIPELINE_{key}": value for key, value in LITTLE.items()}
    line = open_line(load_settings(settings_environment | little))
    return Scene(replace(line, sleep=at_once), instance)


def _tick(scene: Scene, schedule: str, job: str) -> dg.ExecuteInProcessResult:
    """The one run that a schedule asks for now."""
    (request,) = scene.requested(schedule, NOW)
    return scene.run_request(job, request)


def _sources(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Who told what of today, by dataset."""
    found = {name: materializations(result, dg.AssetKey(name)) for name in DATASETS}
    return {name: days[str(TODAY)]["sources"] for name, days in found.items() if days}


def _failed(result: dg.ExecuteInProcessResult) -> list[str]:
    """What the checks have to say against it."""
    return [str(one) for one in result.get_asset_check_evaluations() if not one.passed]


def test_one_tick_brings_all_live_data(scene: Scene) -> None:
    """Candles, prices, index and fees since this morning in one run, whole and fresh; and no news."""
    result = _tick(scene, "every_5_minutes", "collect_live")

    assert result.success
    assert {
        "ohlc": "binance: 12",
        "market_prices": "coingecko: 292",
        "sentiment": "alternative_me: 1",
        "gas_prices": "blockscout: 1, publicnode: 145",
    } == _sources(result)
    assert [] == _failed(result)
    assert [("bitcoin", 146), ("ethereum", 146)] == scene.execute(
        "select asset_id, count(*) from market.market_prices group by 1 order by 1"
    )
    assert [(0,)] == scene.execute("select count(*) from market.news")


def test_slower_tick_brings_news_too(scene: Scene) -> None:
    """Everything in one run, and what the live data already has is there once."""
    before = _sources(_tick(scene, "every_5_minutes", "collect_live"))

    result = _tick(scene, "every_15_minutes", "collect_everything")

    ((articles,),) = scene.execute("select count(*) from market.news where sightings > 0")
    assert result.success
    assert before | {"news": f"rss_decrypt: {articles}"} == _sources(result)
    assert articles > 0
    assert [] == _failed(result)


def test_fourth_provider_is_asked_when_three_are_down(scene: Scene, sandbox: Sandbox) -> None:
    """The run succeeds, nothing is missing, and its metadata names who told it."""
    trusted = [one.name for one in scene.line.trusted[MARKET_PRICES.name]]
    for down in trusted[:3]:
        sandbox.order(f"503:path=/{down}")

    result = _tick(scene, "every_5_minutes", "collect_live")

    assert result.success
    assert f"{trusted[3]}: 292" == _sources(result)[MARKET_PRICES.name]
    assert [] == _failed(result)
