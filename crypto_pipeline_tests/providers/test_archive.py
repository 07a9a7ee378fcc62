"""The archive over real HTTP: what is listed, and what bringing a file here does when something is wrong."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto_pipeline.errors import (
    DamagedFile,
    HostRefused,
    MalformedReply,
    RequestRejected,
    StorageFull,
    TransientError,
)
from crypto_pipeline.market.series import CandleSeries
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.archive import (
    ArchiveFile,
    Downloaded,
    Listing,
    download,
    list_files,
    listing_page,
)
from crypto_pipeline.providers.client import MAX_ATTEMPTS, Client, Fetch
from crypto_pipeline.providers.declaration import Provider
from crypto_pipeline.providers.downloading import MARGIN
from crypto_pipeline.providers.hiding import host_of
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline_tests.conftest import REPOSITORY
from crypto_pipeline_tests.market.examples import series_of
from crypto_pipeline_tests.providers.asking import Asking, Browser
from crypto_pipeline_tests.providers.conftest import Answering

NOON = datetime(2025, 2, 10, 12, tzinfo=UTC)
HOURS = series_of(interval="1h")
PAGE = """<?xml version="1.0"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<IsTruncated>{truncated}</IsTruncated>{entries}</ListBucketResult>"""
ENTRY = """<Contents><Key>{key}</Key><LastModified>2024-02-05T02:00:00.000Z</LastModified>
<ETag>&quot;0a1b&quot;</ETag><Size>{size}</Size></Contents>"""


@pytest.fixture(scope="module")
def market() -> Iterator[Sandbox]:
    """A sandbox whose clock stands still: January has been published, February goes to the 9th."""
    with running(SandboxSettings(weight_limit=None, clock=lambda: NOON)) as one:
        yield one


def at(url: str, name: str = "binance_vision") -> Provider:
    """An archive at an address that lists and serves it."""
    archive = PROVIDERS[name].archive
    assert archive is not None
    return replace(PROVIDERS[name], base_url=url, archive=replace(archive, listing_url=url))


@pytest.fixture
def asking(sandbox: Sandbox, browser: Browser) -> Asking:
    """The archive of spot at the sandbox."""
    return Asking(at(sandbox.base_url("binance_vision")), browser)


def listed(asking: Asking, start: datetime, end: datetime, series: CandleSeries = HOURS) -> Listing:
    """What is listed of a window."""
    return asking.run(lambda client: list_files(client, series, Window(start, end)))


def dates(files: tuple[ArchiveFile, ...]) -> list[str]:
    """The dates in the files' names."""
    return [file.name.removesuffix(".zip").partition("1h-")[2] for file in files]


def day_of(year: int, month: int, day: int) -> datetime:
    """A midnight."""
    return datetime(year, month, day, tzinfo=UTC)


def month(asking: Asking) -> ArchiveFile:
    """January's file."""
    (file,) = listed(asking, day_of(2025, 1, 1), day_of(2025, 2, 1)).months
    asking.fetches.clear()
    return file


def fetched(asking: Asking, file: ArchiveFile, directory: Path, tries: int = MAX_ATTEMPTS) -> bytes:
    """Download a file and read it."""
    return brought(asking, file, directory, tries).at.read_bytes()


