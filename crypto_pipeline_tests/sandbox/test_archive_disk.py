"""An archive's files that lie on this disk are served as they are."""

import os
from hashlib import sha256
from pathlib import Path

import httpx

from .archive_client import is_whole, key, listed
from .conftest import Start

READY = key("BTCUSDT", "1m", "2026-01")
ODD = key("BTCUSDT", "1m", "2030-01")
BODY = bytes(range(256)) * 4096


def put(folder: Path, path: str, body: bytes) -> None:
    """A file at the path that is its key."""
    at = folder / path[1:]
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_bytes(body)


def test_a_file_on_disk_comes_instead_of_a_made_one(tmp_path: Path, start: Start) -> None:
    """Byte for byte, in parts too, with the checksum of its bytes; others are made as ever."""
    put(tmp_path, READY, BODY)
    sandbox, _ = start(archive_directory=tmp_path)
    with httpx.Client(base_url=sandbox.base_url("binance_vision")) as client:
        whole = client.get(READY)
        part = client.get(
            READY, headers={"range": "bytes=1000-", "if-range": whole.headers["etag"]}
        )

        assert BODY == whole.content
        assert (206, BODY[1000:]) == (part.status_code, part.content)
        assert is_whole(client, READY)
        assert is_whole(client, key("BTCUSDT", "1h", "2026-01"))


def test_a_changed_file_has_another_tag_and_checksum(tmp_path: Path, start: Start) -> None:
    """Its hash is kept only for as long as it is the same file."""
    sandbox, _ = start(archive_directory=tmp_path)
    tags = set()
    with httpx.Client(base_url=sandbox.base_url("binance_vision")) as client:
        for number, body in enumerate((BODY, BODY[::-1])):
            put(tmp_path, READY, body)
            os.utime(tmp_path / READY[1:], (number, number))
            assert client.get(f"{READY}.CHECKSUM").text.split()[0] == sha256(body).hexdigest()
            tags.add(client.get(READY).headers["etag"])

    assert 2 == len(tags)


def test_a_checksum_on_disk_is_served_as_it_is(tmp_path: Path, start: Start) -> None:
    """Right or wrong."""
    put(tmp_path, READY, BODY)
    put(tmp_path, f"{READY}.CHECKSUM", b"not a checksum")
    sandbox, _ = start(archive_directory=tmp_path)

    assert (
        b"not a checksum"
        == httpx.get(f"{sandbox.base_url('binance_vision')}{READY}.CHECKSUM").content
    )


def test_files_on_disk_are_listed_among_the_others(tmp_path: Path, start: Start) -> None:
    """With their true size, whatever the clock says; what is no file of a series is passed over."""
    put(tmp_path, READY, BODY)
    put(tmp_path, ODD, BODY)
    put(tmp_path, READY.replace("2026-01", "now"), BODY)
    sandbox, _ = start(archive_directory=tmp_path)
    with httpx.Client(base_url=sandbox.base_url("binance_vision")) as client:
        found = listed(client, "data/spot/monthly/klines/BTCUSDT/1m/").objects()
        sizes = {f"/{one['Key']}": one["Size"] for one in found}
        client.get(READY)

    assert sorted(sizes) == list(sizes)
    assert [str(len(BODY))] * 2 == [sizes[READY], sizes[ODD]]
    assert [f"/{one['Key']}" for one in found][-2:] == [ODD, f"{ODD}.CHECKSUM"]
    assert 2 * 104 == len(found)


def test_faults_of_delivery_strike_files_on_disk(tmp_path: Path, start: Start) -> None:
    """As those that are made."""
    put(tmp_path, READY, BODY)
    sandbox, _ = start(archive_directory=tmp_path)
    with httpx.Client(base_url=sandbox.base_url("binance_vision")) as client:
        sandbox.order("listed_but_gone:times=1", "wrong_checksum:times=1", "missing_file:ETHUSDT")

        assert [404, 200] == [client.get(READY).status_code for _ in range(2)]
        assert [False, True] == [is_whole(client, READY) for _ in range(2)]
