"""What several commands take: a dataset, a span of time; read here, so that all read them alike."""

import re
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from crypto_pipeline.errors import UsageError
from crypto_pipeline.market.datasets import DATASETS, Dataset
from crypto_pipeline.market.windows import DAY, Window, midnight, utc

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Start = Annotated[
    str | None,
    typer.Option(metavar="D", help="From this UTC day (YYYY-MM-DD) or instant (ISO 8601) on."),
]
End = Annotated[
    str | None,
    typer.Option(metavar="D", help="Up to and with this UTC day, or up to this instant."),
]


def dataset_named(name: str) -> Dataset:
    """The dataset of a name; a UsageError lists the known."""
    if name not in DATASETS:
        msg = f"there is no dataset {name!r}: expected {' or '.join(DATASETS)}"
        raise UsageError(msg)
    return DATASETS[name]


def window_between(start: str | None, end: str | None, default: Window) -> Window:
    """The window that ``--start`` and ``--end`` mean: a day as end is in it, an instant is not."""
    begins = default.start if start is None else _read("--start", start)
    ends = default.end if end is None else _read("--end", end, day_ends=True)
    if begins >= ends:
        msg = f"--start {start or _iso(begins)} is after --end {end or _iso(ends)}: nothing lies between"
        raise UsageError(msg)
    return Window(begins, ends)


def require_kept(window: Window, first_day: date, now: datetime) -> None:
    """A UsageError for a window that reaches to days that are not kept: too old, or yet to come."""
    if window.start < midnight(first_day):
        msg = (
            f"{window.start:%Y-%m-%d} lies before {first_day}, the first day kept: "
            "set 'since' to an earlier day"
        )
        raise UsageError(msg)
    last = list(window.days())[-1]
    if last > now.date():
        msg = f"{last} lies in the future: today is {now.date()} in UTC"
        raise UsageError(msg)


def _read(option: str, text: str, *, day_ends: bool = False) -> datetime:
    """An instant as written, or a day's first instant, or the one after its last."""
    try:
        if _DAY.fullmatch(text):
            begins = midnight(date.fromisoformat(text))
            return begins + DAY if day_ends else begins
        return utc(datetime.fromisoformat(text)).astimezone(UTC)
    except (ValueError, OverflowError, UsageError):
        msg = (
            f"{option} {text!r} is not a time: write a UTC day like 2026-01-31, "
            "or an instant with its zone like 2026-01-31T12:00:00Z"
        )
        raise UsageError(msg) from None


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
