"""Fills series from their venues' archives: files come while the one before them is stored.

Which files are worth it is the plan's; what they leave open is asked of the venue by ``fetching``.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from crypto_pipeline.errors import DamagedFile, HostRefused, ProviderError, StorageFull
from crypto_pipeline.frames.kline_files import KlinePart, kline_parts
from crypto_pipeline.ingestion.archive_plan import Chosen, covered
from crypto_pipeline.ingestion.archive_readings import Reading, Readings, Turn
from crypto_pipeline.ingestion.archive_rows import FileRows
from crypto_pipeline.ingestion.fetch_log import flush_log
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.telling import Telling
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import OHLC
from crypto_pipeline.market.holes import Attempt
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.archive import ArchiveFile, Downloaded, Listing, download, list_files
from crypto_pipeline.providers.client import Client, Fetch
from crypto_pipeline.providers.connecting import http_client
from crypto_pipeline.warehouse.archive_files import FileIssue, note_failed, note_read
from crypto_pipeline.warehouse.holes import account
from crypto_pipeline.warehouse.limits import SharedLimits
from crypto_pipeline.warehouse.writer import Stored, Writer

AHEAD = 3
"""Files that may be on their way, or here and waiting, while another is stored."""
PATIENCE = 3
"""Files of one archive that may fail to come before the venue itself is asked for all others."""
ATTEMPTS, LONGEST_WAIT = 3, 5.0
"""Tries of a request, and seconds to wait for an archive that rests: the venue can be asked as well."""
LOG_AT_ONCE = 10
"""Requests that may wait to be written to the log."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for in an archive: the window that is listed, and which of its files to read."""

    window: Window
    pick: Callable[[Listing], list[Chosen]]


@dataclass(slots=True)
class Archived:
    """What came of reading files, by series name.

    ``chosen`` are the slots that files were picked for, ``had`` those that they had, ``lacked`` the
    others; ``barred`` those of damaged files, which nobody is asked for until the next try.
    ``unreached`` is why the venue is asked instead.
    """

    planned: int = 0
    done: int = 0
    rows: int = 0
    bytes_planned: int = 0
    stored: Stored = field(default_factory=Stored)
    chosen: dict[str, Runs] = field(default_factory=dict)
    had: defaultdict[str, Runs] = field(default_factory=lambda: defaultdict(Runs))
    lacked: defaultdict[str, Runs] = field(default_factory=lambda: defaultdict(Runs))
    barred: defaultdict[str, Runs] = field(default_factory=lambda: defaultdict(Runs))
    failures: dict[str, str] = field(default_factory=dict)
    unreached: dict[str, str] = field(default_factory=dict)
    _came: dict[str, int] = field(default_factory=dict)

    @property
    def bytes_done(self) -> int:
        """How much came of what is planned."""
        return sum(self._came.values())

    def failures_with(self, others: Mapping[str, str]) -> dict[str, str]:
        """What failed here, and where the venue failed too, why the archive could not help."""
        told = defaultdict[str, list[str]](list)
        for name, why in (*others.items(), *self.failures.items()):
            told[name].append(why)
        for name in others.keys() & self.unreached.keys():
            told[name].append(self.unreached[name])
        return {name: "; ".join(reasons) for name, reasons in told.items()}

    def came(self, file: ArchiveFile, size: int) -> None:
        """Note that bytes of a file came; what is asked for again comes once."""
        self._came[file.path] = min(self._came.get(file.path, 0) + size, file.size)


@dataclass(frozen=True, slots=True)
class _Job:
    """A file to be read, for a series, from whom."""

    client: Client
    series: CandleSeries
    chosen: Chosen

    @property
    def file(self) -> ArchiveFile:
        return self.chosen.file

    @property
    def provider(self) -> str:
        return self.client.provider.name

    @property
    def issue(self) -> FileIssue:
        file = self.file
        told = file.path, file.etag, file.window, file.modified_at, file.size
        return FileIssue(self.series.name, self.provider, *told)


@dataclass(frozen=True, slots=True)
class _Here:
    """A file that came, and the reading of it, which has begun."""

    downloaded: Downloaded
    reading: Reading[KlinePart]


