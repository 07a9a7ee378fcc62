"""How the tests of the archive read its files and listings, as any S3 client would."""

import csv
import io
from collections.abc import Iterator
from hashlib import sha256
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import httpx

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
SPOT, USDM = "data/spot", "data/futures/um"


def key(symbol: str, interval: str, stem: str, root: str = SPOT) -> str:
    """The path of a month's or day's zip."""
    period = "daily" if stem.count("-") == 2 else "monthly"
    return f"/{root}/{period}/klines/{symbol}/{interval}/{symbol}-{interval}-{stem}.zip"


def table(reply: httpx.Response) -> list[list[str]]:
    """The cells of the one CSV in a zip."""
    assert reply.status_code == 200, reply.text
    with ZipFile(io.BytesIO(reply.content)) as archive:
        (name,) = archive.namelist()
        return list(csv.reader(archive.read(name).decode().splitlines()))


def is_whole(client: httpx.Client, path: str) -> bool:
    """Whether a file is what its checksum says."""
    hashed, name = client.get(f"{path}.CHECKSUM").text.split()
    assert name == path.rpartition("/")[2]
    return sha256(client.get(path).content).hexdigest() == hashed


class Listed:
    """One page of a listing."""

    def __init__(self, reply: httpx.Response) -> None:
        assert reply.status_code == 200, reply.text
        self.root = ET.fromstring(reply.content)  # noqa: S314 - our own sandbox wrote it

    def text(self, name: str) -> str | None:
        """What an element of the page says."""
        return self.root.findtext(NAMESPACE + name)

    def objects(self) -> list[dict[str, str]]:
        """Each object's elements by name."""
        return [
            {cell.tag.removeprefix(NAMESPACE): cell.text or "" for cell in found}
            for found in self.root.iter(f"{NAMESPACE}Contents")
        ]

    def keys(self) -> list[str]:
        """The objects' keys."""
        return [found["Key"] for found in self.objects()]

    def folders(self) -> list[str]:
        """The common prefixes."""
        return [
            found.findtext(f"{NAMESPACE}Prefix") or ""
            for found in self.root.iter(f"{NAMESPACE}CommonPrefixes")
        ]


def listed(client: httpx.Client, prefix: str, **more: str | int) -> Listed:
    """One page, of a folder unless told otherwise."""
    return Listed(client.get("/", params={"delimiter": "/", "prefix": prefix, **more}))


def pages(client: httpx.Client, prefix: str, **more: str | int) -> Iterator[Listed]:
    """All pages, each asked for by the marker that the one before names."""
    marker: str | None = ""
    while marker is not None:
        page = listed(client, prefix, marker=marker, **more)
        yield page
        marker = page.text("NextMarker")
