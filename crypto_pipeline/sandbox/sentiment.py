"""The indices of the sandbox: alternative.me's Fear & Greed, and Wikimedia's readers of an article.

Docs: https://alternative.me/crypto/fear-and-greed-index/#api
https://doc.wikimedia.org/generated-data-platform/aqs/analytics-api/
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from crypto_pipeline.sandbox.refusals import Refusal, Words
from crypto_pipeline.sandbox.service import Given, Service

DAY = timedelta(days=1)
FIRST_INDEX = date(2018, 2, 1)
NEVER_PUBLISHED = {
    *(date(2018, 4, 14), date(2018, 4, 15), date(2018, 4, 16)),
    date(2024, 10, 26),
}
FIRST_VIEWS = date(2015, 7, 1)
ARTICLES = ("Bitcoin", "Ethereum")
BANDS = ((25, "Extreme Fear"), (46, "Fear"), (54, "Neutral"), (75, "Greed"), (100, "Extreme Greed"))
NO_DATA = (
    "The date(s) you used are valid, but we either do not have data for those date(s), or the "
    "project you asked for is not loaded yet. Please check documentation for more information"
)


def drawn(*key: object) -> int:
    """A number from the key alone."""
    digest = hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def index_of(day: date, seed: int) -> int:
    """The Fear & Greed Index of a day."""
    return 5 + drawn(seed, "fng", day) % 91


def _problem(status: int, title: str, detail: str) -> Refusal:
    return Refusal(status, {"status": status, "title": title, "detail": detail})


class AlternativeMe(Service):
    """The newest values first, as texts."""

    name = "alternative_me"
    words = Words(
        unknown_symbol=Refusal(404, {"metadata": {"error": "not found"}}),
        bad_request=Refusal(400, {"metadata": {"error": "bad request"}}),
        too_many=Refusal(429, {"metadata": {"error": "too many requests"}}),
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """The one path there is."""
        return {"/fng/": self._fng}

    def _fng(self, given: Given) -> object:
        now, limit = self.settings.clock(), int(given.get("limit", 1))
        data: list[dict[str, str]] = []
        day = now.date()
        while day >= FIRST_INDEX and (limit == 0 or len(data) < limit):
            if day not in NEVER_PUBLISHED:
                data.append(self._printed(day))
            day -= DAY
        if data:
            left = datetime.combine(now.date() + DAY, time(), UTC) - now
            data[0]["time_until_update"] = str(int(left.total_seconds()))
        return {"name": "Fear and Greed Index", "data": data, "metadata": {"error": None}}

    def _printed(self, day: date) -> dict[str, str]:
        value = index_of(day, self.settings.seed)
        return {
            "value": str(value),
            "value_classification": next(word for most, word in BANDS if value <= most),
            "timestamp": str(int(datetime.combine(day, time(), UTC).timestamp())),
        }


class Wikimedia(Service):
    """Daily views of articles, a day after the day."""

    name = "wikimedia"
    words = Words(
        unknown_symbol=_problem(404, "Not Found", NO_DATA),
        bad_request=_problem(
            400, "Bad Request", "start timestamp is invalid, must be a valid date"
        ),
        too_many=_problem(429, "Too many requests", "Too many requests"),
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Views of one article by day."""
        prefix = "/api/rest_v1/metrics/pageviews/per-article/en.wikipedia/all-access/user"
        path = r"/(?P<article>[^/]+)/daily/(?P<start>\d{8})/(?P<end>\d{8})"
        return {prefix + path: self._views}

    def _views(self, given: Given) -> object:
        published = self.settings.clock().date() - DAY
        first, last = (date.fromisoformat(given[key]) for key in ("start", "end"))
        day, items = max(first, FIRST_VIEWS), list[dict[str, Any]]()
        while day <= min(last, published) and given["article"] in ARTICLES:
            items.append(self._printed(given["article"], day))
            day += DAY
        if not items:
            raise self.words.unknown_symbol
        return {"items": items}

    def _printed(self, article: str, day: date) -> dict[str, Any]:
        return {
            "project": "en.wikipedia",
            "article": article,
            "granularity": "daily",
            "timestamp": f"{day:%Y%m%d}00",
            "access": "all-access",
            "agent": "user",
            "views": 5_000 + drawn(self.settings.seed, article, day) % 20_000,
        }


INDICES: tuple[type[Service], ...] = (AlternativeMe, Wikimedia)
