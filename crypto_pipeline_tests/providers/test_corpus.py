"""Recorded replies: each that belongs to a provider of ours becomes the values it holds, or its error."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.providers.parsing import Row
from crypto_pipeline_tests.providers.corpus import PROVING, Claim, claims
from crypto_pipeline_tests.providers.corpus_report import main

CLAIMED = 36
"""Recordings that a provider of ours parses; more is better, fewer is a parser that was lost."""
LISTS = ("ohlc", "instruments", "news")
LEFT_OUT = {"kraken/AssetPairs.json": 11}
"""Entries that are no instruments: Kraken's dark pools (``.d``), which tell no prices."""


@pytest.fixture(scope="module")
def found(corpus: Path) -> Sequence[Claim]:
    """What became of every recording."""
    return list(claims(corpus))


def test_every_recording_is_accounted_for(corpus: Path, found: Sequence[Claim]) -> None:
    """None is passed over in silence: a provider of ours parses it, or it says why none does."""
    lines = (corpus / "PROVENANCE.tsv").read_text(encoding="utf-8").splitlines()
    proving = [line.split("\t")[0] for line in lines if line.split("\t")[7] in PROVING]

    assert proving == [one.file for one in found]
    assert [] == [one.file for one in found if not one.provider and not one.why]
    assert sum(bool(one.provider) for one in found) >= CLAIMED


def test_answers_become_rows(found: Sequence[Claim]) -> None:
    """No recorded answer is an error to us."""
    assert [] == [
        (one.file, one.became) for one in found if one.provider and one.error and not one.is_error
    ]


def test_errors_become_errors(found: Sequence[Claim]) -> None:
    """No recorded error is an answer to us, whatever its status says."""
    errors = [one for one in found if one.is_error]

    assert [] == [one.file for one in errors if not isinstance(one.error, ProviderError)]
    assert errors


def test_every_number_in_a_row_was_recorded(found: Sequence[Claim]) -> None:
    """Nothing is rounded, scaled or made up: whatever a row holds is printed in the recording."""
    assert {} == {one.file: one.strange for one in found if one.strange}


def test_every_entry_of_a_list_is_a_row(found: Sequence[Claim]) -> None:
    """Candles, instruments and articles: as many come out as went in."""
    lists = [one for one in found if one.dataset in LISTS and not one.error]

    assert {one.file: len(one.entries) - LEFT_OUT.get(one.file, 0) for one in lists} == {
        one.file: len(one.rows) for one in lists
    }


def test_every_candle_is_made_of_one_entry(found: Sequence[Claim]) -> None:
    """Its numbers, and its time in seconds or milliseconds, stand together in one entry."""
    candles = [one for one in found if one.dataset == "ohlc" and not one.error]
    wrong = {
        one.file: [row for row in one.rows if not _stands_in(one.entries, row)] for one in candles
    }

    assert wrong
    assert [] == [file for file, rows in wrong.items() if rows]


def _stands_in(entries: Sequence[frozenset[Decimal]], row: Row) -> bool:
    opened = row["open_time"]
    assert isinstance(opened, datetime)
    seconds = Decimal(round(opened.timestamp()))
    numbers = {one for one in row.values() if isinstance(one, Decimal)}
    return any(
        numbers <= entry and not {seconds, seconds * 1000}.isdisjoint(entry) for entry in entries
    )


def test_report_lists_file_by_file(
    corpus: Path, found: Sequence[Claim], capsys: pytest.CaptureFixture[str]
) -> None:
    """A person reads what became of each recording, and how many nobody of ours parses."""
    assert main(corpus) == 0
    told = capsys.readouterr().out
    unclaimed = sum(not one.provider for one in found)

    assert [] == [one.file for one in found if one.file not in told]
    assert f"{len(found)} recordings: " in told
    assert told.endswith(f" {unclaimed} of no endpoint of ours\n")
