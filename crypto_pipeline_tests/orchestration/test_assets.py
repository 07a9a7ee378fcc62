"""The asset under a real Dagster instance: what a run stores, records, and says when it fails."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from crypto_pipeline.ingestion.ingest import Progress
from crypto_pipeline.orchestration.assets import SHOWN, day_metadata, logged
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline.warehouse.ledger import DayCoverage
from crypto_pipeline_tests.orchestration.conftest import MakeScene
from crypto_pipeline_tests.orchestration.scene import (
    OHLC,
    TODAY,
    Scene,
    at_once,
    evaluations,
    materializations,
)

SECOND, THIRD, FOURTH = (date(2026, 3, day) for day in (2, 3, 4))
COUNTS = ("dagster/partition_row_count", "expected", "missing", "explained", "completeness_pct")
STORED = "select instrument, count(*), min(open_time)::date, max(open_time)::date from market.ohlc"


def _counts(metadata: dict[str, Any]) -> list[object]:
    return [metadata[name] for name in COUNTS]


def test_one_day_is_stored_and_described(make_scene: MakeScene) -> None:
    """The rows are in Postgres, and the materialization says how many, whose, and by series."""
    scene = make_scene("BTC-USDT", "ETH-USDT")

    result = scene.run(FOURTH)

    metadata = materializations(result)["2026-03-04"]
    assert _counts(metadata) == [48, 48, 0, 0, 100.0]
    assert metadata["sources"] == "binance: 48"
    assert [record.data for record in metadata["series"].records] == [
        {"series": name, "expected": 24, "present": 24, "explained": 0, "missing": 0}
        for name in ("binance/BTC-USDT/1h", "binance/ETH-USDT/1h")
    ]
    assert scene.execute(f"{STORED} group by 1 order by 1") == [
        ("BTC-USDT", 24, FOURTH, FOURTH),
        ("ETH-USDT", 24, FOURTH, FOURTH),
    ]


def test_today_counts_only_what_is_due(scene: Scene) -> None:
    """At seven past noon twelve hours have closed, and nothing more is expected of the day."""
    result = scene.run(TODAY)

    assert _counts(materializations(result)["2026-03-05"]) == [12, 12, 0, 0, 100.0]


def test_what_becomes_due_during_a_run_is_not_called_missing(make_scene: MakeScene) -> None:
    """A day is described as of the instant at which the run asked for it."""
    scene = make_scene(pace=timedelta(hours=1))

    result = scene.run(TODAY)

    assert _counts(materializations(result)["2026-03-05"]) == [13, 13, 0, 0, 100.0]


def test_second_run_asks_nothing(scene: Scene, sandbox: Sandbox) -> None:
    """What is there is not fetched again, and the day is described as before."""
    first = materializations(scene.run(FOURTH))["2026-03-04"]
    sandbox.clear_requests()

    second = scene.run(FOURTH)

    assert second.success
    assert sandbox.requests() == []
    metadata = materializations(second)["2026-03-04"]
    assert _counts(metadata) == _counts(first)
    assert (metadata["requests"], metadata["rows_new"]) == (0, 0)


def test_refetch_asks_again_and_keeps_what_is_the_same(scene: Scene, sandbox: Sandbox) -> None:
    """A person can have a day fetched anew from the launchpad; equal rows are not written."""
    scene.run(FOURTH)
    sandbox.clear_requests()

    result = scene.run(FOURTH, run_config={"ops": {"ohlc": {"config": {"refetch": True}}}})

    metadata = materializations(result)["2026-03-04"]
    assert len(sandbox.requests()) == 1
    assert [metadata[f"rows_{what}"] for what in ("new", "changed", "rejected")] == [0, 0, 0]


def test_rows_know_the_run_they_came_with(scene: Scene) -> None:
    """From a stored row one finds the Dagster run that fetched it."""
    result = scene.run(FOURTH)

    assert scene.execute("select distinct source, run_id from warehouse.loads") == [
        ("binance", result.run_id)
    ]


def test_range_run_describes_each_day_for_itself(scene: Scene, sandbox: Sandbox) -> None:
    """One run over three days: three materializations, each with the counts of its own day."""
    sandbox.order("outage:BTCUSDT:2026-03-03T05:00Z/2026-03-03T08:00Z")

    result = scene.run(SECOND, FOURTH)

    found = materializations(result)
    assert {day: _counts(metadata)[:3] for day, metadata in found.items()} == {
        "2026-03-02": [24, 24, 0],
        "2026-03-03": [21, 24, 3],
        "2026-03-04": [24, 24, 0],
    }
    assert {metadata["rows_new"] for metadata in found.values()} == {69}


def test_range_run_marks_each_day_as_materialized(scene: Scene) -> None:
    """The page shows the whole range as filled, and nothing beyond it."""
    scene.run(SECOND, FOURTH)

    filled = scene.instance.get_materialized_partitions(OHLC)
    assert filled == {"2026-03-02", "2026-03-03", "2026-03-04"}


def test_progress_is_told_in_the_log(scene: Scene) -> None:
    """Who watches the run sees how far it has come."""
    result = scene.run(FOURTH)

    logs = scene.instance.all_logs(result.run_id)
    assert "1 of 1 requests, 24 rows" in [entry.user_message for entry in logs]


def test_day_of_many_series_shows_those_that_lack_most() -> None:
    """The page reads a hundred days' tables at once: each is short, and the rest is summed up."""
    rows = [DayCoverage(f"series {n:02}", FOURTH, 24, 24 - n % 3, 0, n % 3) for n in range(50)]

    shown = day_metadata(rows, {})["series"].records

    assert [record.data["missing"] for record in shown] == [*(2,) * SHOWN, 49 - 2 * SHOWN]
    assert [record.data["series"] for record in (shown[0], shown[-1])] == [
        "series 02",
        f"{50 - SHOWN} more",
    ]