@dataclass(slots=True)
class Archiving:
    """One reading of archives on its way; ``on_step`` hears of every file, and of bytes that come."""

    line: Line
    writer: Writer
    limits: SharedLimits
    now: datetime
    on_step: Callable[[Archived], None] = lambda _: None
    most: int | None = None
    """Files that are read at most."""
    done: Archived = field(default_factory=Archived)
    _log: deque[Fetch] = field(default_factory=deque)
    _failed: Counter[str] = field(default_factory=Counter)
    _out_of_reach: dict[str, ProviderError] = field(default_factory=dict)
    _full: StorageFull | None = None
    _readings: Readings = field(default_factory=Readings)

    async def run(self, searches: Mapping[CandleSeries, Search]) -> None:
        """List the archives, and read what is picked, newest first over all series."""
        async with self.limits, http_client() as http:
            record, sleep = self._log.append, self.line.sleep
            clients = {
                venue: Client(provider, http, self.limits, record, sleep=sleep)
                for venue, provider in self.line.archives.items()
            }
            for client in clients.values():
                client.attempts, client.patience = ATTEMPTS, LONGEST_WAIT
            found = await asyncio.gather(
                *(self._find(clients[one.venue], one, search) for one, search in searches.items())
            )
            jobs = [job for jobs in found for job in jobs]
            jobs = sorted(jobs, key=lambda job: job.file.window.end, reverse=True)[: self.most]
            self.done.planned = len(jobs)
            self.done.bytes_planned = sum(job.file.size for job in jobs)
            with _place(self.line.archive_directory) as directory, self._readings:
                await self._read_all(jobs, directory)
        flush_log(self.line.database, self._log)

    async def _find(self, client: Client, series: CandleSeries, search: Search) -> list[_Job]:
        """What is to be read for a series; nothing where the archive cannot be asked."""
        try:
            listing = await list_files(client, series, search.window)
        except ProviderError as error:
            self._note_unreached(client, series, error)
            return []
        picked = search.pick(listing)
        self.done.chosen[series.name] = covered(picked)
        return [_Job(client, series, one) for one in picked]

    async def _read_all(self, jobs: list[_Job], directory: Path) -> None:
        """Store file after file while the next ones come."""
        left, begun = iter(jobs), deque[tuple[_Job, asyncio.Task[_Here | ProviderError]]]()
        async with asyncio.TaskGroup() as tasks:

            def begin() -> None:
                for job in islice(left, AHEAD - len(begun)):
                    coming = self._come(job, directory, self._readings.turn())
                    begun.append((job, tasks.create_task(coming)))

            begin()
            months = [job.file.window.start.date() for job in jobs]
            await asyncio.to_thread(self.writer.make_months, months)
            while begun:
                job, coming = begun.popleft()
                outcome = await coming
                begin()
                await self._settle(job, outcome)
                if len(self._log) > LOG_AT_ONCE:
                    await asyncio.to_thread(flush_log, self.line.database, self._log)
                self.done.came(job.file, job.file.size)
                self.done.done += 1
                self.on_step(self.done)

    async def _come(self, job: _Job, directory: Path, turn: Turn) -> _Here | ProviderError:
        """A file with its reading begun, once those before it are read; or why it is not here."""
        came = await self._download(job, directory)
        if isinstance(came, ProviderError):
            turn.give_up()
            return came
        read = partial(kline_parts, came.at, job.file.window, job.file.name)
        return _Here(came, await turn.begin(read))

    async def _download(self, job: _Job, directory: Path) -> Downloaded | ProviderError:
        """The file, or why it is not here; where no other would come either, it is not asked for."""
        hopeless = self._full or self._out_of_reach.get(job.provider)
        if hopeless:
            return hopeless

        def on_bytes(size: int) -> None:
            self.done.came(job.file, size)
            self.on_step(self.done)

        try:
            # Two archives may have files of one name.
            place = directory / job.provider
            return await download(job.client, job.series, job.file, place, on_bytes)
        except StorageFull as error:
            self._full = error
            return error
        except DamagedFile as error:
            return error
        except ProviderError as error:
            self._failed[job.provider] += 1
            if isinstance(error, HostRefused) or self._failed[job.provider] >= PATIENCE:
                self._out_of_reach[job.provider] = error
            return error

    async def _settle(self, job: _Job, outcome: _Here | ProviderError) -> None:
        """Store a file that is here, or note why it is not."""
        error = outcome if isinstance(outcome, ProviderError) else None
        if isinstance(outcome, _Here):
            try:
                await asyncio.to_thread(self._store, job, outcome)
            except DamagedFile as damage:
                error = damage
            finally:
                outcome.downloaded.at.unlink(missing_ok=True)
        if isinstance(error, DamagedFile | StorageFull):
            await asyncio.to_thread(self._bar, job, error)
        elif error:
            self._note_unreached(job.client, job.series, error)

    def _store(self, job: _Job, here: _Here) -> None:
        """Store a file's rows and the note that it was read, all or nothing; then account."""
        name, slots = job.series.name, job.chosen.slots
        rows = FileRows(job.series, slots, here.reading.parts)
        self.done.stored += self.writer.store_whole(
            rows,
            job.series,
            slots,
            job.provider,
            lambda connection, _: note_read(
                connection, OHLC, job.issue, here.downloaded.sha256, rows.count, self.now
            ),
        )
        lacked = slots - rows.had
        self.done.rows += rows.count
        self.done.had[name] += rows.had
        self.done.lacked[name] += lacked
        told = Telling(job.client.provider, job.series)
        vain = told.absent_in_file(job.file.path, here.downloaded.sha256)
        parts = [*told.broken(rows.rejected), *((run, vain) for run in lacked)]
        self._account(name, Attempt(lacked, vain, parts))

    def _bar(self, job: _Job, error: DamagedFile | StorageFull) -> None:
        """Leave a file's slots open until the next try, which goes without the file."""
        vain = Telling(job.client.provider, job.series).failure(error)
        self.done.barred[job.series.name] += job.chosen.slots
        self.done.failures[job.series.name] = vain.error
        note_failed(self.line.database, OHLC, job.issue, str(error), self.now)
        self._account(job.series.name, Attempt(job.chosen.slots, vain))

    def _account(self, name: str, attempt: Attempt) -> None:
        if attempt.asked:
            account(self.line.database, OHLC, {name: [attempt]}, self.now)

    def _note_unreached(self, client: Client, series: CandleSeries, error: ProviderError) -> None:
        self.done.unreached[series.name] = f"{client.provider.name}: {error}"


@contextmanager
def _place(directory: Path | None) -> Iterator[Path]:
    """Where files are put until they are stored."""
    if directory:
        yield directory
    else:
        with TemporaryDirectory(prefix="crypto-pipeline-") as temporary:
            yield Path(temporary)
