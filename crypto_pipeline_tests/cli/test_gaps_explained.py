"""``gaps explained``: the slots that never were, and how that is known."""

from datetime import UTC, datetime

import pytest

from crypto_pipeline.cli.gaps_listing import evidence_of
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.holes import CONFIRM_AFTER, Vain
from crypto_pipeline.market.windows import DAY
from crypto_pipeline.warehouse.gaps import Explanation
from crypto_pipeline_tests.cli.commands import day, run
from crypto_pipeline_tests.warehouse.storing import Warehouse, hours

SEEN = datetime(2026, 11, 20, 10, tzinfo=UTC)


def prove_absent(line: Line) -> None:
    """Have two answers say that the third day's hours 2, 3 and 4 of the first series never were."""
    third = line.since + 2 * DAY
    evidence = {
        "provider": "binance",
        "row_before": hours(1, 2, third).start.isoformat(),
        "row_after": hours(5, 6, third).start.isoformat(),
    }
    absent = Vain("Absent", "no such slots", reason="venue_outage", evidence=evidence)
    for now in (third + DAY, third + DAY + CONFIRM_AFTER):
        Warehouse(line.database, line.series).ask_in_vain(hours(2, 5, third), now, absent)


def test_explained_slots_are_listed_with_their_evidence(filled: dict[str, str], line: Line) -> None:
    """A person reads when, why, how that is known, and when it is put to the test."""
    prove_absent(line)
    third, fourth = day(filled, 2), day(filled, 3)
    done = run(filled, "gaps", "explained")

    assert (0, "") == (done.code, done.err)
    _, row, _, totals = (" ".join(words) for words in done.table)
    assert row == (
        f"binance/BTC-USDT/1h {third} 02:00 {third} 05:00 3 venue_outage {day(filled, 4)} 00:05 "
        f"binance: rows at {third} 01:00 and {third} 05:00 and none between; "
        f"seen 2 times, last {fourth}"
    )
    assert totals == "1 explanation: 3 slots explained in 1 series"
    assert [19, 2, 24] == [
        gap["slots"] for gap in run(filled, "gaps", "--format", "json", "--end", third).data
    ]


def test_programs_get_every_column(filled: dict[str, str], line: Line) -> None:
    """JSON has all of market.explanations, the evidence as an object; a range cuts to its slots."""
    prove_absent(line)
    third, fourth = day(filled, 2), day(filled, 3)
    span = ("--start", f"{third}T02:30:00Z", "--end", f"{third}T04:00:00Z")

    assert [
        {
            "dataset": "ohlc",
            "series": "binance/BTC-USDT/1h",
            "explained_from": f"{third}T03:00:00Z",
            "explained_to": f"{third}T04:00:00Z",
            "slots": 1,
            "reason": "venue_outage",
            "evidence": {
                "provider": "binance",
                "row_before": f"{third}T01:00:00+00:00",
                "row_after": f"{third}T05:00:00+00:00",
            },
            "note": None,
            "confirmations": 2,
            "first_seen_at": f"{fourth}T00:00:00Z",
            "last_seen_at": f"{fourth}T00:05:00Z",
            "recheck_at": f"{day(filled, 4)}T00:05:00Z",
        }
    ] == run(filled, "gaps", "explained", "ohlc", *span, "--format", "json").data
    (row,) = run(filled, "gaps", "explained", "--format", "csv").rows
    assert ("3", "") == (row["slots"], row["note"])


def test_no_explanations_is_a_sentence(filled: dict[str, str]) -> None:
    """Nothing explained is said in words; programs get an empty list."""
    done = run(filled, "gaps", "explained", "ohlc")

    assert (0, "") == (done.code, done.err)
    assert done.out == "No explanations in ohlc: every due slot is there or missing.\n"
    assert [] == run(filled, "gaps", "explained", "--format", "json").data


def test_nothing_collected_says_why_nothing_is_explained(
    settings_environment: dict[str, str],
) -> None:
    """A warehouse that expects nothing has nothing to explain."""
    done = run(settings_environment, "gaps", "explained")

    assert done.out.startswith("Nothing of any dataset has been collected yet")


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (
            {
                "provider": "binance",
                "row_before": "2018-02-08T00:00:00+00:00",
                "row_after": "2018-02-09T08:00:00+00:00",
            },
            (
                "binance: rows at 2018-02-08 00:00 and 2018-02-09 08:00 and none between; "
                "seen 3 times, last 2026-11-20"
            ),
        ),
        (
            {"provider": "kraken", "documented_in": "https://docs.kraken.com"},
            "kraken: keeps no history this old, says https://docs.kraken.com",
        ),
        ({"told_by": "a person"}, "told by a person, 2026-11-20"),
        (
            {"first_candle": "2017-08-17T04:00:00+00:00"},
            "the venue's first candle is 2017-08-17 04:00; read 2026-11-20",
        ),
        (
            {"last_candle_ended": "2022-05-13T00:40:00+00:00"},
            "the venue's last candle ended 2022-05-13 00:40; read 2026-11-20",
        ),
        ({"seen_by": "a satellite", "on": "Mars"}, "seen by a satellite, on Mars"),
        (None, ""),
    ],
)
def test_evidence_is_told_in_words(evidence: dict[str, str] | None, words: str) -> None:
    """Whatever is known, a person can read it; unknown kinds are spelled out."""
    told = Explanation(
        "ohlc", "s", SEEN, SEEN, 1, "venue_outage", evidence, None, 3, SEEN, SEEN, None
    )

    assert words == evidence_of(told)
