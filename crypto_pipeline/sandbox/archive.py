"""Binance's bulk archive, data.binance.vision: zips of klines with their checksums, as an S3 bucket has them.

A listing makes no file: where a zip was never made, its ``Size`` is a guess, and an ``ETag`` says
which issue of a file it is, not what it hashes to. ``Content-Length`` is always right.
Docs: https://github.com/binance/binance-public-data
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from hashlib import md5, sha256
from itertools import chain

from starlette.requests import Request

from crypto_pipeline.sandbox.archive_disk import Disk
from crypto_pipeline.sandbox.archive_files import MICRO, MILLI, WHOLE, Bakery, Recipe
from crypto_pipeline.sandbox.archive_keys import File, Folder, Shelves
from crypto_pipeline.sandbox.archive_listing import Entry, Question, error
from crypto_pipeline.sandbox.binance_replies import CLOUDFRONT, GARBAGE, MAINTENANCE
from crypto_pipeline.sandbox.binance_usdm import BinanceUsdm
from crypto_pipeline.sandbox.candles import Gaps
from crypto_pipeline.sandbox.faults import CHECKSUM, REFUSALS, ROWLESS, Asked, Fault, FaultBook
from crypto_pipeline.sandbox.grids import GRIDS
from crypto_pipeline.sandbox.listings import LISTINGS, Listing
from crypto_pipeline.sandbox.market import Weather
from crypto_pipeline.sandbox.recorded import Recordings
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.venues import HTML, Reply

XML, ZIP, BINARY = "application/xml", "application/zip", "binary/octet-stream"
HOUR = 3_600_000
CHECKSUM_BYTES = 67  # beside the name: the hash, two spaces, the line's end
NEVER = 2**62

_SYMBOL = re.compile(r"/klines/([A-Z0-9]+)/")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Archive:
    """One market's part of the bucket; its files are those of its exchange's candles."""

    name: str
    root: str
    listings: Sequence[Listing] = LISTINGS
    intervals: Sequence[str]
    header = b""
    micro_since = NEVER
    """From this moment on files count in microseconds; in milliseconds before."""

    def __init__(self, settings: SandboxSettings, book: FaultBook) -> None:
        self._settings = settings
        self._book = book
        self._shelves = Shelves(self.root, self.listings, self.intervals)
        self._bakery = Bakery(settings.seed)
        self._disk = Disk(settings.archive_directory)

    def asked(self, path: str, request: Request) -> Asked:
        """By file, symbol and time; a listing is told from it by its ``/?prefix=``."""
        if file := self._shelves.file(path[1:].removesuffix(CHECKSUM)):
            return self._asked(file, path)
        prefix = request.query_params.get("prefix", "")
        symbol = _SYMBOL.search(prefix)
        return Asked(
            f"/{self.name}/?prefix={prefix}" if self._is_listing(path) else f"/{self.name}{path}",
            symbol[1] if symbol else None,
        )

    def reply(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """Refusal, then listing or file."""
        refused = next((fault for fault in faults if fault.kind in REFUSALS), None)
        if refused:
            return _refusal(refused)
        if not self._is_listing(path):
            return self._file(path[1:], request, {fault.kind for fault in faults})
        try:
            question = Question.of(request.query_params)
        except ValueError:
            return Reply(400, error("InvalidArgument", "Provided argument is invalid"), XML)
        return Reply(200, question.page([_Drawer(self, one) for one in self._shelves.folders]), XML)

    def entries(self, folder: Folder, prefix: str, marker: str) -> Iterator[Entry]:
        """The zips of a folder that have come by now, or lie on this disk, in order."""
        now = self._now()
        files: Iterable[File] = folder.files(now, marker)
        if ready := self._disk.files(folder):
            by_key = {file.key: file for file in chain(files, ready)}
            files = (by_key[key] for key in sorted(by_key))
        for file in files:
            is_asked_for = file.key.startswith(prefix) or prefix.startswith(file.key)
            if is_asked_for and (entry := self._entry(file, now)):
                yield entry

    def _now(self) -> int:
        return int(self._settings.clock().timestamp() * 1000)

    def _is_listing(self, path: str) -> bool:
        """With or without the slash at the end; without, no mount takes our name off the path."""
        return path in {"", "/", f"/{self.name}"}

    def _asked(self, file: File, path: str) -> Asked:
        return Asked(f"/{self.name}{path}", file.folder.listing.symbol, window=file.span)

    def _met(self, file: File) -> list[Fault]:
        """The faults that have a part in what the file is."""
        asked = self._asked(file, f"/{file.key}")
        return [fault for fault in self._book.standing() if fault.touches(asked)]

    def _entry(self, file: File, now: int) -> Entry | None:
        """What the listing tells of a zip; None if it is not there."""
        recipe = self._recipe(file)
        if recipe.is_missing:
            return None
        if ready := self._disk.entry(file):
            return ready
        if file.published > now or not file.has_rows(recipe.weather.outages):
            return None
        etag = _md5(f"{self._settings.seed}/{file.key}/{recipe}")
        modified = file.published + recipe.issue * HOUR
        return Entry(file.key, modified, etag, self._bakery.size(file, recipe))

    def _recipe(self, file: File) -> Recipe:
        """By the faults on order for it, and for the market in its time."""
        unit = MICRO if file.start >= self.micro_since else MILLI
        faults = self._met(file)
        if not faults:
            return Recipe(unit, self.header)
        kinds = [fault.kind for fault in faults]
        return Recipe(
            WHOLE if "odd_unit" in kinds else unit,
            self.header,
            Weather(_spans(faults, *ROWLESS), _spans(faults, "off_grid")),
            _spans(faults, "quiet"),
            kinds.count("reissue"),
            "odd_columns" in kinds,
            "corrupt_zip" in kinds,
            "missing_file" in kinds,
        )

    def _file(self, key: str, request: Request, kinds: set[str]) -> Reply:
        file = self._shelves.file(key.removesuffix(CHECKSUM))
        entry = file and self._entry(file, self._now())
        if not file or not entry or kinds & {"listed_but_gone", "no_checksum"}:
            told = error("NoSuchKey", "The specified key does not exist.", Key=key)
            return Reply(404, told, XML)
        if not key.endswith(CHECKSUM):
            return _sent(request, entry, self._body(file, entry), ZIP)
        told = self._checksum(file, entry)
        if "wrong_checksum" in kinds:
            told = sha256(told).hexdigest().encode() + told[64:]
        return _sent(request, _beside(entry), told, BINARY)

    def _body(self, file: File, entry: Entry) -> bytes | memoryview:
        if self._disk.entry(file):
            return self._disk.body(entry)
        return self._bakery.zipped(file, self._recipe(file)).body

    def _checksum(self, file: File, entry: Entry) -> bytes:
        if self._disk.entry(file):
            ready = self._disk.checksum(entry)
            return ready or f"{self._disk.sha256(entry)}  {file.name}\n".encode()
        made = self._bakery.zipped(file, self._recipe(file))
        return f"{made.sha256}  {file.name}\n".encode()


class BinanceVision(Archive):
    """Spot: no header, microseconds since 2025, and nothing of what was recorded at the exchange."""

    name = "binance_vision"
    root = "data/spot"
    intervals = tuple(name for name in GRIDS if name != "1M")
    micro_since = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * 1000

    def __init__(self, settings: SandboxSettings, book: FaultBook) -> None:
        recorded = Recordings.read(settings.recorded).symbols()
        self.listings = [one for one in self.listings if one.symbol not in recorded]
        super().__init__(settings, book)


class BinanceVisionUsdm(Archive):
    """USD-M futures: a header, always milliseconds, no seconds."""

    name = "binance_vision_usdm"
    root = "data/futures/um"
    listings = BinanceUsdm.listings
    intervals = tuple(name for name in GRIDS if name not in {"1s", "1M"})
    header = (
        b"open_time,open,high,low,close,volume,close_time,quote_volume,"
        b"count,taker_buy_volume,taker_buy_quote_volume,ignore\n"
    )


ARCHIVES = (BinanceVision, BinanceVisionUsdm)


@dataclass(frozen=True, slots=True)
class _Drawer:
    """A folder as the listing walks through it: each zip, and its checksum after it."""

    archive: Archive
    folder: Folder

    @property
    def path(self) -> str:
        return self.folder.path

    def entries(self, prefix: str, marker: str) -> Iterator[Entry]:
        is_behind = marker > self.path and not marker.startswith(self.path)
        if is_behind or not (self.path.startswith(prefix) or prefix.startswith(self.path)):
            return
        for entry in self.archive.entries(self.folder, prefix, marker):
            for one in (entry, _beside(entry)):
                if one.key.startswith(prefix) and one.key > marker:
                    yield one


def _beside(entry: Entry) -> Entry:
    """The checksum of a zip."""
    size = len(entry.key.rpartition("/")[2]) + CHECKSUM_BYTES
    return Entry(f"{entry.key}{CHECKSUM}", entry.modified, _md5(entry.etag), size)


def _spans(faults: Sequence[Fault], *kinds: str) -> Gaps:
    return tuple(fault.span for fault in faults if fault.kind in kinds)


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _sent(request: Request, entry: Entry, body: bytes | memoryview, content_type: str) -> Reply:
    """All of it, or the range that is asked for if it is still of the same issue."""
    etag, modified = f'"{entry.etag}"', formatdate(entry.modified / 1000, usegmt=True)
    headers = {"etag": etag, "last-modified": modified, "accept-ranges": "bytes"}
    size = len(body)
    wanted = _range(request.headers.get("range", ""), size)
    if wanted is None or request.headers.get("if-range", etag) not in {etag, modified}:
        return Reply(200, body, content_type, headers)
    start, stop = wanted
    if start >= stop:
        told = error("InvalidRange", "The requested range is not satisfiable")
        return Reply(416, told, XML, {"content-range": f"bytes */{size}"})
    headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    return Reply(206, memoryview(body)[start:stop], content_type, headers)


def _range(text: str, size: int) -> tuple[int, int] | None:
    """Half-open, empty if it cannot be satisfied; None if none is asked for that makes sense."""
    match = _RANGE.fullmatch(text)
    first, last = match.groups() if match else ("", "")
    if not first:
        return (max(size - int(last), 0), size) if last else None
    if not last:
        return int(first), size
    return (int(first), min(int(last) + 1, size)) if int(first) <= int(last) else None


def _refusal(fault: Fault) -> Reply:
    """The reply that one of ``faults.REFUSALS`` orders."""
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    if fault.kind in {"garbage", "html"}:
        is_page = fault.kind == "html"
        return Reply(200, MAINTENANCE if is_page else GARBAGE, HTML if is_page else BINARY)
    if fault.kind in {"403_html", "451"}:
        return Reply(int(fault.kind[:3]), CLOUDFRONT, HTML)
    code = "InternalError" if fault.kind == "500" else "SlowDown"
    return Reply(int(fault.kind), error(code, "Please reduce your request rate."), XML, headers)
