"""The bulk files that were read, or could not be, each in the issue that the listing told of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.spans import window_of
from crypto_pipeline.warehouse.statements import statements


@dataclass(frozen=True, slots=True)
class FileIssue:
    """One issue of a file of a series; ``window`` is the month or day it is of."""

    series: str
    provider: str
    path: str
    etag: str
    window: Window
    modified_at: datetime
    size: int


class IssueKey(NamedTuple):
    """What tells issues apart."""

    series: str
    path: str
    etag: str


class ReadFile(NamedTuple):
    """An issue of a file that was read."""

    series: str
    path: str
    window: Window
    etag: str


def note_read(
    connection: Connection,
    dataset: Dataset,
    issue: FileIssue,
    sha256: str,
    rows: int,
    now: datetime,
) -> None:
    """Take note that a file's rows are stored, in the transaction that stores them.

    ``rows`` are how many were taken from it.
    """
    told = {"sha256": sha256, "row_count": rows, "read_at": now, "failed_at": None, "error": None}
    _note(connection, dataset, issue, told)


def note_failed(
    database: Database, dataset: Dataset, issue: FileIssue, error: str, now: datetime
) -> None:
    """Take note that a file could not be read."""
    told = {"sha256": None, "row_count": None, "read_at": None, "failed_at": now, "error": error}
    with database.connect() as connection:
        _note(connection, dataset, issue, told)


def failed_since(database: Database, dataset: Dataset, since: datetime) -> set[IssueKey]:
    """The issues that could not be read since an instant, and were not read after that."""
    parameters = {"dataset": dataset.name, "since": since}
    with database.connect() as connection:
        rows = connection.execute(statements("archive_files")["failed_since"], parameters)
        return {IssueKey(*map(str, row)) for row in rows}


def read_files(database: Database, dataset: Dataset) -> list[ReadFile]:
    """Every issue of a file of the active series that was read, oldest windows first."""
    with database.connect() as connection:
        rows = connection.execute(
            statements("archive_files")["read_files"], {"dataset": dataset.name}
        )
        return [
            ReadFile(str(name), str(path), window_of(slots), str(etag))
            for name, path, slots, etag in rows
        ]


def _note(
    connection: Connection, dataset: Dataset, issue: FileIssue, told: Mapping[str, object]
) -> None:
    parameters = {
        "dataset": dataset.name,
        "series": issue.series,
        "provider": issue.provider,
        "path": issue.path,
        "etag": issue.etag,
        "start": issue.window.start,
        "end": issue.window.end,
        "modified_at": issue.modified_at,
        "size": issue.size,
        **told,
    }
    connection.execute(statements("archive_files")["note"], parameters)
