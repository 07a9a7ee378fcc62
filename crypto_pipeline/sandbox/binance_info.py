"""The ``exchangeInfo`` of Binance spot: its limits, and each symbol's rules.

Docs: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-endpoints
"""

from collections.abc import Sequence
from typing import Any

import orjson

from crypto_pipeline.sandbox.listings import E8

ORDER_TYPES = [
    *("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS"),
    *("STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"),
]
SELF_TRADE_MODES = ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]
SWITCHES = (
    *("allowTrailingStop", "amendAllowed", "cancelReplaceAllowed", "icebergAllowed"),
    *("isMarginTradingAllowed", "isSpotTradingAllowed", "ocoAllowed", "otoAllowed"),
    "quoteOrderQtyMarketAllowed",
)
PRECISIONS = (
    *("baseAssetPrecision", "baseCommissionPrecision"),
    *("quoteAssetPrecision", "quoteCommissionPrecision", "quotePrecision"),
)
MOST = "9000000.00000000"
RULES: list[dict[str, Any]] = orjson.loads("""[
    {"filterType": "ICEBERG_PARTS", "limit": 10},
    {"filterType": "MARKET_LOT_SIZE",
     "minQty": "0.00000000", "maxQty": "1000.00000000", "stepSize": "0.00000000"},
    {"filterType": "TRAILING_DELTA",
     "minTrailingAboveDelta": 10, "maxTrailingAboveDelta": 2000,
     "minTrailingBelowDelta": 10, "maxTrailingBelowDelta": 2000},
    {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "bidMultiplierDown": "0.2",
     "askMultiplierUp": "5", "askMultiplierDown": "0.2", "avgPriceMins": 5},
    {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": true,
     "maxNotional": "9000000.00000000", "applyMaxToMarket": false, "avgPriceMins": 5},
    {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
    {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5}
]""")
"""The filters that are the same for every symbol here."""


def exchange_info(symbols: Sequence[dict[str, Any]], limit: int, now: int) -> bytes:
    """``limit`` is the request weight a minute."""
    limits = (
        ("REQUEST_WEIGHT", "MINUTE", 1, limit),
        ("ORDERS", "SECOND", 10, 100),
        ("ORDERS", "DAY", 1, 200_000),
        ("RAW_REQUESTS", "MINUTE", 5, 61_000),
    )
    names = ("rateLimitType", "interval", "intervalNum", "limit")
    body = {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": [dict(zip(names, values, strict=True)) for values in limits],
        "exchangeFilters": [],
        "symbols": symbols,
    }
    return orjson.dumps(body)


def symbol_info(base: str, quote: str, tick: int, step: int) -> dict[str, Any]:
    """One symbol; ``tick`` and ``step`` are in units of 1e-8."""
    price, amount = _printed(tick), _printed(step)
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": price, "maxPrice": MOST, "tickSize": price},
        {"filterType": "LOT_SIZE", "minQty": amount, "maxQty": MOST, "stepSize": amount},
        *RULES,
    ]
    return {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "orderTypes": ORDER_TYPES,
        "filters": filters,
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": SELF_TRADE_MODES,
        **dict.fromkeys(PRECISIONS, 8),
        **dict.fromkeys(SWITCHES, True),
    }


def _printed(value: int) -> str:
    return f"{value // E8}.{value % E8:08d}"