def test_long_way_is_told_of_every_while() -> None:
    """A run of a year says each tenth of its way, and something every half minute between them."""
    lines: list[str] = []
    seconds = iter([0, 1, 10, 20, 31, 40, 61, 62])
    tell = logged(lines.append, clock=lambda: next(seconds))

    for done in (0, 1, 2, 3, 4, 5, 100):
        tell(Progress(done, 1000, 1000 * done))

    assert lines == [
        "0 of 1000 requests, 0 rows",
        "3 of 1000 requests, 3,000 rows",
        "5 of 1000 requests, 5,000 rows",
        "100 of 1000 requests, 100,000 rows",
    ]


def test_limit_that_is_waited_for_is_told(scene: Scene) -> None:
    """In the log while it is waited for, and in the metadata of the run for how long it was."""
    limits = replace(scene.line.providers["binance"].limits, weight_per_minute=60)
    provider = replace(scene.line.providers["binance"], limits=limits)
    scene.line = replace(scene.line, providers={"binance": provider}, sleep=at_once)

    result = scene.run(FOURTH)

    logs = [entry.user_message for entry in scene.instance.all_logs(result.run_id)]
    (told,) = [line for line in logs if line.startswith("1 of 1 requests, 24 rows; the limit of ")]
    assert told.endswith(", 60 a minute is waited for")
    assert materializations(result)["2026-03-04"]["waited_for_limit_s"] > 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (
            "451",
            "nothing could be fetched: binance: binance refuses this address; it is asked again",
        ),
        ("503", "nothing could be fetched: binance: HTTP 503"),
    ],
)
def test_run_fails_when_no_provider_answers(
    scene: Scene, sandbox: Sandbox, fault: str, reason: str
) -> None:
    """In one sentence, once: asking again is the sensor's business, not the step's."""
    sandbox.order(fault)
    scene.line = replace(scene.line, sleep=at_once)

    result = scene.run(FOURTH)

    assert not result.success
    failure = result.failure_data_for_node("ohlc")
    assert failure is not None
    assert failure.user_failure_data is not None
    told = failure.user_failure_data.description or ""
    assert told.startswith(reason)
    assert "\n" not in told
    assert [event.is_step_up_for_retry for event in result.all_events].count(True) == 0
    assert scene.execute("select count(*) from warehouse.ohlc") == [(0,)]


def test_run_goes_on_with_what_it_could_get(make_scene: MakeScene) -> None:
    """A series that the venue rejects is named in the metadata; the others are stored."""
    scene = make_scene("BTC-USDT", "NIX-USDT")

    result = scene.run(FOURTH)

    assert result.success
    metadata = materializations(result)["2026-03-04"]
    assert _counts(metadata)[:3] == [24, 48, 24]
    assert metadata["failures"].startswith(
        "binance/NIX-USDT/1h: binance rejects NIX-USDT 1h (HTTP 400"
    )


def test_a_rejected_instrument_fails_no_run_but_a_check(make_scene: MakeScene) -> None:
    """A name that the venue does not know must not keep the checks from saying so."""
    result = make_scene("NIX-USDT").run(FOURTH)

    verdict = evaluations(result, "no_unexplained_gaps")[None]
    assert result.success
    assert not verdict.passed
    assert "24 are stuck: binance/NIX-USDT/1h" in (verdict.description or "")


def test_a_provider_that_comes_back_is_asked_by_the_next_run(
    scene: Scene, sandbox: Sandbox
) -> None:
    """A rate limit is waited out within the run."""
    sandbox.order("429:times=1,retry_after=1")

    result = scene.run(FOURTH)

    assert result.success
    # The list of instruments, the first candle, the day itself.
    assert [one.status for one in sandbox.requests()] == [429, 200, 200, 200]
