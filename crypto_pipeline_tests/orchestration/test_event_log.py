"""Dagster's event log in batches: it holds what it would hold if each event were stored alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, event

from crypto_pipeline_tests.orchestration.conftest import MakeScene
from crypto_pipeline_tests.orchestration.scene import OHLC, SINCE, Scene, at_once

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 4)
CHECKS = """
    select check_name, partition, execution_status, evaluation_event_storage_id in (
        select id from dagster.event_logs where run_id = '{run_id}'
    ), (
        select log.partition from dagster.event_logs as log
        where log.id = materialization_event_storage_id and log.run_id = '{run_id}'
    )
    from dagster.asset_check_executions where run_id = '{run_id}' order by 1, 2
"""
EVENTS = """
    select dagster_event_type, step_key, asset_key, partition, count(*)
    from dagster.event_logs where run_id = '{run_id}' and dagster_event_type like 'ASSET%'
    group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""


@contextmanager
def _statements() -> Iterator[list[str]]:
    """Every statement that Dagster's storage sends meanwhile."""
    sent: list[str] = []

    def note(*about: Any) -> None:
        sent.append(about[2])

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


def _seen(scene: Scene, run_id: str) -> dict[str, Any]:
    """What a run left behind: its events, what its checks said of which day, its asset's newest."""
    (record,) = scene.instance.get_asset_records([OHLC])
    newest = record.asset_entry.last_materialization
    return {
        "events": scene.execute(EVENTS.format(run_id=run_id)),
        "checks": scene.execute(CHECKS.format(run_id=run_id)),
        "is_newest": record.asset_entry.last_run_id == run_id,
        "newest_day": newest and newest.get_dagster_event().partition,
    }


def test_batches_leave_what_single_events_leave(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each day's plan, materialization and evaluation, with one row for what its check says."""
    scene.run(SINCE)
    batched = _seen(scene, scene.run(FIRST, LAST).run_id)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "0")
    alone = _seen(scene, scene.run(FIRST, LAST).run_id)

    assert alone == batched
    complete = [row for row in batched["checks"] if row[0] == "complete" and row[1]]
    days = ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert [("complete", day, "SUCCEEDED", True, day) for day in days] == complete
    assert (True, "2026-03-04") == (batched["is_newest"], batched["newest_day"])


def test_longer_range_costs_no_more_statements(make_scene: MakeScene) -> None:
    """A year's bookkeeping is a few seconds: nothing is asked or told day by day."""
    scene = make_scene(since=date(2026, 1, 1))
    scene.run(SINCE)
    with _statements() as of_two:
        scene.run(date(2026, 3, 1), date(2026, 3, 2))
    with _statements() as of_sixty:
        scene.run(date(2026, 1, 1), date(2026, 3, 1))

    assert len(of_sixty) <= len(of_two)


def test_failed_run_has_told_of_its_plan(scene: Scene) -> None:
    """The days that it was to bring, none that it brought; its checks are planned for ever."""
    silent = replace(scene.line.providers["binance"], base_url="http://127.0.0.1:9")
    scene.line = replace(scene.line, providers={"binance": silent}, sleep=at_once)

    result = scene.run(FIRST, LAST)

    assert not result.success
    told = {
        (kind, partition): count
        for kind, _, asset, partition, count in scene.execute(EVENTS.format(run_id=result.run_id))
        if asset
    }
    days = ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert {("ASSET_MATERIALIZATION_PLANNED", day): 1 for day in days} == told
    states = {row[2] for row in scene.execute(CHECKS.format(run_id=result.run_id))}
    assert states == {"PLANNED"}


def test_batch_that_fails_leaves_nothing(scene: Scene) -> None:
    """Dagster then stores its events one by one; none may be there twice."""
    run_id = scene.run(FIRST, LAST).run_id
    planned = scene.instance.all_logs(
        run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    )
    broken = planned[0]._replace(run_id="a run of\0nobody")
    before = scene.execute("select count(*) from dagster.event_logs")

    with pytest.raises(ValueError, match="NUL"):
        scene.instance.event_log_storage.store_event_batch([*planned, broken])

    assert scene.execute("select count(*) from dagster.event_logs") == before
