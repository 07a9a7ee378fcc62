"""Retention as an asset: it follows the settings, says what goes first, and what was dropped."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from crypto_pipeline.orchestration.expiring import expired_months
from crypto_pipeline_tests.orchestration.scene import TODAY, Scene


def _materialized(scene: Scene) -> dict[str, Any]:
    result = dg.materialize(
        [expired_months()], instance=scene.instance, resources={"pipeline": scene.pipeline()}
    )
    (one,) = result.asset_materializations_for_node("expired_months")
    return {name: value.value for name, value in one.metadata.items()}


def test_nothing_expires_without_a_setting(scene: Scene) -> None:
    """What is kept for ever is not even looked at."""
    assert {"months": 0, "rows": 0, "bytes": 0, "dropped": {}, "in_use": {}} == _materialized(scene)


def test_old_month_is_dropped_and_never_repaired(scene: Scene) -> None:
    """In May candles of March are dropped where 32 days are kept; the sensor asks for none of them."""
    scene.run(TODAY)
    scene.line = replace(scene.line, retention={"ohlc": 32})
    scene.now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    scene.run(scene.now.date())
    told = _materialized(scene)

    assert ((1, 12), {"ohlc": ["2026-03"]}) == ((told["months"], told["rows"]), told["dropped"])
    assert [(11,)] == scene.execute("select count(*) from market.ohlc")
    assert [(12,)] == scene.execute("select sum(expired_slots) from market.coverage")
    scene.tick()
    assert [(date(2026, 4, 1),)] == scene.execute(
        "select min(day) from warehouse.coverage where is_incomplete"
    )
