"""``gaps explain`` and ``gaps reopen``: a person's word on slots without a row, and its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crypto_pipeline.ingestion.ingest import ingest
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.windows import DAY
from crypto_pipeline.warehouse.calendar import listings, note_listings
from crypto_pipeline_tests.cli.commands import HOURLY, Finished, day, run
from crypto_pipeline_tests.warehouse.storing import Warehouse, hours

BTC = "binance/BTC-USDT/1h"
OUTAGE = ("--reason", "venue_outage", "--note", "the venue said so")
CHANGES = (
    "select change, slots_to - slots_from, reason, note from market.explanation_changes order by 1"
)


def explain(environment: dict[str, str], start: str, end: str, *told: str) -> Finished:
    """Explain slots of the first series."""
    return run(environment, "gaps", "explain", BTC, "--start", start, "--end", end, *told or OUTAGE)


def reopen(environment: dict[str, str], start: str, end: str, *more: str) -> Finished:
    """Reopen slots of the first series."""
    return run(environment, "gaps", "reopen", BTC, "--start", start, "--end", end, *more)


def changes(line: Line) -> list[tuple[Any, ...]]:
    """What was ever explained, and how it ended."""
    return Warehouse(line.database, line.series).select(CHANGES)


def held(environment: dict[str, str]) -> dict[str, int]:
    """What the status says of the first series."""
    data = run(environment, "status", "--format", "json").data
    found: dict[str, int] = data["datasets"][0]["series"][0]
    return found


def test_a_person_explains_what_has_no_row(filled: dict[str, str], line: Line) -> None:
    """It says what was done, the slots are missing no more, and the reason is there to read."""
    third = day(filled, 2)
    ingest(line, hours(2, 4, line.since + 2 * DAY), now=line.since + 3 * DAY)
    began = datetime.now(UTC)
    done = explain(filled, f"{third}T00:00:00Z", f"{third}T05:00:00Z")
    said, _, again = done.out.strip().rpartition("; asked again ")
    found = run(filled, "gaps", "explained", "--format", "json").data

    assert (0, "") == (done.code, done.err)
    assert said == f"explained 3 slots in 2 runs of {BTC} as venue_outage"
    assert abs(datetime.fromisoformat(f"{again}+00:00") - began - DAY) < timedelta(minutes=1)
    assert [(f"{third}T04:00:00Z", 1), (f"{third}T00:00:00Z", 2)] == [
        (one["explained_from"], one["slots"]) for one in found
    ]
    assert {("venue_outage", "the venue said so", "{'told_by': 'a person'}")} == {
        (one["reason"], one["note"], str(one["evidence"])) for one in found
    }
    assert 3 == held(filled)["explained_slots"]
    assert [19, 20, 2] == [
        gap["slots"] for gap in run(filled, "gaps", "--end", third, "--format", "json").data
    ]


def test_days_are_whole_and_only_due_slots_are_explained(
    filled: dict[str, str], line: Line
) -> None:
    """A day as end is in it, a run goes on over midnight, and what is not due yet stays expected."""
    Warehouse(line.database, line.series).ask_in_vain(hours(3, 9, line.since + 2 * DAY))
    missing = held(filled)["missing_slots"]
    done = explain(filled, day(filled, 1), day(filled, 9))
    (one,) = run(filled, "gaps", "explained", "--format", "json").data

    assert f"explained {one['slots']} slots in 1 run of {BTC}" in done.out
    assert one["slots"] in (missing, missing + 1)
    assert f"{day(filled, 2)}T00:00:00Z" == one["explained_from"]


def test_where_every_slot_has_its_row_there_is_nothing_to_explain(
    filled: dict[str, str], line: Line
) -> None:
    """A person's word does not stand against rows: it is wrong use, and changes nothing."""
    before = held(filled)["missing_slots"]
    done = explain(filled, day(filled, 0), day(filled, 1))

    assert (2, "", []) == (done.code, done.out, changes(line))
    assert done.err == (
        f"crypto-pipeline: nothing to explain: no slot that is expected and due of {BTC} between "
        f"{day(filled, 0)} 00:00 and {day(filled, 2)} 00:00 lacks its row\n"
    )
    assert held(filled)["missing_slots"] >= before


