"""Parts over real HTTP: hosts that know no ranges, say one length and send another, and full disks."""

import hashlib
import resource
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crypto_pipeline.errors import DamagedFile, MalformedReply, StorageFull, TransientError
from crypto_pipeline.providers.binance_vision import BINANCE_VISION
from crypto_pipeline.providers.client import Ask, Client
from crypto_pipeline.providers.declaration import Question
from crypto_pipeline.providers.downloading import Part, workplace
from crypto_pipeline_tests.providers.asking import Asking, Browser
from crypto_pipeline_tests.providers.conftest import Answering

BODY = bytes(range(256)) * 1_000
SHA256 = hashlib.sha256(BODY).hexdigest()
CHUNKED = {"transfer_encoding": "chunked"}
Answers = Callable[..., Answering]


def part_in(directory: Path, size: int = len(BODY), here: bytes = b"") -> Part:
    """A part of a file, with what an earlier process left of it."""
    (directory / "a.zip.0a.part").write_bytes(here)
    return Part(directory, "a.zip", "0a", size, lambda _: None)


def chunked(body: bytes) -> bytes:
    """A body that tells no length beforehand."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def taken(server: Answering, browser: Browser, part: Part, tries: int = 1) -> Path:
    """Ask for the rest of a part, so often, and verify it."""
    asking = Asking(replace(BINANCE_VISION, base_url=server.url), browser)
    ask = Ask(Question("/a.zip"), None, None, lambda _: part.verified(SHA256), into=part)

    async def work(client: Client) -> Path:
        client.attempts = tries
        return await client.ask(ask)

    return asking.run(work)


def left(directory: Path) -> list[tuple[str, int]]:
    """What lies in a directory, and how much of it."""
    return [(one.name, one.stat().st_size) for one in directory.glob("*")]


def test_host_that_knows_no_ranges_sends_the_whole(
    answering: Answers, browser: Browser, tmp_path: Path
) -> None:
    """A 200 begins anew, whatever is here."""
    part = part_in(tmp_path, here=BODY[:1_000])
    found = taken(answering(200, BODY), browser, part)

    assert BODY == found.read_bytes()
    assert [("a.zip.0a.part", len(BODY))] == left(tmp_path)
    assert len(BODY) == part.taken


def test_only_the_rest_is_asked_for_while_the_file_is_the_same(tmp_path: Path) -> None:
    """A range with the tag it holds for; nothing compressed on the way, for offsets are the file's."""
    assert {"accept-encoding": "identity"} == part_in(tmp_path).headers()
    assert {
        "accept-encoding": "identity",
        "range": "bytes=1000-",
        "if-range": '"0a"',
    } == part_in(tmp_path, here=BODY[:1_000]).headers()


@pytest.mark.parametrize(
    "told", ["bytes 0-999/256000", "bytes 1001-255999/256000", "bytes 1000-255999/*", "", "1000"]
)
def test_other_range_than_asked_for_begins_anew(
    answering: Answers, browser: Browser, tmp_path: Path, told: str
) -> None:
    """Bytes are never put where they do not belong."""
    server = answering(206, BODY[1_000:], content_range=told)
    with pytest.raises(MalformedReply, match=r"HTTP 206 with another part of a\.zip"):
        taken(server, browser, part_in(tmp_path, here=BODY[:1_000]))

    assert [] == left(tmp_path)


def test_length_that_is_sent_counts(answering: Answers, browser: Browser, tmp_path: Path) -> None:
    """A listing may be older than the file."""
    assert BODY == taken(answering(200, BODY), browser, part_in(tmp_path, 7)).read_bytes()


def test_length_of_a_rest_counts_too(answering: Answers, browser: Browser, tmp_path: Path) -> None:
    """The range tells how long the whole is."""
    here, told = BODY[:1_000], f"bytes 1000-{len(BODY) - 1}/{len(BODY)}"
    server = answering(206, BODY[1_000:], content_range=told)

    assert BODY == taken(server, browser, part_in(tmp_path, 2_000, here)).read_bytes()


def test_endless_answer_is_stopped(answering: Answers, browser: Browser, tmp_path: Path) -> None:
    """Where no length is told, the listed one bounds what is written."""
    server = answering(200, chunked(BODY), **CHUNKED)
    with pytest.raises(DamagedFile, match=r"a\.zip is longer than the 100,000 bytes"):
        taken(server, browser, part_in(tmp_path, 100_000))

    assert [] == left(tmp_path)


def test_short_answer_is_gone_on_with(answering: Answers, browser: Browser, tmp_path: Path) -> None:
    """An end that comes too early is a cut, not damage."""
    server = answering(200, chunked(BODY[:1_000]), **CHUNKED)
    with pytest.raises(TransientError, match=r"cut off: 1,000 of 256,000 bytes came"):
        taken(server, browser, part_in(tmp_path))

    assert [("a.zip.0a.part", 1_000)] == left(tmp_path)


def test_part_longer_than_the_file_goes(tmp_path: Path) -> None:
    """What cannot be of this file is not gone on with."""
    part = part_in(tmp_path, 999, BODY[:1_000])

    assert "range" not in part.headers()
    assert [] == left(tmp_path)


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 100,000 bytes, as on a disk that is full by then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_disk_that_fills_up_is_told_and_given_back(
    answering: Answers, browser: Browser, tmp_path: Path
) -> None:
    """The place and what is needed are named; it is not tried again, and leaves nothing."""
    server = answering(200, BODY)
    with pytest.raises(StorageFull, match=f"{tmp_path} cannot take a.zip, which needs 1 MB there"):
        taken(server, browser, part_in(tmp_path), 6)

    assert [] == left(tmp_path)
    assert 1 == len(server.asked)


def test_workplace_keeps_what_an_earlier_process_left(tmp_path: Path) -> None:
    """Whoever was killed has its files gone on with."""
    (tmp_path / "b.zip.0a.part").write_bytes(b"x")

    assert tmp_path == workplace(tmp_path) == workplace(tmp_path)
    assert [("b.zip.0a.part", 1)] == left(tmp_path)


def test_directory_that_was_cleared_away_is_made_again(tmp_path: Path) -> None:
    """Whoever deletes it while a process lives does not stop that process."""
    directory = tmp_path / "archive"
    workplace(directory).rmdir()
    Part(directory, "a.zip", "0a", 7, lambda _: None)

    assert directory.is_dir()
