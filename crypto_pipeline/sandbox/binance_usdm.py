"""Binance USD-M futures: spot's protocol under other paths, where a page's weight depends on its limit.

Docs: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from crypto_pipeline.sandbox.binance import Binance
from crypto_pipeline.sandbox.binance_parameters import DEFAULT_LIMIT
from crypto_pipeline.sandbox.faults import FaultBook
from crypto_pipeline.sandbox.listings import LISTINGS
from crypto_pipeline.sandbox.settings import SandboxSettings

FIRST_CONTRACT = datetime(2019, 9, 8, 17, 57, tzinfo=UTC)
QUARTERLY = "BTCUSDT_{:%y%m%d}"
HEAVIEST = 10
WEIGHTS = ((99, 1), (499, 2), (1000, 5))
"""Up to so many rows, so much; more take the heaviest."""


class BinanceUsdm(Binance):
    """The public part of fapi.binance.com; what is recorded was recorded elsewhere."""

    name = "binance_usdm"
    listings = tuple(replace(one, listed_at=max(one.listed_at, FIRST_CONTRACT)) for one in LISTINGS)
    klines_at = "/fapi/v1/klines"
    info_at = "/fapi/v1/exchangeInfo"
    default_weight_limit = 2400
    most_rows = 1500

    def __init__(self, settings: SandboxSettings, book: FaultBook) -> None:
        super().__init__(replace(settings, recorded=None), book)

    def weight(self, path: str, request: Request) -> int:
        """By the limit of a page, whatever it holds; all else is light."""
        if path != self.klines_at:
            return 1
        told = request.query_params.get("limit", "")
        limit = int(told) if told.isdecimal() else DEFAULT_LIMIT
        return next((weight for most, weight in WEIGHTS if limit <= most), HEAVIEST)

    def symbol_info(self, base: str, quote: str, tick: int, step: int) -> dict[str, Any]:
        """A contract says its kind, and in which money its margin is."""
        told = super().symbol_info(base, quote, tick, step)
        kind = {"pair": told["symbol"], "contractType": "PERPETUAL", "marginAsset": quote}
        return {**told, **kind}

    def symbols(self) -> dict[str, dict[str, Any]]:
        """Also a contract that ends, which is no perpetual one."""
        known = super().symbols()
        quarterly = QUARTERLY.format(self._settings.clock())
        if "BTCUSDT" in known:
            kind = {"symbol": quarterly, "contractType": "CURRENT_QUARTER"}
            known[quarterly] = {**known["BTCUSDT"], **kind}
        return known