def brought(
    asking: Asking,
    file: ArchiveFile,
    directory: Path,
    tries: int = MAX_ATTEMPTS,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Downloaded:
    """Download a file."""

    async def work(client: Client) -> Downloaded:
        client.attempts = tries
        return await download(client, HOURS, file, directory, on_bytes)

    return asking.run(work)


class Ordering(list[Fetch]):
    """A log of requests that orders faults once the checksum is here, so that they meet the file."""

    def __init__(self, sandbox: Sandbox, *faults: str) -> None:
        super().__init__()
        self._order = sandbox, faults

    def append(self, fetch: Fetch) -> None:
        """Log it."""
        super().append(fetch)
        if fetch.path.endswith(".CHECKSUM"):
            sandbox, faults = self._order
            sandbox.order(*faults)


def held(directory: Path) -> list[str]:
    """What kinds of files lie in a directory."""
    return sorted(one.suffix for one in directory.glob("*")) if directory.is_dir() else []


def outcomes(asking: Asking) -> list[tuple[int | None, str]]:
    """The status and error of each request for a zip."""
    return [
        (one.status, type(one.error).__name__)
        for one in asking.fetches
        if one.path.endswith(".zip")
    ]


def test_months_and_then_days_are_listed(asking: Asking, sandbox: Sandbox) -> None:
    """A month that is published is listed as one; days only where no month is, up to yesterday's."""
    found = listed(asking, datetime(2024, 11, 15, tzinfo=UTC), NOON)

    assert ["2024-11", "2024-12", "2025-01"] == dates(found.months)
    assert [f"2025-02-0{day}" for day in range(1, 10)] == dates(found.days)
    assert Window(day_of(2024, 12, 1), day_of(2025, 1, 1)) == found.months[1].window
    assert Window(day_of(2025, 2, 1), day_of(2025, 2, 2)) == found.days[0].window
    assert [(200, 3), (200, 9)] == [(one.status, one.rows) for one in asking.fetches]
    assert 2 == len(sandbox.requests())


def test_window_of_listed_months_takes_one_request(asking: Asking, sandbox: Sandbox) -> None:
    """Nobody asks for days that a month holds; files before the window are not even sent."""
    found = listed(asking, day_of(2025, 1, 7), day_of(2025, 1, 8))

    assert (["2025-01"], []) == (dates(found.months), dates(found.days))
    assert "data/spot/monthly/klines/BTCUSDT/1h/" == sandbox.requests()[0].query["prefix"]
    assert [1] == [one.rows for one in asking.fetches]


def test_listing_of_many_pages_is_read_until_the_window_ends(
    asking: Asking, sandbox: Sandbox
) -> None:
    """A page holds 500 zips and their checksums; what comes after the window is not asked for."""
    sandbox.order("missing_file:path=/binance_vision/data/spot/monthly/")
    found = listed(asking, day_of(2020, 1, 1), day_of(2022, 6, 1))

    assert ((), 882) == (found.months, len(found.days))
    assert found.days[0].window.start == day_of(2020, 1, 1)
    assert found.days[-1].window.end == day_of(2022, 6, 1)
    assert 3 == len(sandbox.requests())


def test_series_before_its_listing_has_no_files(asking: Asking) -> None:
    """An empty listing is an answer."""
    assert Listing() == listed(asking, day_of(2016, 1, 1), day_of(2016, 3, 1))


def test_interval_without_daily_files_has_months_alone(asking: Asking, sandbox: Sandbox) -> None:
    """Days of weeks are not asked for."""
    weeks = series_of(interval="1w")
    found = listed(asking, day_of(2024, 12, 1), NOON, weeks)

    assert (2, ()) == (len(found.months), found.days)
    assert 1 == len(sandbox.requests())


def test_interval_that_there_are_no_files_of_is_rejected(
    sandbox: Sandbox, browser: Browser
) -> None:
    """Nothing is asked; the reason is told."""
    futures = Asking(at(sandbox.base_url("x"), "binance_vision_usdm"), browser)
    with pytest.raises(RequestRejected, match="binance_vision_usdm has no files of 1s candles"):
        listed(futures, day_of(2024, 1, 1), NOON, series_of(interval="1s"))

    assert [] == sandbox.requests()


def test_listing_is_asked_of_the_bucket_and_files_of_the_cdn(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Each host has its own allowance, pause and health."""
    assert asking.provider.archive is not None
    cdn = sandbox.base_url("binance_vision")
    asking.provider = replace(asking.provider, base_url=cdn.replace("127.0.0.1", "localhost"))
    brought(asking, month(asking), tmp_path)

    hosts = [host for host, _, _ in asking.pacing.reserved]
    assert [host_of(cdn), *[host_of(asking.provider.base_url)] * 2] == hosts


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "<html/>",
        "{}",
        "<Error><Code>InternalError</Code></Error>",
        PAGE.format(truncated="true", entries=""),
        PAGE.format(truncated="true", entries=ENTRY.format(key="a-2023-12.zip", size=1)),
        PAGE.format(truncated="false", entries="<Contents><Size>1</Size></Contents>"),
        PAGE.format(truncated="false", entries=ENTRY.format(key="a-2024-01.zip", size="x")),
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        "<?xml version='1.0' encoding='no-such'?><x/>",
    ],
    ids=range(11),
)
def test_listing_of_another_shape_is_malformed(body: str) -> None:
    """Neither a page of another site nor one that never ends is taken for an empty listing."""
    with pytest.raises(MalformedReply):
        listing_page(body.encode(), "a-2024")


def test_entities_do_not_grow_without_bound() -> None:
    """A small body cannot fill the memory."""
    nested = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 100}">' for n in range(1, 9))
    with pytest.raises(MalformedReply):
        listing_page(f'<!DOCTYPE x [<!ENTITY e0 "x">{nested}]><x>&e8;</x>'.encode())


def test_keys_that_are_no_files_are_passed_over() -> None:
    """Checksums, dates that are none, and whatever else lies there."""
    keys = [
        *("a-2024-01.zip", "a-2024-01.zip.CHECKSUM", "a-2024-13.zip", "a-2024-02-30.zip"),
        *(
            "a-2024-1.zip",
            "a-0000-01.zip",
            "a.zip",
            "readme.txt",
            "a-2024-02-29.zip",
            "9999-12.zip",
        ),
        "a-9999-12.zip",
    ]
    entries = "".join(ENTRY.format(key=key, size=7) for key in keys)
    page = listing_page(PAGE.format(truncated="false", entries=entries).encode())

    assert ["a-2024-01.zip", "a-2024-02-29.zip"] == [file.name for file in page.files]
    assert ("0a1b", 7) == (page.files[0].etag, page.files[0].size)
    assert datetime(2024, 2, 5, 2, tzinfo=UTC) == page.files[0].modified_at


def test_key_of_another_place_is_no_file_of_the_series(
    answering: Callable[..., Answering], browser: Browser
) -> None:
    """A listing cannot have us ask for, or write, what it likes."""
    stem = "data/spot/monthly/klines/BTCUSDT/1h/"
    keys = [f"{stem}BTCUSDT-1h-../../x-2024-01.zip", f"{stem}ETHUSDT-1h-2024-01.zip"]
    entries = "".join(ENTRY.format(key=key, size=7) for key in keys)
    server = answering(200, PAGE.format(truncated="false", entries=entries).encode())
    asking = Asking(at(server.url), browser)

    assert Listing() == listed(asking, day_of(2024, 1, 1), day_of(2024, 2, 1))


def test_refused_listing_is_told_as_any_request(asking: Asking, sandbox: Sandbox) -> None:
    """A block is a block, with its pause."""
    sandbox.order("451")
    with pytest.raises(HostRefused, match="binance_vision refuses this address"):
        listed(asking, day_of(2024, 1, 1), NOON)


def test_file_comes_whole_and_verified(asking: Asking, tmp_path: Path) -> None:
    """Nothing lies beside it, and every chunk was told of."""
    chunks: list[int] = []
    file = month(asking)
    found = brought(asking, file, tmp_path / "new", on_bytes=chunks.append)
    body = found.at.read_bytes()

    assert ("BTCUSDT-1h-2025-01.zip", file) == (
        found.at.name.partition(".zip")[0] + ".zip",
        found.file,
    )
    assert hashlib.sha256(body).hexdigest() == found.sha256
    assert ["BTCUSDT-1h-2025-01.csv"] == zipfile.ZipFile(found.at).namelist()
    assert len(body) == sum(chunks)
    assert [".part"] == held(tmp_path / "new")


def test_download_is_paced_noted_and_logged(asking: Asking, tmp_path: Path) -> None:
    """Checksum and file each take their weight, and are in the log with bytes, time and status."""
    body = fetched(asking, month(asking), tmp_path)
    checksum, zipped = asking.fetches

    assert 3000 == asking.provider.limits.weight_per_minute
    assert 3 == len(asking.pacing.reserved) == len(asking.pacing.noted)
    assert (200, len(body), 0, None) == (zipped.status, zipped.size, zipped.rows, zipped.error)
    assert (f"{zipped.path}.CHECKSUM", 200) == (checksum.path, checksum.status)
    assert zipped.window == Window(day_of(2025, 1, 1), day_of(2025, 2, 1))
    assert (HOURS, True) == (zipped.series, zipped.seconds > 0)


def test_cut_download_goes_on_where_it_was(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Each try brings half of the rest; together they are the file, byte for byte."""
    file = month(asking)
    whole = fetched(asking, file, tmp_path / "whole")
    asking.fetches = Ordering(sandbox, "cut_body:times=2")
    again = fetched(asking, file, tmp_path / "cut")
    _, *cut = asking.fetches

    assert whole == again
    assert [(None, "TransientError")] * 2 + [(206, "NoneType")] == outcomes(asking)
    assert len(whole) == sum(one.size for one in cut)
    assert 2 == len(asking.pacing.slept)
    assert [".part"] == held(tmp_path / "cut")


def test_next_call_goes_on_with_what_an_earlier_one_left(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Nothing that is here comes twice, whoever asked for it."""
    whole = fetched(asking, month(asking), tmp_path / "whole")
    file = month(asking)
    left = tmp_path / f"{file.name}.{file.etag}.part"
    left.write_bytes(whole[:20_000])
    sandbox.clear_requests()

    assert whole == fetched(asking, file, tmp_path)
    assert [200, 206] == [one.status for one in asking.fetches]
    assert len(whole) - 20_000 == asking.fetches[-1].size


def test_whole_file_that_nobody_has_read_is_not_asked_for_again(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Who died between the last byte and the reading of it has lost nothing."""
    whole = fetched(asking, month(asking), tmp_path)
    sandbox.clear_requests()

    assert whole == fetched(asking, month(asking), tmp_path)
    assert [".CHECKSUM"] == [
        Path(one.path).suffix for one in sandbox.requests() if "data" in one.path
    ]


def test_tries_that_are_used_up_leave_the_part(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The file is not there under its name, and the next call has less to ask for."""
    file = month(asking)
    asking.fetches = Ordering(sandbox, "cut_body:times=2")
    with pytest.raises(TransientError):
        brought(asking, file, tmp_path, 2)
    (part,) = tmp_path.glob("*.part")
    left, asking.fetches = part.stat().st_size, []

    assert len(fetched(asking, file, tmp_path)) == left + asking.fetches[-1].size
    assert 206 == asking.fetches[-1].status


def test_whole_part_is_verified_without_a_request(asking: Asking, tmp_path: Path) -> None:
    """A process that was killed between the last byte and the name costs the checksum alone."""
    whole = fetched(asking, month(asking), tmp_path / "whole")
    file = month(asking)
    (tmp_path / f"{file.name}.{file.etag}.part").write_bytes(whole)

    assert whole == fetched(asking, file, tmp_path)
    assert [f"{file.path}.CHECKSUM"] == [one.path for one in asking.fetches]


def test_file_that_was_issued_again_begins_anew(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Half of one issue and half of another are no file."""
    old = fetched(asking, month(asking), tmp_path / "old")
    file = month(asking)
    (tmp_path / f"{file.name}.{file.etag}.part").write_bytes(old[:20_000])
    sandbox.order("reissue")
    new = fetched(asking, file, tmp_path)

    assert old != new
    assert [(200, "NoneType")] == outcomes(asking)


def test_part_of_an_earlier_issue_is_cleared_away(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """What nobody will go on with does not stay on the disk."""
    file = month(asking)
    (tmp_path / f"{file.name}.{file.etag}.part").write_bytes(b"old")
    sandbox.order("reissue")
    fetched(asking, month(asking), tmp_path)

    assert [".part"] == held(tmp_path)


@pytest.mark.parametrize("left", [b"", b"damaged on this disk"])
def test_wrong_checksum_leaves_nothing(
    asking: Asking, sandbox: Sandbox, tmp_path: Path, left: bytes
) -> None:
    """The file is named with what was promised and what came; it is asked for once."""
    file = month(asking)
    (tmp_path / f"{file.name}.{file.etag}.part").write_bytes(left)
    if not left:
        sandbox.order("wrong_checksum")
    with pytest.raises(
        DamagedFile, match=r"BTCUSDT-1h-2025-01.zip .* sha256 \w{12}… is promised, \w{12}… came"
    ):
        brought(asking, file, tmp_path)

    assert [] == held(tmp_path)
    assert [(206 if left else 200, "DamagedFile")] == outcomes(asking)


def test_file_without_a_checksum_is_not_asked_for(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Nothing is stored that cannot be held against what was published."""
    sandbox.order("no_checksum")
    with pytest.raises(DamagedFile, match=r"-01.zip has no checksum to be held against \(HTTP 404"):
        brought(asking, month(asking), tmp_path)

    assert [] == outcomes(asking)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"abc  a-2024-01.zip\n", b"0" * 64, b"%b  other.zip" % (b"0" * 64)],
)
def test_checksum_that_is_none_is_told(
    answering: Callable[..., Answering], browser: Browser, body: bytes, tmp_path: Path
) -> None:
    """A page, another file's checksum, half a line."""
    asking = Asking(at(answering(200, body).url), browser)
    file = ArchiveFile("/x/a-2024-01.zip", Window(NOON, NOON + DAY), 7, "0a", NOON)
    with pytest.raises(DamagedFile, match=r"a-2024-01.zip cannot be held against its checksum"):
        brought(asking, file, tmp_path)

    assert 1 == len(asking.fetches)


def test_listed_file_that_is_gone_can_come_back(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It rules nothing out: one 404 is no word on the series."""
    sandbox.order("listed_but_gone")
    with pytest.raises(TransientError, match="is listed but not there") as failure:
        brought(asking, month(asking), tmp_path)

    assert TransientError is type(failure.value)
    assert [(404, "RequestRejected")] == outcomes(asking)
    assert ["answered"] * 3 == [told.outcome for _, told in asking.pacing.noted]


def test_web_page_in_place_of_a_file_is_tried_again(
    asking: Asking, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Maintenance is no damage."""
    file = month(asking)
    asking.fetches = Ordering(sandbox, "html:times=2")

    assert fetched(asking, file, tmp_path)
    assert [(200, "MalformedReply")] * 2 + [(200, "NoneType")] == outcomes(asking)


def test_file_larger_than_the_disk_is_not_begun(asking: Asking, tmp_path: Path) -> None:
    """The directory, what it has and what is needed are named before the first byte."""
    file = replace(month(asking), size=10**15)
    with pytest.raises(StorageFull, match=f"{tmp_path} has .* MB free, and BTC.* needs 1000000"):
        brought(asking, file, tmp_path)

    assert MARGIN == 64_000_000
    assert [] == outcomes(asking)


def test_directory_that_cannot_be_is_told(asking: Asking, tmp_path: Path) -> None:
    """Whatever the system says about it is one sentence with the place."""
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(StorageFull, match=r"file/new cannot take BTC.*: Not a directory"):
        brought(asking, month(asking), tmp_path / "file" / "new")


def test_two_processes_do_not_touch_each_others_files(asking: Asking, tmp_path: Path) -> None:
    """The second has a place of its own while the first lives."""
    code = (
        "import sys, pathlib; from crypto_pipeline.providers.downloading import workplace;"
        "print(workplace(pathlib.Path(sys.argv[1])), flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        first = other.stdout.readline().strip()
        found = brought(asking, month(asking), tmp_path)
        other.communicate("\n")

    assert (str(tmp_path), tmp_path / "2") == (first, found.at.parent)
