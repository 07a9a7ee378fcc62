"""The cross-check under Dagster: it looks at the run's own days, and quarantines."""

from datetime import date, timedelta

import dagster as dg
import pytest

from crypto_pipeline.market.datasets import MARKET_PRICES
from crypto_pipeline.orchestration.partitions import range_tags
from crypto_pipeline_tests.orchestration.conftest import MakeScene
from crypto_pipeline_tests.orchestration.scene import Scene, evaluations
from crypto_pipeline_tests.warehouse.pricing import NOON, Exchange

DAY = NOON.date()
PRICES = dg.AssetKey(MARKET_PRICES.name)


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """One with a job for prices alone, of which nobody can be asked for any."""
    alone = dg.define_asset_job("prices", dg.AssetSelection.assets(MARKET_PRICES.name))
    return make_scene(extra=dg.Definitions(jobs=[alone]))


def judge(scene: Scene, first: date, last: date) -> dg.AssetCheckEvaluation:
    """What the check says of a range of days; whatever it says, it fails no run."""
    judged = scene.definitions.resolve_job_def("prices").execute_in_process(
        instance=scene.instance, tags=range_tags(first, last)
    )
    assert judged.success
    assert evaluations(judged, "rows_are_valid", PRICES)[None].passed
    return evaluations(judged, "sources_agree", PRICES)[None]


def test_outlier_is_quarantined_by_the_run_of_its_day(scene: Scene) -> None:
    """A warning that blocks nothing, now or later, with the run that did it; other days see nothing."""
    exchange = Exchange(scene.line.database)
    exchange.venues(["100"])
    exchange.price("150")

    before = judge(scene, DAY - timedelta(days=2), DAY - timedelta(days=1))
    assert (True, 1) == (before.passed, len(exchange.served()))

    verdict = judge(scene, DAY - timedelta(days=1), DAY)
    assert (False, dg.AssetCheckSeverity.WARN, False) == (
        verdict.passed,
        verdict.severity,
        verdict.blocking,
    )
    assert 1 == verdict.metadata["quarantined"].value
    assert [] == exchange.served()
    assert 1 == len(
        scene.execute(
            "select 1 from warehouse.loads where source = 'cross_check' and run_id is not null"
        )
    )
    assert judge(scene, DAY, DAY).passed
    assert 1 == len(scene.execute("select 1 from warehouse.rejected_rows"))


def test_only_prices_have_the_check(scene: Scene) -> None:
    """What no other dataset can be held against is not asked of any."""
    keys = scene.definitions.get_repository_def().asset_graph.asset_check_keys

    assert [MARKET_PRICES.name] == [
        key.asset_key.to_user_string() for key in keys if key.name == "sources_agree"
    ]
