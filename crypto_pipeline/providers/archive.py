"""A venue's bulk archive: what files there are, and bringing them here whole and verified.

What is in a file is read by ``frames.kline_files``; which files are worth it is the plan's.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple
from xml.etree import ElementTree as ET

from crypto_pipeline.errors import DamagedFile, MalformedReply, RequestRejected, TransientError
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import ArchiveEndpoint, Provider, Question, Reply
from crypto_pipeline.providers.downloading import Part
from crypto_pipeline.providers.reading import from_iso

Period = Literal["monthly", "daily"]
_DATES: Mapping[Period, str] = {"monthly": "%Y-%m", "daily": "%Y-%m-%d"}
_KEY = re.compile(r".+-(?P<date>[0-9]{4}-[0-9]{2}(-[0-9]{2})?)\.zip")
_CHECKSUM = re.compile(rb"(?P<sha256>[0-9a-fA-F]{64}) [ *]?(?P<name>\S+)\s*")


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file as the listing tells of it; ``window`` is the month or day it is of."""

    path: str
    """Below the base URL, with a leading slash."""
    window: Window
    size: int
    etag: str
    modified_at: datetime

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one series, months and days, each in the order of time."""

    months: tuple[ArchiveFile, ...] = ()
    days: tuple[ArchiveFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file on this disk that is what its checksum says; whoever has read it deletes it."""

    file: ArchiveFile
    at: Path
    sha256: str


class ListingPage(NamedTuple):
    """Files of one page of a listing, and where the next page begins; nowhere after the last one."""

    files: list[ArchiveFile]
    next_marker: str


async def list_files(client: Client, series: CandleSeries, window: Window) -> Listing:
    """The months and days that overlap a window, page by page; a ProviderError when there is no answer.

    Days are listed where no month is.
    """
    endpoint = archive_endpoint(client.provider, series)
    months = await _listed(client, series, "monthly", window)
    if series.interval.name in endpoint.monthly_only:
        return Listing(months)
    days: list[ArchiveFile] = []
    for rest in Runs((window,)) - Runs.of(month.window for month in months):
        days += await _listed(client, series, "daily", rest)
    return Listing(months, tuple(days))


