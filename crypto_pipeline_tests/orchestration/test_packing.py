"""Packing as an asset: it follows the setting, and tells what it packed and saved."""

from dataclasses import replace
from typing import Any

import dagster as dg
import pytest

from crypto_pipeline.orchestration.packing import packed_months
from crypto_pipeline_tests.orchestration.scene import TODAY, Scene


def _materialized(scene: Scene, months: int) -> dict[str, Any]:
    pipeline = replace(scene.pipeline(), pack_after_months=months)
    result = dg.materialize(
        [packed_months()], instance=scene.instance, resources={"pipeline": pipeline}
    )
    (one,) = result.asset_materializations_for_node("packed_months")
    return {name: value.value for name, value in one.metadata.items()}


@pytest.mark.parametrize(("months", "before"), [(1, "2026-02-01"), (13, "2025-02-01")])
def test_only_old_months_are_packed(scene: Scene, months: int, before: str) -> None:
    """In March the month that runs and those that are not old enough stay as they are."""
    scene.run(TODAY)
    told = _materialized(scene, months)

    assert (before, 0) == (told["before"], told["candles"])
    assert told["bytes_before"] == told["bytes_after"]


def test_old_candles_are_packed_and_counted(scene: Scene) -> None:
    """Months that ended before are packed, and the page shows how many candles and bytes."""
    scene.run(TODAY)
    count = scene.execute("select count(*) from market.ohlc")
    scene.now = scene.now.replace(month=5)
    told = _materialized(scene, 1)

    assert (count, count) == (
        [(told["candles"],)],
        scene.execute("select count(*) from market.ohlc"),
    )
    assert told["bytes_after"] > 0


def test_nothing_is_packed_when_the_setting_says_never(scene: Scene) -> None:
    """0 months is never."""
    assert {"candles": 0, "setting": "never"} == _materialized(scene, 0)
