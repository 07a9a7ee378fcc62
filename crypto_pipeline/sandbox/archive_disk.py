"""Files of an archive that lie ready on this disk: served as they are, at next to no cost."""

import mmap
from dataclasses import dataclass, field
from hashlib import md5, sha256
from pathlib import Path

from crypto_pipeline.sandbox.archive_keys import File, Folder
from crypto_pipeline.sandbox.archive_listing import Entry
from crypto_pipeline.sandbox.faults import CHECKSUM


@dataclass(frozen=True, slots=True)
class Disk:
    """What lies below a directory, at the path that is its key; nothing without one."""

    directory: Path | None
    _hashes: dict[str, str] = field(default_factory=dict)

    def files(self, folder: Folder) -> list[File]:
        """The zips that are there of a folder, in no order."""
        if self.directory is None or not (self.directory / folder.path).is_dir():
            return []
        paths = (self.directory / folder.path).glob("*.zip")
        stems = (f"{folder.path}{path.stem}".removeprefix(folder.start) for path in paths)
        return [file for stem in stems if (file := folder.file(stem))]

    def entry(self, file: File) -> Entry | None:
        """A zip that is there; its ETag is of its size and the time it was written."""
        if self.directory is None:
            return None
        try:
            told = (self.directory / file.key).stat()
        except FileNotFoundError:
            return None
        text = f"{file.key}/{told.st_size}/{told.st_mtime_ns}"
        etag = md5(text.encode(), usedforsecurity=False).hexdigest()
        return Entry(file.key, told.st_mtime_ns // 10**6, etag, told.st_size)

    def body(self, entry: Entry) -> memoryview:
        """Its bytes, which the system reads when they are sent."""
        assert self.directory is not None
        with (self.directory / entry.key).open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def checksum(self, entry: Entry) -> bytes | None:
        """The checksum that lies beside it."""
        assert self.directory is not None
        path = self.directory / f"{entry.key}{CHECKSUM}"
        return path.read_bytes() if path.is_file() else None

    def sha256(self, entry: Entry) -> str:
        """Of its bytes, read once for each time it is written."""
        if entry.etag not in self._hashes:
            self._hashes[entry.etag] = sha256(self.body(entry)).hexdigest()
        return self._hashes[entry.etag]
