"""CryptoPanic, NewsAPI, GDELT and Hacker News' Algolia over the sandbox's newsroom, each in its own words."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zlib import crc32

from starlette.requests import Request

from crypto_pipeline.sandbox.faults import PAGES, REFUSALS, Asked, Fault, FaultBook, disarranged
from crypto_pipeline.sandbox.newsroom import EPOCH, Newsroom, Story
from crypto_pipeline.sandbox.publishers import tracked
from crypto_pipeline.sandbox.refusals import Refusal, Words
from crypto_pipeline.sandbox.service import Given, Service
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.sandbox.venues import HTML, Reply

TEXT = "text/plain"
GDELT_SLOW_DOWN = (
    "Please limit requests to one every 5 seconds or contact the project for larger queries."
)
_FILTER = re.compile(r"created_at_i>(\d+),created_at_i<(\d+)")


class NewsService(Service):
    """A service over the newsroom, whose rows can come in disorder."""

    def __init__(self, settings: SandboxSettings, book: FaultBook) -> None:
        super().__init__(settings, book)
        self.newsroom = Newsroom(settings.seed)
        self._kinds: Sequence[str] = ()

    def asked(self, path: str, _: Request) -> Asked:
        """Every question is one for a page."""
        return Asked(f"/{self.name}{path}", is_page=True)

    def reply(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """As every service, with rows in the disorder that is ordered."""
        self._kinds = [fault.kind for fault in faults if fault.kind in PAGES]
        return super().reply(path, request, faults)

    def between(self, start: datetime, end: datetime, most: int) -> list[Story]:
        """The newest articles of a window as far as it is past, at most so many."""
        past = min(end, self.settings.clock() + timedelta(seconds=1))
        found = self.newsroom.between(start, past)[:most] if start < past else []
        return [found[at] for at in disarranged(len(found), self._kinds)]


class CryptoPanic(NewsService):
    """The newest twenty posts; each is an article of a publisher."""

    name = "cryptopanic"
    words = Words(
        unknown_symbol=Refusal(404, {"status": "Incorrect", "info": "Not found"}),
        bad_request=Refusal(400, {"status": "Incorrect", "info": "Bad request"}),
        too_many=Refusal(429, {"status": "Incorrect", "info": "Rate limit exceeded"}),
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Its one path."""
        return {"/api/developer/v2/posts/": self._posts}

    def _posts(self, given: Given) -> object:
        if not given.get("auth_token"):
            raise Refusal(401, {"status": "Incorrect", "info": "Token not found"})
        now = self.settings.clock()
        found = self.between(now - timedelta(days=1), now, 20)
        return {"next": None, "previous": None, "results": [self._post(one) for one in found]}

    def _post(self, story: Story) -> object:
        positive, negative = self.newsroom.votes(story)
        number = crc32(story.url.encode())
        publisher = story.publisher
        return {
            "id": number,
            "slug": "-".join(story.title.split()),
            "title": story.title,
            "description": story.summary,
            "published_at": story.at.isoformat().replace("+00:00", "Z"),
            "kind": "news",
            "source": {"title": publisher.title, "region": "en", "domain": publisher.domain},
            "original_url": tracked(story, "cryptopanic"),
            "url": f"https://cryptopanic.com/news/{number}/",
            "instruments": [{"code": story.code, "title": story.code}],
            "votes": {"positive": positive, "negative": negative, "important": 0},
        }