@pytest.mark.parametrize("command", ["explain", "reopen"])
@pytest.mark.parametrize(
    ("first", "last", "because"),
    [(-9, -1, "nothing before is expected"), (9, 12, "lies in the future")],
)
def test_days_that_the_ledger_does_not_know_are_wrong_use(
    command: str, first: int, last: int, because: str, filled: dict[str, str]
) -> None:
    """Before the first day kept and in the future nothing can be said of any slot."""
    ask = explain if command == "explain" else reopen
    done = ask(filled, day(filled, first), day(filled, last))

    assert (2, "", 1) == (done.code, done.out, len(done.err.splitlines()))
    assert because in done.err


@pytest.mark.parametrize(
    ("series", "reason", "said"),
    [
        (
            "binance/BTC-USDT/1m",
            "no_trades",
            "did you mean binance/BTC-USDT/1h or binance/ETH-USDT/1h?",
        ),
        (BTC, "lazy_venue", "'venue_outage', 'no_trades', 'not_listed_yet', 'delisted'"),
    ],
)
def test_what_is_not_known_is_answered_with_what_is(
    series: str, reason: str, said: str, filled: dict[str, str]
) -> None:
    """A wrong name or reason is one sentence with the right ones."""
    span = ("--start", day(filled, 0), "--end", day(filled, 2))
    done = run(filled, "gaps", "explain", series, *span, "--reason", reason, "--note", "x")

    assert (2, "", 1) == (done.code, done.out, len(done.err.splitlines()))
    assert said in done.err


def test_reopened_holes_are_asked_for_again(filled: dict[str, str], line: Line) -> None:
    """Explained or waiting, they are plainly missing again, and the history says who ended what."""
    third, now = line.since + 2 * DAY, datetime.now(UTC)
    explain(filled, f"{day(filled, 2)}T00:00:00Z", f"{day(filled, 2)}T02:00:00Z")
    Warehouse(line.database, line.series).ask_in_vain(hours(5, 9, third), now)
    done = reopen(filled, day(filled, 2), day(filled, 2), "--note", "it was not so")
    (gap,) = run(filled, "gaps", "--end", day(filled, 2), "--format", "json").data[:1]

    assert (0, "") == (done.code, done.err)
    assert f"reopened 2 holes of {BTC}; they are asked for again at the next tick\n" == done.out
    assert ("missing", 24, 0) == (gap["state"], gap["slots"], gap["attempts"])
    assert [
        ("explained", 2 * timedelta(hours=1), "venue_outage", "the venue said so"),
        ("reopened", 2 * timedelta(hours=1), "venue_outage", "it was not so"),
    ] == changes(line)


def test_nothing_to_reopen_is_wrong_use(filled: dict[str, str], line: Line) -> None:
    """What is merely missing, or there, is open already."""
    done = reopen(filled, day(filled, 0), day(filled, 2))

    assert (2, "", []) == (done.code, done.out, changes(line))
    assert done.err.startswith("crypto-pipeline: nothing to reopen: ")


@pytest.mark.parametrize("command", ["explain", "reopen"])
def test_the_listing_is_not_a_persons_to_change(
    command: str, line: Line, settings_environment: dict[str, str]
) -> None:
    """Before the first candle and after the last the venue decides; the sentence says so."""
    environment, now = settings_environment | HOURLY, datetime.now(UTC)
    line.register(now)
    (btc, _) = listings(line.database, OHLC)
    first, last = line.since + DAY, line.since + 2 * DAY
    note_listings(line.database, OHLC, [replace(btc, listed_at=first, delisted_at=last)], now)
    ask = explain if command == "explain" else reopen
    before = ask(environment, day(environment, 0), day(environment, 0))
    after = ask(environment, day(environment, 2), day(environment, 2))
    explained = run(environment, "gaps", "explained").out

    assert (2, 2) == (before.code, after.code)
    decides = "the venue's listing decides, and 'instruments' is read daily\n"
    assert before.err.endswith(f"; before {day(environment, 1)} 00:00 (not_listed_yet) {decides}")
    assert after.err.endswith(f"; from {day(environment, 2)} 00:00 on (delisted) {decides}")
    assert f"the venue's first candle is {day(environment, 1)} 00:00; read {now:%F}" in explained
    assert f"the venue's last candle ended {day(environment, 2)} 00:00; read {now:%F}" in explained
