"""Gemini's last price of a coin in dollars, for want of that of all markets."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from crypto_pipeline.frames.observations import Price
from crypto_pipeline.providers.declaration import Provider, Question, Snapshot
from crypto_pipeline.providers.gemini import GEMINI
from crypto_pipeline.providers.prices import by_symbol, rows_by_name
from crypto_pipeline.providers.reading import number, text


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    yield text(body["symbol"]).upper(), Price(None, number(body["close"]))


GEMINI_TICKER = Provider(
    name="gemini_ticker",
    title="Gemini's prices in dollars",
    docs="https://docs.gemini.com/rest/market-data",
    base_url=GEMINI.base_url,
    limits=GEMINI.limits,
    fault=GEMINI.fault,
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=by_symbol("{}USD".format),
                question=lambda names: Question(f"/v2/ticker/{names[0]}"),
                rows=rows_by_name(_prices),
            )
        }
    ),
)
