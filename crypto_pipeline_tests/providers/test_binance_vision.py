"""Binance's archive: where its files lie, and what its errors mean."""

import pytest

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RequestRejected,
    TransientError,
)
from crypto_pipeline.market.intervals import INTERVALS
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.providers.archive import Period, stem_of
from crypto_pipeline.providers.binance_vision import BINANCE_VISION, BINANCE_VISION_USDM
from crypto_pipeline.providers.declaration import Provider, Reply
from crypto_pipeline.providers.parsing import parsed
from crypto_pipeline.settings_sections import ProviderSettings
from crypto_pipeline_tests.market.examples import series_of

GONE = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Key>a</Key></Error>"


@pytest.mark.parametrize(
    ("provider", "period", "stem"),
    [
        (BINANCE_VISION, "monthly", "/data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-"),
        (BINANCE_VISION_USDM, "daily", "/data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-"),
    ],
    ids=["spot", "futures"],
)
def test_files_lie_where_binance_puts_them(provider: Provider, period: Period, stem: str) -> None:
    """By market, period, symbol and interval."""
    assert stem == stem_of(provider, series_of(), period)


@pytest.mark.parametrize(
    "provider", [BINANCE_VISION, BINANCE_VISION_USDM], ids=lambda one: one.name
)
def test_archive_is_of_a_venue(provider: Provider) -> None:
    """There are files of all that the venue's candles are of, and all are listed by the bucket."""
    archive = provider.archive
    assert archive is not None
    candles = PROVIDERS[archive.venue].candles

    assert candles is not None
    assert set(archive.intervals) <= set(INTERVALS)
    assert set(candles.intervals) == set(archive.intervals)
    assert archive.listing_url.startswith("https://s3")
    assert {"3d", "1w"} == archive.monthly_only


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(404, {}, GONE), RequestRejected, "HTTP 404: NoSuchKey"),
        (Reply(503, {}, b"<Error><Code>SlowDown</Code></Error>"), TransientError, "SlowDown"),
        (Reply(403, {}, b""), HostRefused, "HTTP 403"),
        (Reply(200, {"content-type": "text/html"}, b"<html>"), MalformedReply, "web page"),
    ],
    ids=["gone", "slow down", "refused", "page"],
)
def test_errors_are_told_by_the_buckets_word(
    reply: Reply, kind: type[ProviderError], said: str
) -> None:
    """The code of the XML, where there is one."""
    fault = BINANCE_VISION.fault(reply)

    assert kind is type(fault)
    assert said in str(fault)


@pytest.mark.parametrize("status", [200, 206])
def test_file_is_no_error(status: int) -> None:
    """Whatever its bytes are."""
    assert BINANCE_VISION.fault(Reply(status, {"content-type": "application/zip"}, GONE)) is None


def test_saved_listing_is_read() -> None:
    """``providers parse`` shows the files that a page tells of."""
    contents = (
        "<Key>data/x/BTCUSDT-1m-2024-01.zip</Key><Size>7</Size><ETag>&quot;0a&quot;</ETag>"
        "<LastModified>2024-02-05T02:00:00.000Z</LastModified>"
    )
    page = f"<ListBucketResult><IsTruncated>false</IsTruncated><Contents>{contents}</Contents>"
    (row,) = parsed(BINANCE_VISION, "ohlc", Reply(200, {}, f"{page}</ListBucketResult>".encode()))

    assert ("/data/x/BTCUSDT-1m-2024-01.zip", 7, "0a") == (row["file"], row["size"], row["etag"])


def test_address_of_ones_own_lists_the_files_too() -> None:
    """Nobody who sets a base URL is sent to the real bucket."""
    own = ProviderSettings(base_url="http://127.0.0.1:8787/binance_vision")
    moved, real = (one.applied(BINANCE_VISION, {}) for one in (own, ProviderSettings()))

    assert moved.archive is not None
    assert moved.base_url == moved.archive.listing_url == "http://127.0.0.1:8787/binance_vision"
    assert BINANCE_VISION == real
