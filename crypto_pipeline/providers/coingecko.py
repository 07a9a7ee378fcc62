"""CoinGecko: prices of all assets at once, and those of the last day at five minutes."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import ProviderError, RateLimited, RequestRejected
from crypto_pipeline.frames.observations import Price
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
from crypto_pipeline.providers.prices import rows_by_name, table
from crypto_pipeline.providers.reading import (
    from_milliseconds,
    from_seconds,
    number,
    optional_number,
)
from crypto_pipeline.providers.replies import DEFAULT_PAUSE, by_body, http_fault, reading

_COINS_A_PAGE = 250
_DAY = timedelta(days=1)


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are ``{"error": …}`` or ``{"status": {"error_code": …, "error_message": …}}``.

    A wrong key or plan (10002 to 10011) is no ban: waiting does not help, nor does it stop other work.
    """
    code, said = _told(body)
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(said, retry_after=reply.retry_after or DEFAULT_PAUSE)
    if code is not None and reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return RequestRejected(said)
    return http_fault(reply, said) or (RequestRejected(said) if said else None)


def _told(body: object) -> tuple[object, str]:
    """The code and message of an error; neither where the body is an answer."""
    if not isinstance(body, dict):
        return None, ""
    status = body["status"] if isinstance(body.get("status"), dict) else {}
    code = body.get("error_code", status.get("error_code"))
    words = (code, body.get("error"), status.get("error_message"))
    return code, " ".join(str(one) for one in words if isinstance(one, str | int))


def _question(names: Sequence[str]) -> Question:
    return Question(
        "/simple/price",
        {
            "ids": ",".join(names),
            "vs_currencies": "usd",
            "include_market_cap": "true",
            "include_24hr_vol": "true",
            "include_24hr_change": "true",
            "include_last_updated_at": "true",
        },
    )


def _prices(body: Any) -> Iterator[tuple[str, Price]]:
    for name, told in table(body).items():
        # A coin without a price is an empty object, or one that holds nulls.
        if table(told).get("usd") is not None:
            yield (
                name,
                Price(
                    from_seconds(told["last_updated_at"]),
                    number(told["usd"]),
                    optional_number(told.get("usd_market_cap")),
                    optional_number(told.get("usd_24h_vol")),
                    optional_number(told.get("usd_24h_change")),
                ),
            )


async def _past(ask: Asker, name: str, _window: Window, _slot: timedelta) -> Sequence[Price]:
    """The whole last day: a range that does not end now is told hourly, this one every five minutes."""
    question = Question(f"/coins/{name}/market_chart", {"vs_currency": "usd", "days": 1})
    return await ask(question, _chart)


def _chart(reply: Reply) -> list[Price]:
    """Three columns of ``[time, value]`` side by side; the last point is the present one."""

    def read(body: Any) -> list[Price]:
        columns = (body["prices"], body["market_caps"], body["total_volumes"])
        points = zip(*columns, strict=True)
        return [_point(*point) for point in points if point[0][1] is not None]

    return reading(read, reply)


def _point(price: Any, cap: Any, volume: Any) -> Price:
    told = number(price[1])
    return Price(
        from_milliseconds(price[0]), told, optional_number(cap[1]), optional_number(volume[1])
    )


COINGECKO = Provider(
    name="coingecko",
    title="CoinGecko",
    docs="https://docs.coingecko.com/v3.0.1/reference/introduction",
    base_url="https://api.coingecko.com/api/v3",
    limits=Limits(weight_per_minute=10, concurrency=1),
    fault=_fault,
    history="five-minute prices of the last day",
    key=Key(env="COINGECKO_API_KEY", header="x-cg-demo-api-key", is_required=False),
    snapshots=MappingProxyType(
        {
            "market_prices": Snapshot(
                name=str,
                question=_question,
                rows=rows_by_name(_prices),
                most=_COINS_A_PAGE,
            )
        }
    ),
    histories=MappingProxyType({"market_prices": History(str, _past, span=_DAY, depth=_DAY)}),
)
