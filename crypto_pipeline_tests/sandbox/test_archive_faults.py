"""What can be wrong with an archive: its files, their checksums, and what its listing says of them."""

import io
from collections.abc import Iterator
from itertools import pairwise
from zipfile import BadZipFile, ZipFile
from zlib import error as BadDeflate  # noqa: N812 - an exception by its name

import httpx
import pytest

from crypto_pipeline.errors import UsageError
from crypto_pipeline.sandbox.faults import DELIVERY, FILES, Fault
from crypto_pipeline.sandbox.server import Sandbox

from .archive_client import USDM, is_whole, key, listed, table

DAYS = [key("BTCUSDT", "1h", f"2026-02-{day:02}") for day in range(1, 6)]
FOLDER = "data/spot/daily/klines/BTCUSDT/1h/"
HIT, SPARED = DAYS[2], (DAYS[1], DAYS[3])
OF_HIT = "BTCUSDT:2026-02-03/2026-02-04"


@pytest.fixture
def vision(shared: Sandbox) -> Iterator[httpx.Client]:
    """A client of the shared sandbox's archive; no fault survives the test."""
    with httpx.Client(base_url=shared.base_url("binance_vision")) as client:
        yield client
    shared.clear_faults()
    shared.clear_requests()


def keys(vision: httpx.Client) -> list[str]:
    """What is listed of the five days, each with a slash before."""
    page = listed(vision, f"{FOLDER}BTCUSDT-1h-2026-02-0")
    return [f"/{found['Key']}" for found in page.objects()][:10]


def test_a_corrupt_zip_has_the_right_checksum(shared: Sandbox, vision: httpx.Client) -> None:
    """It was damaged before it was hashed: what fails is the reading of it."""
    sound = vision.get(HIT)
    shared.order(f"corrupt_zip:{OF_HIT}")

    assert is_whole(vision, HIT)
    assert vision.get(HIT).headers["etag"] != sound.headers["etag"]
    with pytest.raises((BadZipFile, BadDeflate)):
        table(vision.get(HIT))
    assert [24, 24] == [len(table(vision.get(path))) for path in SPARED]


@pytest.mark.parametrize(("interval", "stem"), [("1d", "2026-02-01"), ("1w", "2026-01")])
def test_the_smallest_zip_can_be_corrupt(
    shared: Sandbox, vision: httpx.Client, interval: str, stem: str
) -> None:
    """Its directory is sound, its one row is not."""
    shared.order("corrupt_zip:BTCUSDT")
    body = vision.get(key("BTCUSDT", interval, stem)).content

    with ZipFile(io.BytesIO(body)) as archive, pytest.raises((BadZipFile, BadDeflate)):
        archive.read(archive.namelist()[0])


def test_a_wrong_checksum_is_of_another_file(shared: Sandbox, vision: httpx.Client) -> None:
    """As often as it is ordered; the zip is sound."""
    shared.order(f"wrong_checksum:{OF_HIT}:times=1")

    assert 24 == len(table(vision.get(HIT)))
    assert [True, False, True] == [is_whole(vision, one) for one in (SPARED[0], HIT, HIT)]


def test_a_checksum_can_be_missing(shared: Sandbox, vision: httpx.Client) -> None:
    """404 beside a sound zip, for as long as it is ordered."""
    shared.order(f"no_checksum:{OF_HIT}")

    assert [404, 404, 200] == [
        vision.get(f"{one}.CHECKSUM").status_code for one in (HIT, HIT, SPARED[0])
    ]
    assert 24 == len(table(vision.get(HIT)))
    shared.clear_faults()
    assert is_whole(vision, HIT)


def test_a_listed_file_can_be_gone(shared: Sandbox, vision: httpx.Client) -> None:
    """The listing promises what a request does not find."""
    shared.order(f"listed_but_gone:{OF_HIT}:times=1")

    assert HIT in keys(vision)
    assert [200, 404, 200] == [vision.get(one).status_code for one in (SPARED[0], HIT, HIT)]


def test_a_file_can_be_missing_in_the_middle(shared: Sandbox, vision: httpx.Client) -> None:
    """Neither listed nor there, nor its checksum; those before and after it are."""
    before = keys(vision)
    shared.order(f"missing_file:{OF_HIT}")

    assert [one for one in before if HIT not in one] == keys(vision)[:8]
    assert [404, 404] == [vision.get(HIT + end).status_code for end in ("", ".CHECKSUM")]


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_file_can_have_a_column_more(shared: Sandbox, market: str) -> None:
    """Thirteen, in the header too; its checksum fits."""
    is_spot = market == "spot"
    base = shared.base_url("binance_vision" if is_spot else "binance_vision_usdm")
    path = HIT if is_spot else HIT.replace("/data/spot", f"/{USDM}")
    shared.order("odd_columns")
    with httpx.Client(base_url=base) as client:
        assert {13} == {len(row) for row in table(client.get(path))}
        assert is_whole(client, path)
    shared.clear_faults()


