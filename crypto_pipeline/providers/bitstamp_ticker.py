"""Bitstamp's last prices of all coins in dollars, for want of those of all markets."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.bitstamp import BITSTAMP
from crypto_pipeline.providers.declaration import Provider, Question, Snapshot
from crypto_pipeline.providers.prices import by_symbol, rows_by_name
from crypto_pipeline.providers.reading import from_seconds, number, optional_number, text

_MOST = 500


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    """The change is the pair's own, in the last 24 hours."""
    for row in body:
        if text(row["pair"]).endswith("/USD"):
            change = optional_number(row["percent_change_24"])
            moment = from_seconds(row["timestamp"])
            yield row["pair"], Price(moment, number(row["last"]), change_24h_pct=change)


BITSTAMP_TICKER = Provider(
    name="bitstamp_ticker",
    title="Bitstamp's prices in dollars",
    docs="https://www.bitstamp.net/api/#tag/Tickers",
    base_url=BITSTAMP.base_url,
    limits=BITSTAMP.limits,
    fault=BITSTAMP.fault,
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=by_symbol("{}/USD".format),
                question=lambda _: Question("/api/v2/ticker/"),
                rows=rows_by_name(_prices),
                most=_MOST,
            )
        }
    ),
)
