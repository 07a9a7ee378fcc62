"""How an S3 bucket tells of its keys: page by page, folders as common prefixes, in XML.

Docs: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol, Self
from xml.sax.saxutils import escape

MOST_KEYS = 1000
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the bucket; ``modified`` is in milliseconds."""

    key: str
    modified: int
    etag: str
    size: int

    def xml(self) -> str:
        """As ``Contents``."""
        at = datetime.fromtimestamp(self.modified / 1000, UTC)
        return (
            f"<Contents><Key>{self.key}</Key>"
            f"<LastModified>{at:%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
            f"<ETag>&quot;{self.etag}&quot;</ETag><Size>{self.size}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )


class Drawer(Protocol):
    """Keys of one beginning, which is a path that ends with a slash."""

    @property
    def path(self) -> str:
        """The beginning."""

    def entries(self, prefix: str, marker: str) -> Iterator[Entry]:
        """Its objects in order, those whose key has the prefix and comes after the marker."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the bucket; the only delimiter it knows is a slash."""

    prefix: str = ""
    delimiter: str = ""
    marker: str = ""
    most: int = MOST_KEYS

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read from the parameters; a ValueError when it cannot be."""
        most = int(query.get("max-keys") or MOST_KEYS)
        if most < 0 or query.get("delimiter", "/") not in {"", "/"}:
            raise ValueError(query)
        prefix, delimiter, marker = (query.get(n, "") for n in ("prefix", "delimiter", "marker"))
        return cls(prefix, delimiter, marker, min(most, MOST_KEYS))

    def page(self, drawers: Iterable[Drawer]) -> bytes:
        """One page of the drawers, which are in order."""
        found = list(islice(self._found(drawers), self.most + 1))
        is_truncated, shown = len(found) > self.most > 0, found[: self.most]
        last = shown[-1] if shown else ""
        following = last.key if isinstance(last, Entry) else last
        parts = [
            f'{XML}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
            f"<Name>data.binance.vision</Name><Prefix>{escape(self.prefix)}</Prefix>",
            f"<Marker>{escape(self.marker)}</Marker>",
            # S3 names the next marker only where it could not be told from the last key.
            f"<NextMarker>{following}</NextMarker>" if is_truncated and self.delimiter else "",
            f"<MaxKeys>{self.most}</MaxKeys>",
            f"<Delimiter>{self.delimiter}</Delimiter>" if self.delimiter else "",
            f"<IsTruncated>{str(is_truncated).lower()}</IsTruncated>",
            *(one.xml() for one in shown if isinstance(one, Entry)),
            *(_common(one) for one in shown if isinstance(one, str)),
            "</ListBucketResult>",
        ]
        return "".join(parts).encode()

    def _found(self, drawers: Iterable[Drawer]) -> Iterator[Entry | str]:
        """Objects, and the common prefixes of those behind a delimiter, in order."""
        told = ""
        for drawer in drawers:
            common = self._rolled_up(drawer.path)
            if not common:
                yield from drawer.entries(self.prefix, self.marker)
            elif common > max(told, self.marker) and any(drawer.entries(self.prefix, "")):
                told = common
                yield common

    def _rolled_up(self, path: str) -> str:
        """What a folder's keys have in common up to the delimiter; nothing if they are shown one by one."""
        if not self.delimiter or len(path) <= len(self.prefix) or not path.startswith(self.prefix):
            return ""
        return path[: path.index(self.delimiter, len(self.prefix)) + 1]


def _common(prefix: str) -> str:
    return f"<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"


def error(code: str, message: str, **more: str) -> bytes:
    """``<Error><Code>NoSuchKey</Code>…``."""
    told = {"Code": code, "Message": message, **more, "RequestId": "SANDBOX", "HostId": "sandbox"}
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items())
    return f"{XML}<Error>{inner}</Error>".encode()