def test_a_file_can_count_in_another_unit(shared: Sandbox, vision: httpx.Client) -> None:
    """In seconds: of the same instants, with ten digits."""
    sound = table(vision.get(HIT))
    shared.order(f"odd_unit:{OF_HIT}")
    rows = table(vision.get(HIT))

    assert [[one[0][:10], *one[1:6], one[6][:10], *one[7:]] for one in sound] == rows
    assert is_whole(vision, HIT)


def test_a_file_can_be_issued_again(shared: Sandbox, vision: httpx.Client) -> None:
    """One candle is another, and so are the tag, the time and the checksum; once more for each order."""
    issues = []
    for _ in range(3):
        (said,) = (one for one in listed(vision, FOLDER + HIT.rpartition("/")[2]).objects()[:1])
        issues.append((said, vision.get(HIT), vision.get(f"{HIT}.CHECKSUM").text))
        assert is_whole(vision, HIT)
        shared.order(f"reissue:{OF_HIT}")
    tables = [table(reply) for _, reply, _ in issues]

    assert [1, 1] == [
        sum(one != other for one, other in zip(*pair, strict=True)) for pair in pairwise(tables)
    ]
    assert 3 == len({said["LastModified"] for said, _, _ in issues})
    assert 3 == len({checksum for _, _, checksum in issues})
    assert [said["ETag"] for said, _, _ in issues] == [
        reply.headers["etag"] for _, reply, _ in issues
    ]
    assert all(float(row[9]) <= float(row[5]) for rows in tables for row in rows)


def test_a_fault_can_be_of_one_file(shared: Sandbox, vision: httpx.Client) -> None:
    """By its path: the month is wrong, the days are not."""
    month = key("BTCUSDT", "1h", "2026-02")
    shared.order(f"odd_unit:path=/binance_vision{month}")

    assert 10 == len(table(vision.get(month))[0][0])
    assert 16 == len(table(vision.get(HIT))[0][0])


def test_a_fault_can_be_of_one_symbol(shared: Sandbox, vision: httpx.Client) -> None:
    """And of one market by the beginning of the path."""
    shared.order("missing_file:ETHUSDT:path=/binance_vision/")
    ether = HIT.replace("BTC", "ETH")
    futures = shared.base_url("binance_vision_usdm") + ether.replace("/data/spot", f"/{USDM}")

    assert [404, 200, 200] == [vision.get(one).status_code for one in (ether, HIT, futures)]


def test_faults_of_transport_and_refusals_strike_files(
    shared: Sandbox, vision: httpx.Client
) -> None:
    """In the words of what stands before the bucket."""
    kinds = ("429", "418", "451", "403_html", "500", "503", "garbage", "html")
    shared.order(*(f"{kind}:BTCUSDT:times=1" for kind in kinds), "429:times=1,retry_after=7")
    replies = [vision.get(HIT) for _ in kinds]
    last = vision.get(HIT)

    assert [429, 418, 451, 403, 500, 503, 200, 200] == [one.status_code for one in replies]
    assert (429, "7") == (last.status_code, last.headers["retry-after"])
    assert not any(one.content.startswith(b"PK") for one in replies)


def test_files_can_be_wrong_without_a_span_or_within_one() -> None:
    """What holds while it stands is not dealt out; what is met by requests is."""
    span = "2026-01-02/2026-01-03"
    for kind in FILES + DELIVERY:
        assert [kind, kind] == [Fault.parse(kind).kind, Fault.parse(f"{kind}:{span}").kind]
        with pytest.raises(UsageError, match="need START/END"):
            Fault.parse(f"{kind}:2026-01-03/2026-01-02")
    for kind in FILES:
        with pytest.raises(UsageError, match="for ever"):
            Fault.parse(f"{kind}:times=1")


def test_faults_of_files_spare_what_is_no_file(shared: Sandbox, vision: httpx.Client) -> None:
    """Listings, and the exchange."""
    before = keys(vision)
    shared.order(*DELIVERY, *(f"{kind}:ETHUSDT" for kind in FILES))
    candles = httpx.get(f"{shared.base_url()}/api/v3/klines?symbol=BTCUSDT&interval=1h")

    assert before == keys(vision)
    assert 500 == len(candles.json())
