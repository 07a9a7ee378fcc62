"""CoinMarketCap: prices, and its own index of fear and greed; nothing without a key."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import (
    HostRefused,
    MalformedReply,
    ProviderError,
    RateLimited,
    RequestRejected,
)
from crypto_pipeline.frames.observations import IndexValue, Observation, Price
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import (
    Asker,
    History,
    Key,
    Limits,
    Provider,
    Question,
    Reply,
    Snapshot,
)
from crypto_pipeline.providers.prices import known_as, rows_by_name, table
from crypto_pipeline.providers.reading import (
    from_iso,
    from_seconds,
    number,
    optional_number,
    text,
)
from crypto_pipeline.providers.replies import REFUSAL_PAUSE, http_fault, json_body, reading

_INDEX = "fear-and-greed"
_MOST_COINS = 100
_MOST_DAYS = 500
_MOST_PAGES = 20
_MINUTE = 60.0
_PASSING = ("1008", "1011")
"""Too many requests this minute: by this key, from this address."""
_USED_UP = ("1009", "1010")
"""The allowance of the day, of the month."""


def _fault(reply: Reply) -> ProviderError | None:
    """Every body has a ``status`` whose ``error_code`` is 0 unless it is an error, even under a 200.

    What a plan does not hold is a 403 for that question alone, so the host is not left alone for it.
    """
    try:
        body = json_body(reply)
        status = body["status"] if isinstance(body, dict) else {}
        code, said = str(status["error_code"]), str(status.get("error_message") or "")
    except (MalformedReply, KeyError, TypeError, AttributeError) as error:
        malformed = MalformedReply("no status.error_code in the body")
        return http_fault(reply) or (error if isinstance(error, MalformedReply) else malformed)
    told = f"{code} {said}".strip()
    if code in _PASSING:
        return RateLimited(told, retry_after=reply.retry_after or _MINUTE)
    if code in _USED_UP:
        return HostRefused(told, retry_after=reply.retry_after or REFUSAL_PAUSE)
    if code.isdecimal() and int(code) >= 1000:  # noqa: PLR2004 - its own codes; others are HTTP's
        return RequestRejected(told)
    return http_fault(reply, told) or (None if code == "0" else RequestRejected(told))


def _question(names: Sequence[str]) -> Question:
    """``skip_invalid`` keeps one coin that was taken off from spoiling the rest."""
    return Question(
        "/v1/cryptocurrency/quotes/latest",
        {"id": ",".join(names), "convert": "USD", "skip_invalid": "true"},
    )


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    for name, row in table(body["data"]).items():
        told = row["quote"]["USD"]
        if told["price"] is not None:
            yield name, price_of(told)


def price_of(told: Any) -> Price:
    """The price in one ``quote.USD``, which every one of its endpoints tells alike."""
    return Price(
        from_iso(told["last_updated"]),
        number(told["price"]),
        optional_number(told["market_cap"]),
        optional_number(told["volume_24h"]),
        optional_number(told["percent_change_24h"]),
    )


def _index(series: str) -> str | None:
    return _INDEX if series == "cmc_fear_greed" else None


def _latest(reply: Reply) -> Mapping[str, Observation]:
    def read(body: Any) -> dict[str, Observation]:
        told = body["data"]
        moment, word = from_iso(told["update_time"]), text(told["value_classification"])
        return {_INDEX: IndexValue(moment, number(told["value"]), word)}

    return reading(read, reply)


async def _past_index(ask: Asker, _: str, window: Window, _slot: timedelta) -> Sequence[IndexValue]:
    """Pages go back from the newest day, for it cannot be asked for by date."""
    found: list[IndexValue] = []
    for _page in range(_MOST_PAGES):
        params = {"start": len(found) + 1, "limit": _MOST_DAYS}
        page = await ask(Question("/v3/fear-and-greed/historical", params), _days)
        found += page
        days = [one.observed_at for one in page if one.observed_at]
        if len(page) < _MOST_DAYS or min(days) < window.start:
            break
    return found


def _days(reply: Reply) -> list[IndexValue]:
    def read(body: Any) -> list[IndexValue]:
        return [_day(row) for row in body["data"]]

    return reading(read, reply)


def _day(row: Any) -> IndexValue:
    word = text(row["value_classification"])
    return IndexValue(from_seconds(row["timestamp"]), number(row["value"]), word)


COINMARKETCAP = Provider(
    name="coinmarketcap",
    title="CoinMarketCap",
    docs="https://coinmarketcap.com/api/documentation/v1/",
    base_url="https://pro-api.coinmarketcap.com",
    limits=Limits(weight_per_minute=30, concurrency=1),
    fault=_fault,
    history="its index of fear and greed, every day since 2023-06-29",
    key=Key(env="COINMARKETCAP_API_KEY", header="X-CMC_PRO_API_KEY"),
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=known_as("coinmarketcap"),
                question=_question,
                rows=rows_by_name(_prices),
                most=_MOST_COINS,
            ),
            "sentiment": Snapshot(_index, lambda _: Question("/v3/fear-and-greed/latest"), _latest),
        }
    ),
    histories=MappingProxyType(
        {"sentiment": History(_index, _past_index, span=timedelta(days=_MOST_DAYS))}
    ),
)
