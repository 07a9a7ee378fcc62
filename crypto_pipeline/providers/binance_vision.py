"""Binance's archive: every candle of spot and of USD-M futures, in a zip for each month and day.

Docs: https://github.com/binance/binance-public-data
Files are served by a CDN, and listed by the bucket behind it, whose errors are ``<Error><Code>…``.
"""

import re
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType

from crypto_pipeline.errors import MalformedReply, ProviderError
from crypto_pipeline.market.instruments import Instrument
from crypto_pipeline.market.intervals import INTERVALS
from crypto_pipeline.providers.declaration import ArchiveEndpoint, Limits, Provider, Reply
from crypto_pipeline.providers.replies import http_fault

_CODE = re.compile(rb"<Code>(\w+)</Code>")


def _symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}"


def _fault(reply: Reply) -> ProviderError | None:
    if reply.status < HTTPStatus.BAD_REQUEST and reply.content_type == "text/html":
        return MalformedReply(f"HTTP {reply.status} with a web page where a file is due")
    code = _CODE.search(reply.body) if reply.status >= HTTPStatus.BAD_REQUEST else None
    return http_fault(reply, code[1].decode() if code else "")


_SPOT = ArchiveEndpoint(
    venue="binance",
    listing_url="https://s3-ap-northeast-1.amazonaws.com/data.binance.vision",
    folder="/data/spot/{period}/klines/{symbol}/{interval}/",
    intervals=MappingProxyType({name: name for name in INTERVALS}),
    monthly_only=frozenset({"3d", "1w"}),
)

BINANCE_VISION = Provider(
    name="binance_vision",
    title="Binance's archive of spot",
    docs="https://github.com/binance/binance-public-data",
    base_url="https://data.binance.vision",
    limits=Limits(weight_per_minute=3000),
    symbol=_symbol,
    fault=_fault,
    history="every candle since 2017-08 or the pair's listing, to yesterday; in files",
    archive=_SPOT,
)

BINANCE_VISION_USDM = replace(
    BINANCE_VISION,
    name="binance_vision_usdm",
    title="Binance's archive of USD-M futures",
    history="every candle since 2020-01 or the contract's listing, to yesterday; in files",
    archive=replace(
        _SPOT,
        venue="binance_usdm",
        folder="/data/futures/um/{period}/klines/{symbol}/{interval}/",
        intervals=MappingProxyType({name: name for name in INTERVALS if name != "1s"}),
    ),
)
