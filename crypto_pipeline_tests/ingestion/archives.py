"""Lines whose venue has an archive, and what their sandbox was asked of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.binance_vision import BINANCE_VISION
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.sandbox.server import Sandbox
from crypto_pipeline_tests.ingestion.lines import store_of
from crypto_pipeline_tests.warehouse.storing import Row

SINCE = datetime(2024, 1, 1, tzinfo=UTC)
FEBRUARY, MARCH, APRIL = (datetime(2024, month, 1, tzinfo=UTC) for month in (2, 3, 4))
NOW = datetime(2024, 3, 5, 0, 0, 30, tzinfo=UTC)
DUE = datetime(2024, 3, 5, tzinfo=UTC)
ALL = Window(SINCE, DUE)
QUARTER = timedelta(minutes=15)
SLOTS = ALL.span // QUARTER
JANUARY_SLOTS, FEBRUARY_SLOTS = ((FEBRUARY - SINCE) // QUARTER, (MARCH - FEBRUARY) // QUARTER)


def archive_at(sandbox: Sandbox, provider: Provider = BINANCE_VISION) -> Provider:
    """An archive whose files and listing the sandbox serves."""
    assert provider.archive is not None
    url = sandbox.base_url(provider.name)
    limits = replace(provider.limits, weight_per_minute=10_000_000)
    archive = replace(provider.archive, listing_url=url)
    return replace(provider, base_url=url, archive=archive, limits=limits)


def with_archive(line: Line, sandbox: Sandbox, directory: Path | None = None) -> Line:
    """The same line, with the archive of its venue."""
    return replace(line, archives={"binance": archive_at(sandbox)}, archive_directory=directory)


def asked_of_archive(sandbox: Sandbox) -> list[str]:
    """The files and listings that were asked for, in order: a file by its name."""
    paths = [one.path for one in sandbox.requests() if one.path.startswith("/binance_vision")]
    return [path.rpartition("/")[2] for path in paths]


def zips(sandbox: Sandbox) -> list[str]:
    """The files that were asked for, in order."""
    return [name for name in asked_of_archive(sandbox) if name.endswith(".zip")]


def asked_of_venue(sandbox: Sandbox) -> Iterator[Window]:
    """The windows that the venue was asked for."""
    for one in sandbox.requests():
        if one.path == "/binance/api/v3/klines":
            start, end = (int(one.query[name]) / 1000 for name in ("startTime", "endTime"))
            yield Window(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def files(line: Line, *columns: str) -> list[Row]:
    """What is noted of files, oldest first: when each begins, and these columns."""
    shown = ", ".join(("starts_at", *columns))
    return store_of(line).select(f"select {shown} from market.archive_files order by 1, path, etag")  # noqa: S608


def sources(line: Line) -> list[Row]:
    """Each source's first and last row, and how many it gave, oldest first."""
    return store_of(line).select(
        """
        select source, min(open_time), max(open_time), count(*)
        from market.ohlc group by source order by 2
        """
    )