async def download(
    client: Client,
    series: CandleSeries,
    file: ArchiveFile,
    directory: Path,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Downloaded:
    """Bring a file into a directory, going on where an earlier try was cut off.

    ``on_bytes`` gets the number of each chunk's bytes. A DamagedFile when what came is not what its
    ``.CHECKSUM`` says, or there is no such checksum; nothing of it is left on the disk then.
    A StorageFull when this disk cannot hold it. Other ProviderErrors are those of any request.
    """
    promised = await _checksum(client, series, file)
    part = await asyncio.to_thread(Part, directory, file.name, file.etag, file.size, on_bytes)
    if part.is_whole:
        return Downloaded(file, part.verified(promised), promised)
    asked = Ask(
        question=Question(file.path),
        series=series,
        window=file.window,
        read=lambda _: part.verified(promised),
        count=lambda _: 0,
        into=part,
    )
    try:
        return Downloaded(file, await client.ask(asked), promised)
    except RequestRejected as error:
        part.drop()
        msg = f"{file.name} is listed but not there ({error})"
        raise TransientError(msg) from error


def archive_endpoint(provider: Provider, series: CandleSeries) -> ArchiveEndpoint:
    """Where the files of the series lie; a RequestRejected names what there is none of."""
    endpoint = provider.archive
    if endpoint is None or series.interval.name not in endpoint.intervals:
        msg = f"{provider.name} has no files of {series.interval} candles"
        raise RequestRejected(msg)
    return endpoint


def stem_of(provider: Provider, series: CandleSeries, period: Period) -> str:
    """How the paths of all its months or days begin, up to the date."""
    endpoint = archive_endpoint(provider, series)
    symbol, interval = provider.symbol(series.instrument), endpoint.intervals[series.interval.name]
    folder = endpoint.folder.format(period=period, symbol=symbol, interval=interval)
    return f"{folder}{symbol}-{interval}-"


async def _listed(
    client: Client, series: CandleSeries, period: Period, window: Window
) -> tuple[ArchiveFile, ...]:
    """The files of a period that overlap the window, in the order of time, which is that of their keys."""
    endpoint = archive_endpoint(client.provider, series)
    stem, form = stem_of(client.provider, series, period), _DATES[period]
    lister = client.at(endpoint.listing_url)
    # Before the first file, and behind the one before it with its checksum.
    marker = f"{stem}{window.start:{form}}".removeprefix("/")
    found: list[ArchiveFile] = []
    while marker:
        page = await lister.ask(_ask(series, window, marker))
        files = [one for one in page.files if one.path == f"{stem}{one.window.start:{form}}.zip"]
        found += [one for one in files if one.window.intersection(window)]
        is_over = any(one.window.end >= window.end for one in files)
        marker = "" if is_over else page.next_marker
    return tuple(found)


def _ask(series: CandleSeries, window: Window, marker: str) -> Ask[ListingPage]:
    params = {"delimiter": "/", "prefix": f"{marker.rpartition('/')[0]}/", "marker": marker}
    return Ask(
        question=Question("/", params),
        series=series,
        window=window,
        read=lambda reply: listing_page(reply.body, marker),
        count=lambda page: len(page.files),
    )


async def _checksum(client: Client, series: CandleSeries, file: ArchiveFile) -> str:
    """The SHA-256 that is published beside a file."""

    def read(reply: Reply) -> str:
        told = _CHECKSUM.fullmatch(reply.body)
        if told is None or told["name"] != file.name.encode():
            msg = f"{file.name} cannot be held against its checksum, which is malformed"
            raise DamagedFile(msg)
        return told["sha256"].decode().lower()

    question = Question(f"{file.path}.CHECKSUM")
    try:
        return await client.ask(Ask(question, series, file.window, read, count=lambda _: 0))
    except RequestRejected as error:
        msg = f"{file.name} has no checksum to be held against ({error})"
        raise DamagedFile(msg) from error


def listing_page(body: bytes, marker: str = "") -> ListingPage:
    """Read what an S3 bucket lists behind a marker; keys that are no file of a time are passed over."""
    try:
        # Entities that grow without bound are refused by expat, and ElementTree fetches none.
        root = ET.fromstring(body)  # noqa: S314
        entries = [(_text(one, "Key"), one) for one in root.iterfind("{*}Contents")]
        files = [file for key, one in entries for file in _files(key, one)]
        is_truncated = _text(root, "IsTruncated") == "true"
    except (ET.ParseError, LookupError, TypeError, ValueError) as error:
        msg = f"what came is no listing of a bucket: {type(error).__name__}"
        raise MalformedReply(msg) from error
    following = root.findtext("{*}NextMarker") or max((key for key, _ in entries), default="")
    if is_truncated and following <= marker:
        msg = "the listing goes on behind where it began"
        raise MalformedReply(msg)
    return ListingPage(files, following if is_truncated else "")


def _files(key: str, entry: ET.Element) -> Iterator[ArchiveFile]:
    named = _KEY.fullmatch(key)
    window = _window(named["date"]) if named else None
    if window:
        size, etag = int(_text(entry, "Size")), _text(entry, "ETag").strip('"')
        yield ArchiveFile(f"/{key}", window, size, etag, from_iso(_text(entry, "LastModified")))


def _window(date: str) -> Window | None:
    """The month or day that a date names, if there is such."""
    with suppress(ValueError, OverflowError):
        if len(date) == len("YYYY-MM-DD"):
            return Window.of_day(datetime.fromisoformat(date).date())
        return Window.of_month(datetime.fromisoformat(f"{date}-01").date())
    return None


def _text(element: ET.Element, name: str) -> str:
    found = element.findtext(f"{{*}}{name}")
    if found is None:
        raise LookupError(name)
    return found