class NewsApi(NewsService):
    """Everything of a window: a hundred articles and no more, none of the last day."""

    name = "newsapi"
    words = Words(
        unknown_symbol=Refusal(404, {"status": "error", "code": "notFound", "message": "?"}),
        bad_request=Refusal(
            400, {"status": "error", "code": "parametersMissing", "message": "from and to are due"}
        ),
        too_many=Refusal(
            429,
            {
                "status": "error",
                "code": "rateLimited",
                "message": "You have made too many requests recently.",
            },
        ),
    )

    def reply(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """The key first."""
        if not request.headers.get("x-api-key") and not _is_refused(faults):
            missing = {
                "status": "error",
                "code": "apiKeyMissing",
                "message": "Your API key is missing.",
            }
            return Refusal(401, missing).reply()
        return super().reply(path, request, faults)

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Its one path."""
        return {"/v2/everything": self._everything}

    def _everything(self, given: Given) -> object:
        start, last = (_iso(given[name]) for name in ("from", "to"))
        now = self.settings.clock()
        if start < now - timedelta(days=30):
            words = "You are trying to request results too far in the past."
            raise Refusal(426, {"status": "error", "code": "parameterInvalid", "message": words})
        end = min(last + timedelta(seconds=1), now - timedelta(days=1))
        found = self.between(start, end, 100)
        return {
            "status": "ok",
            "totalResults": len(found),
            "articles": [
                {
                    "source": {"id": None, "name": one.publisher.title},
                    "title": one.title,
                    "description": one.summary,
                    "url": one.url,
                    "publishedAt": f"{one.at:%Y-%m-%dT%H:%M:%SZ}",
                }
                for one in found
            ],
        }


class Gdelt(NewsService):
    """What was crawled in a window: 250 articles and no more; it says what is wrong in plain text."""

    name = "gdelt"
    words = Words(
        unknown_symbol=Refusal(404, {}),
        bad_request=Refusal(400, {}),
        too_many=Refusal(429, {}),
    )

    def reply(self, path: str, request: Request, faults: Sequence[Fault]) -> Reply:
        """Its own words for a pace that is too fast, and for a question that is wrong."""
        slow = next((fault for fault in faults if fault.kind == "429"), None)
        if slow:
            wait = {} if slow.retry_after is None else {"retry-after": str(slow.retry_after)}
            return Reply(429, GDELT_SLOW_DOWN.encode(), TEXT, wait)
        found = super().reply(path, request, faults)
        if found.status == 400 and not _is_refused(faults):  # noqa: PLR2004 - HTTP's own number
            return Reply(200, b"The specified start date is invalid.", HTML)
        return found

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Its one path."""
        return {"/api/v2/doc/doc": self._artlist}

    def _artlist(self, given: Given) -> object:
        start, last = (
            datetime.strptime(given[name], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            for name in ("startdatetime", "enddatetime")
        )
        most = min(int(given["maxrecords"]), 250)
        found = self.between(start, last + timedelta(seconds=1), most)
        rows = [
            {
                "url": one.url,
                "url_mobile": "",
                "title": one.title,
                "seendate": f"{one.at:%Y%m%dT%H%M%SZ}",
                "socialimage": "",
                "domain": one.publisher.domain,
                "language": "English",
                "sourcecountry": "United States",
            }
            for one in found
        ]
        return {"articles": rows} if rows else {}


class HnAlgolia(NewsService):
    """Stories with a term in their title, by date; some are questions without an address."""

    name = "hn_algolia"
    words = Words(
        unknown_symbol=Refusal(404, {"message": "not found", "status": 404}),
        bad_request=Refusal(400, {"message": "invalid numericFilters", "status": 400}),
        too_many=Refusal(429, {"message": "Too many requests", "status": 429}),
    )

    def answers(self) -> Mapping[str, Callable[[Given], object]]:
        """Its one path."""
        return {"/api/v1/search_by_date": self._search}

    def _search(self, given: Given) -> object:
        match = _FILTER.fullmatch(given["numericFilters"])
        if match is None:
            raise ValueError
        start, end = (EPOCH + timedelta(seconds=int(text)) for text in match.groups())
        most = min(int(given["hitsPerPage"]), 1000)
        found = self.between(start + timedelta(seconds=1), end, 10**6)
        hits = [one for one in found if given["query"].lower() in one.title.lower()]
        return {"hits": [_hit(one) for one in hits[:most]], "nbHits": len(hits), "page": 0}


NEWS_SERVICES = (CryptoPanic, NewsApi, Gdelt, HnAlgolia)


def _hit(story: Story) -> object:
    number = crc32(story.url.encode())
    return {
        "objectID": str(number),
        "title": story.title if number % 7 else f"Ask HN: {story.title}?",
        "url": story.url if number % 7 else None,
        "created_at": f"{story.at:%Y-%m-%dT%H:%M:%SZ}",
        "created_at_i": int(story.at.timestamp()),
        "points": number % 300,
        "story_text": None if number % 7 else story.summary,
    }


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _is_refused(faults: Sequence[Fault]) -> bool:
    return any(fault.kind in REFUSALS for fault in faults)
