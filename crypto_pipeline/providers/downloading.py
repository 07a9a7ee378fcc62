"""Large answers on their way into a file: hashed as they come, gone on with where they were cut off.

Asking for them is the client's; what a file is of, and where it is listed, the archive's.
"""

import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import file_digest, sha256
from http import HTTPStatus
from itertools import count
from pathlib import Path

from crypto_pipeline.errors import DamagedFile, MalformedReply, StorageFull, TransientError
from crypto_pipeline.providers.declaration import Reply

BUFFER = 256 * 1024
MEGABYTE = 1_000_000
MARGIN = 64 * MEGABYTE
"""What must stay free on the disk."""
_ENCODED = {"content-encoding", "transfer-encoding"}
"""Headers beside which a length is not that of the file."""
_RANGE = re.compile(r"bytes (?P<first>\d+)-\d+/(?P<size>\d+)$")


class Part:
    """What is here of a file that has a ``size`` and an ``etag``; ``taken`` bytes came in this try.

    What an earlier process left of it is read and gone on with. A StorageFull tells that this disk
    cannot hold it, here as everywhere.
    """

    def __init__(
        self, directory: Path, name: str, etag: str, size: int, on_bytes: Callable[[int], None]
    ) -> None:
        self.name, self.etag, self.size = name, etag, size
        self.taken = 0
        self._at = directory / f"{name}.{''.join(filter(str.isalnum, etag))}.part"
        self._on_bytes = on_bytes
        self._here, self._digest = 0, sha256()
        with self._storing():
            self._at = workplace(directory) / self._at.name
            self._resume()
            self._require_room()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to ask for."""
        return self._here == self.size

    def headers(self) -> Mapping[str, str]:
        """Begin a try: what to ask with for what is not here yet."""
        self.taken = 0
        asked = {"accept-encoding": "identity"}
        if self._here:
            asked |= {"range": f"bytes={self._here}-", "if-range": f'"{self.etag}"'}
        return asked

    async def take(self, reply: Reply, chunks: AsyncIterator[bytes]) -> None:
        """Write the rest behind what is here, or the whole in its place."""
        self._begin(reply)
        with self._storing(), self._at.open("ab", buffering=BUFFER) as file:
            async for chunk in chunks:
                if self._here + len(chunk) > self.size:
                    self.drop()
                    msg = f"{self.name} is longer than the {self.size:,} bytes it should have"
                    raise DamagedFile(msg)
                file.write(chunk)
                self._digest.update(chunk)
                self._here += len(chunk)
                self.taken += len(chunk)
                self._on_bytes(len(chunk))
        if not self.is_whole:
            msg = f"{self.name} was cut off: {self._here:,} of {self.size:,} bytes came"
            raise TransientError(msg)

    def verified(self, promised: str) -> Path:
        """Where it is; a DamagedFile, and nothing left, when its SHA-256 is another.

        It keeps its name, so that who dies before it is read need not ask for it again.
        """
        came = self._digest.hexdigest()
        if came != promised:
            self.drop()
            msg = (
                f"{self.name} is not what its checksum says: sha256 {promised[:12]}… is promised, "
                f"{came[:12]}… came"
            )
            raise DamagedFile(msg)
        return self._at

    def drop(self) -> None:
        """Begin anew."""
        self._at.unlink(missing_ok=True)
        self._here, self._digest = 0, sha256()

    def _resume(self) -> None:
        self._at.parent.mkdir(parents=True, exist_ok=True)  # somebody may have cleared all away
        for other in set(self._at.parent.glob(f"{self.name}.*.part")) - {self._at}:
            other.unlink()
        if self._at.exists():
            with self._at.open("rb") as file:
                self._digest, self._here = file_digest(file, "sha256"), file.tell()
        if self._here > self.size:
            self.drop()

    def _begin(self, reply: Reply) -> None:
        """Make ready for what comes; its length counts, whatever a listing said."""
        if reply.status == HTTPStatus.PARTIAL_CONTENT:
            part = _RANGE.match(reply.headers.get("content-range", ""))
            if part is None or int(part["first"]) != self._here:
                self.drop()
                msg = f"HTTP 206 with another part of {self.name} than was asked for"
                raise MalformedReply(msg)
            self.size = int(part["size"])
        else:
            # The first try, or the file has changed, or the host knows no ranges: the whole comes.
            self.drop()
            self.etag = reply.headers.get("etag", "").strip('"') or self.etag
            length = reply.headers.get("content-length", "")
            if length.isdecimal() and not _ENCODED & reply.headers.keys():
                self.size = int(length)
        self._require_room()

    def _require_room(self) -> None:
        free, needed = shutil.disk_usage(self._at.parent).free, self.size - self._here + MARGIN
        if free < needed:
            msg = (
                f"{self._at.parent} has {free // MEGABYTE} MB free, and {self.name} needs "
                f"{needed // MEGABYTE} MB there: make room, or move data_dir to a larger disk"
            )
            raise StorageFull(msg)

    @contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            with suppress(OSError):
                self.drop()
            msg = (
                f"{self._at.parent} cannot take {self.name}, which needs "
                f"{self.size // MEGABYTE + 1} MB there: {error.strerror}"
            )
            raise StorageFull(msg) from error


def workplace(directory: Path) -> Path:
    """A folder that is this process's alone while it lives: the directory, or a numbered one in it.

    What a process before it left there is gone on with.
    """
    return _workplace(directory, os.getpid())


@cache
def _workplace(directory: Path, _: int) -> Path:
    for number in count(1):
        folder = directory if number == 1 else directory / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        # Never closed: the lock ends with the process, however that ends.
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
        else:
            return folder
    raise AssertionError  # numbers do not end
