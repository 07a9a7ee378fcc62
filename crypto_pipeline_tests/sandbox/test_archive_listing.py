"""The archive's listing: as an S3 bucket tells of its keys, page by page."""

import time
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_pipeline.sandbox.archive_listing import Entry, Question
from crypto_pipeline.sandbox.server import Sandbox

from .archive_client import Listed, key, listed, pages
from .conftest import Start

DAYS = "data/spot/daily/klines/SOLUSDT/1h/"
MONTHS = "data/spot/monthly/klines/SOLUSDT/1h/"


@pytest.fixture
def vision(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of the shared sandbox's archive; no fault survives the test."""
    with httpx.Client(base_url=shared.base_url("binance_vision")) as client:
        yield client
    shared.clear_faults()
    shared.clear_requests()


def test_a_folder_is_listed_completely_page_by_page(vision: httpx.Client) -> None:
    """Every day since the listing once, each zip with its checksum behind it, in order."""
    found = list(pages(vision, DAYS))
    keys = [one["Key"] for page in found for one in page.objects()]

    assert [1000, 1000, 1000, 1000, 62] == [len(page.keys()) for page in found]
    assert ["true"] * 4 + ["false"] == [page.text("IsTruncated") for page in found]
    assert sorted(set(keys)) == keys
    assert [f"{zipped}.CHECKSUM" for zipped in keys[::2]] == keys[1::2]
    assert [f"{DAYS}SOLUSDT-1h-{day}.zip" for day in ("2020-08-11", "2026-03-03")] == [
        keys[0],
        keys[-2],
    ]


def test_a_page_says_what_it_is_a_page_of(vision: httpx.Client) -> None:
    """The prefix, the marker, the most keys, and each object's time, tag and size."""
    marker = f"{MONTHS}SOLUSDT-1h-2026-01.zip.CHECKSUM"
    page = listed(vision, MONTHS, marker=marker)
    told = {name: page.text(name) for name in ("Prefix", "Marker", "MaxKeys", "IsTruncated")}
    zipped, checksum = page.objects()

    assert {"Prefix": MONTHS, "Marker": marker, "MaxKeys": "1000", "IsTruncated": "false"} == told
    assert [f"{MONTHS}SOLUSDT-1h-2026-02.zip", "2026-03-02T02:00:00.000Z", "STANDARD"] == [
        zipped[name] for name in ("Key", "LastModified", "StorageClass")
    ]
    assert f"{zipped['Key']}.CHECKSUM" == checksum["Key"]
    assert zipped["ETag"] != checksum["ETag"]


def test_the_listing_says_of_a_file_what_the_file_says(vision: httpx.Client) -> None:
    """Its tag from the start; its size about, and exactly once it was made."""
    before = listed(vision, MONTHS).objects()[:2]
    whole, checksum = (vision.get(f"/{one['Key']}") for one in before)
    after = listed(vision, MONTHS).objects()[0]

    assert [one["ETag"] for one in before] == [whole.headers["etag"], checksum.headers["etag"]]
    assert str(len(checksum.content)) == before[1]["Size"]
    assert 0.5 < int(before[0]["Size"]) / len(whole.content) < 2
    assert str(len(whole.content)) == after["Size"]
    assert before[0]["ETag"] == after["ETag"]


def test_folders_are_common_prefixes(vision: httpx.Client) -> None:
    """Periods, symbols and intervals, each once, in pages too."""
    root = "data/spot/"
    symbols = f"{root}daily/klines/"
    intervals = listed(vision, f"{symbols}BTCUSDT/").folders()

    assert [f"{root}daily/", f"{root}monthly/"] == listed(vision, root).folders()
    assert 12 == len(listed(vision, symbols).folders())
    assert [
        one for page in pages(vision, symbols, **{"max-keys": 5}) for one in page.folders()
    ] == listed(vision, symbols).folders()
    assert {"1s", "1m", "1h", "1d"} < {path.split("/")[-2] for path in intervals}
    assert not {"3d", "1w"} & {path.split("/")[-2] for path in intervals}
    assert (
        f"{root}monthly/klines/BTCUSDT/1w/"
        in listed(vision, f"{root}monthly/klines/BTCUSDT/").folders()
    )


def test_without_a_delimiter_the_last_key_is_the_next_marker(vision: httpx.Client) -> None:
    """S3 names the next marker only when it rolls keys up."""
    first = listed(vision, MONTHS, delimiter="", **{"max-keys": 3})
    second = listed(vision, MONTHS, delimiter="", marker=first.keys()[-1], **{"max-keys": 3})

    assert (None, "true") == (first.text("NextMarker"), first.text("IsTruncated"))
    assert listed(vision, MONTHS).keys()[:6] == [*first.keys(), *second.keys()]


def test_a_prefix_can_end_within_a_name(vision: httpx.Client) -> None:
    """As a month of days, or one file."""
    month = listed(vision, f"{DAYS}SOLUSDT-1h-2024-02").keys()
    one = listed(vision, f"{DAYS}SOLUSDT-1h-2024-02-29.zip").keys()

    assert 2 * 29 == len(month)
    assert [f"{DAYS}SOLUSDT-1h-2024-02-29.zip{end}" for end in ("", ".CHECKSUM")] == one
    assert [] == listed(vision, "data/spot/daily/klines/NONEUSDT/1h/").keys()


def test_it_is_asked_with_and_without_a_slash(shared: Sandbox) -> None:
    """The bucket's name is the last part of its address, or has a slash behind."""
    for end in ("", "/"):
        reply = httpx.get(shared.base_url("binance_vision_usdm") + end, params={"max-keys": 2})
        assert ["data/futures/um/daily/klines/ADAUSDT/12h/ADAUSDT-12h-2019-09-08.zip"] == Listed(
            reply
        ).keys()[:1]


@pytest.mark.parametrize("wrong", [{"max-keys": "-1"}, {"max-keys": "many"}, {"delimiter": "-"}])
def test_what_it_does_not_know_is_refused(vision: httpx.Client, wrong: dict[str, str]) -> None:
    """400 in S3's words."""
    reply = vision.get("/", params=wrong)

    assert (400, True) == (reply.status_code, "<Code>InvalidArgument</Code>" in reply.text)


def test_a_full_page_makes_no_file_and_takes_no_time(vision: httpx.Client) -> None:
    """A thousand keys, client included, in less than one file of seconds takes to make."""
    prefix = "data/spot/daily/klines/BTCUSDT/1s/"
    listed(vision, prefix)
    started = time.process_time()
    found = listed(vision, prefix).keys()

    assert 1000 == len(found)
    assert time.process_time() - started < 0.3


def test_a_listing_can_be_refused_and_its_files_served(start: Start) -> None:
    """A fault tells it by its path and prefix."""
    sandbox, _ = start()
    sandbox.order(f"503:path=/binance_vision/?prefix={DAYS}")
    base = sandbox.base_url("binance_vision")
    told = [httpx.get(f"{base}/?prefix={prefix}") for prefix in (DAYS, MONTHS)]

    assert [503, 200] == [reply.status_code for reply in told]
    assert "<Code>SlowDown</Code>" in told[0].text
    assert 200 == httpx.get(base + key("SOLUSDT", "1h", "2026-02")).status_code


class Shelf:
    """A folder of keys that are just there."""

    def __init__(self, path: str, names: list[str]) -> None:
        self.path = path
        self.keys = sorted(path + name for name in names)

    def entries(self, prefix: str, marker: str) -> Iterator[Entry]:
        """As promised."""
        for one in self.keys:
            if one.startswith(prefix) and one > marker:
                yield Entry(one, 0, "", 0)


NAMES = st.lists(st.text("ab.", min_size=1, max_size=3), unique=True, max_size=6)


@settings(deadline=None)
@given(
    folders=st.dictionaries(st.sampled_from(["a/", "a/b/", "a/c/d/", "b/", "b/a/"]), NAMES),
    prefix=st.sampled_from(["", "a", "a/", "a/b", "b/", "c"]),
    delimiter=st.sampled_from(["", "/"]),
    most=st.integers(1, 7),
)
def test_pages_of_any_size_tell_the_same(
    folders: dict[str, list[str]], prefix: str, delimiter: str, most: int
) -> None:
    """What one page would tell is told by many, each thing once."""
    shelves = [Shelf(path, names) for path, names in sorted(folders.items())]
    shelves = [one for one in shelves if one.path not in {"a/", "b/"}]

    def page(marker: str, most: int) -> Listed:
        question = Question(prefix, delimiter, marker, most)
        return Listed(httpx.Response(200, content=question.page(shelves)))

    whole, told, marker = page("", 1000), [], ""
    while True:
        part = page(marker, most)
        told += [*part.keys(), *part.folders()]
        if part.text("IsTruncated") == "false":
            break
        marker = part.text("NextMarker") or part.keys()[-1]

    assert sorted([*whole.keys(), *whole.folders()]) == told
