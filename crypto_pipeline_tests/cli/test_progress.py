"""The bar of a backfill, as a pipe shows it: a line at each tenth of the way."""

import re

import pytest

from crypto_pipeline.cli.progress import bar
from crypto_pipeline.ingestion.ingest import Progress


def said(capsys: pytest.CaptureFixture[str], *steps: Progress) -> list[str]:
    """The lines of a bar that is told of some steps."""
    with bar("ohlc") as shown:
        for step in steps:
            shown.update(step)
    return capsys.readouterr().err.splitlines()


def test_each_tenth_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What lies between two of them is not told."""
    lines = said(capsys, *(Progress(done, 40, done * 100) for done in range(1, 41)))

    assert 11 == len(lines)
    assert re.fullmatch(r"ohlc: 40 of 40 requests, 4,000 rows, [\d,]+ rows/s", lines[-1])


def test_files_are_told_in_megabytes(capsys: pytest.CaptureFixture[str]) -> None:
    """How much came of what is to come, and how fast."""
    (line,) = said(capsys, Progress(1, 12, 44_640, bytes_done=2_400_000, bytes_planned=30_000_000))

    assert line.startswith("ohlc: 1 of 12 files and requests, 44,640 rows, ")
    assert re.search(r", 2\.4 of 30\.0 MB, [\d.]+ MB/s$", line)


def test_limit_that_is_waited_for_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever waits sees that it is not the program."""
    limit = "the limit of fapi.binance.com, 2,400 a minute"
    (line,) = said(capsys, Progress(1, 12, 499, limited_by=limit))

    assert line.endswith(f", waiting for {limit}")
