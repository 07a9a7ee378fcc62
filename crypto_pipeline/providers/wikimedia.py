"""How often people read the English Wikipedia's article on Bitcoin: attention, not opinion.

Docs: https://doc.wikimedia.org/generated-data-platform/aqs/analytics-api/
A day: {"article": "Bitcoin", "timestamp": "2015070100", "views": 6126, …}, oldest first.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from crypto_pipeline.errors import ProviderError
from crypto_pipeline.frames.observations import IndexValue
from crypto_pipeline.market.windows import Window
from crypto_pipeline.providers.declaration import Asker, History, Limits, Provider, Question, Reply
from crypto_pipeline.providers.reading import text, whole
from crypto_pipeline.providers.replies import by_body, http_fault, reading

ARTICLES = MappingProxyType({"bitcoin_pageviews": "Bitcoin"})
"""The article that a series counts the readers of."""
_PATH = "/api/rest_v1/metrics/pageviews/per-article/en.wikipedia/all-access/user/{}/daily/{}/{}"
_LEAD = timedelta(days=7)
"""Asked for before a window: days without any data, like the newest ones, would be a 404."""
_MICROSECOND = timedelta(microseconds=1)


async def _history(ask: Asker, name: str, window: Window, _: timedelta) -> Sequence[IndexValue]:
    """Both days of the path are inclusive; crawlers are not counted."""
    start, end = window.start - _LEAD, window.end - _MICROSECOND
    days = await ask(Question(_PATH.format(name, f"{start:%Y%m%d}", f"{end:%Y%m%d}")), read_days)
    return [one for one in days if one.observed_at and one.observed_at in window]


def read_days(reply: Reply) -> list[IndexValue]:
    """The days of an answer."""

    def read(body: Any) -> list[IndexValue]:
        return [_day(row) for row in body["items"]]

    return reading(read, reply)


def _day(row: Any) -> IndexValue:
    day = datetime.strptime(text(row["timestamp"]), "%Y%m%d00").replace(tzinfo=UTC)
    return IndexValue(day, Decimal(whole(row["views"])))


@by_body
def _fault(reply: Reply, body: object) -> ProviderError | None:
    """Errors are problem+json with a ``detail``; a 404 means no day that was asked for has data."""
    return http_fault(reply, str(body.get("detail", "")) if isinstance(body, dict) else "")


WIKIMEDIA = Provider(
    name="wikimedia",
    title="Wikimedia pageviews",
    docs="https://doc.wikimedia.org/generated-data-platform/aqs/analytics-api/",
    base_url="https://wikimedia.org",
    limits=Limits(weight_per_minute=60, concurrency=2),
    fault=_fault,
    history="every day since 2015-07-01, a day after it has ended",
    histories=MappingProxyType(
        {"sentiment": History(name=ARTICLES.get, rows=_history, span=timedelta(days=730))}
    ),
)
