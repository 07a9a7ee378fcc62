"""Binance USD-M futures: spot's rows and words under other paths; only perpetual contracts.

Docs: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
What a page costs depends on its limit, and 499 rows for 2 are the most for the allowance.
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from crypto_pipeline.providers.binance import BINANCE, listed
from crypto_pipeline.providers.declaration import InstrumentEndpoint, Limits, Listed, Reply
from crypto_pipeline.providers.pairs import all_listed
from crypto_pipeline.providers.reading import text
from crypto_pipeline.providers.replies import reading


def _listed(row: Any) -> Listed | None:
    """A contract without an end; what ends on a day is an instrument of its own, and not ours."""
    return listed(row) if text(row["contractType"]) == "PERPETUAL" else None


def _instruments(reply: Reply) -> list[Listed]:
    def read(body: Any) -> list[Listed]:
        return all_listed(body["symbols"], _listed)

    return reading(read, reply)


assert BINANCE.candles is not None

BINANCE_USDM = replace(
    BINANCE,
    name="binance_usdm",
    title="Binance USD-M futures",
    docs="https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info",
    base_url="https://fapi.binance.com",
    mirrors=(),
    limits=Limits(weight_per_minute=2400, concurrency=8, used_weight_header="x-mbx-used-weight-1m"),
    history="every candle since 2019-09 or the contract's listing",
    candles=replace(
        BINANCE.candles,
        path="/fapi/v1/klines",
        page_limit=1500,
        weight=10,
        weights=((99, 1), (499, 2), (1000, 5)),
        intervals=MappingProxyType(
            {name: told for name, told in BINANCE.candles.intervals.items() if name != "1s"}
        ),
    ),
    instruments=InstrumentEndpoint(
        path="/fapi/v1/exchangeInfo",
        weight=1,
        params=MappingProxyType({}),
        rows=_instruments,
    ),
)
