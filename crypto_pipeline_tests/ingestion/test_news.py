"""News from providers to warehouse, over HTTP against the sandbox's newsroom."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crypto_pipeline.ingestion.ingest import Ingested, Progress
from crypto_pipeline.ingestion.line import Line
from crypto_pipeline.ingestion.news import ingest_news
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.windows import DAY, Window
from crypto_pipeline.providers import PROVIDERS
from crypto_pipeline.sandbox.newsroom import Newsroom
from crypto_pipeline.sandbox.server import Sandbox, running
from crypto_pipeline.sandbox.settings import SandboxSettings
from crypto_pipeline.settings_sections import NewsSettings
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline_tests.ingestion.lines import FORGET_PAUSES
from crypto_pipeline_tests.warehouse.test_news import NEWS

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SINCE = datetime(2026, 3, 3, tzinfo=UTC)
ALL = Window(SINCE, SINCE + 9 * DAY)
FEW = ("rss_decrypt", "hn_algolia")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now


@dataclass
class Desk:
    """A line for news, and the clock that it and the sandbox go by."""

    line: Line
    clock: Clock
    sandbox: Sandbox

    def read(
        self, later: timedelta = timedelta(), window: Window = ALL, **options: Any
    ) -> Ingested:
        """Ingest a window a while later."""
        self.clock.now += later
        return ingest_news(self.line, window, now=self.clock.now, dataset=NEWS, **options)

    def missing(self, name: str) -> Runs:
        """What a series lacks."""
        found = self.line.ledger.missing(NEWS, ALL, self.clock.now)
        return found.get(name, Runs())

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        with self.line.database.connect() as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def clock() -> Clock:
    """The time of the module's sandbox."""
    return Clock()


@pytest.fixture(scope="module")
def newsroom(clock: Clock) -> Iterator[Sandbox]:
    """One sandbox for all tests here."""
    with running(SandboxSettings(clock=clock, weight_limit=None)) as one:
        yield one


@pytest.fixture
def desk(database: Database, newsroom: Sandbox, clock: Clock) -> Callable[..., Desk]:
    """Makes a desk over some providers of news: ``desk("rss_decrypt")``."""
    newsroom.clear_faults()
    newsroom.clear_requests()
    clock.now = NOW

    async def sleep(_: float) -> None:
        with database.connect() as connection:
            await asyncio.to_thread(connection.execute, FORGET_PAUSES)

    def make(*names: str, secrets: bool = True) -> Desk:
        providers = {
            name: replace(
                PROVIDERS[name],
                base_url=newsroom.base_url(name),
                secret="made-up" if secrets else None,
                limits=replace(PROVIDERS[name].limits, weight_per_minute=10_000_000),
            )
            for name in names or FEW
        }
        observed = NewsSettings().series(providers)
        line = Line(database, providers, (), SINCE, observed=observed, sleep=sleep)
        return Desk(line, clock, newsroom)

    return make


def told(name: str, start: datetime, end: datetime) -> set[str]:
    """The addresses of what a publisher published in a window."""
    return {one.url for one in Newsroom(7).between(start, end) if one.publisher.name == name}


def test_every_provider_of_news_is_read(desk: Callable[..., Desk]) -> None:
    """All feeds and archives together leave nothing missing, and tell each article once."""
    every = [name for name, provider in PROVIDERS.items() if provider.news]
    one = desk(*every)
    one.line = replace(one.line, since=SINCE - DAY)
    ingested = one.read(window=Window(SINCE - DAY, SINCE + 2 * DAY))

    assert ({}, frozenset(every)) == (ingested.failures, ingested.asked)
    assert [] == [name for name in every if one.missing(name)]
    ((count, sightings, most),) = one.select(
        "select count(*), sum(sightings), max(sightings) from market.news"
    )
    assert (True, True) == (count < sightings, most >= 4)
    assert [(count,)] == one.select("select count(distinct url) from market.news")


def test_reading_again_asks_nothing_and_changes_nothing(desk: Callable[..., Desk]) -> None:
    """Where nothing is due, nobody is asked."""
    one = desk()
    one.read()
    one.sandbox.clear_requests()
    rows = one.select("select * from market.news order by 1")
    again = one.read()

    assert (0, []) == (again.requests, one.sandbox.requests())
    assert rows == one.select("select * from market.news order by 1")


def test_feeds_are_asked_whether_anything_is_new(desk: Callable[..., Desk]) -> None:
    """An unchanged feed sends nothing, and its slots are covered all the same."""
    one = desk("rss_decrypt", "rss_theblock", "rss_coindesk", "rss_u_today")
    one.read()
    one.sandbox.clear_requests()
    one.read(14 * MINUTE)

    assert {200, 304} == {request.status for request in one.sandbox.requests()}
    assert Runs() == one.missing("rss_decrypt") + one.missing("rss_theblock")


def test_feeds_series_begins_with_its_oldest_item(desk: Callable[..., Desk]) -> None:
    """What was before the first poll cannot be had, and is not expected."""
    one = desk("rss_decrypt")
    one.read()
    ((first,),) = one.select("select min(published_at) from market.news")

    ((begins, reason),) = one.select("select explained_to, reason from market.explanations")
    assert "not_listed_yet" == reason
    assert timedelta() <= begins - first < 15 * MINUTE


def test_overlap_leaves_no_hole_however_long_the_pause(desk: Callable[..., Desk]) -> None:
    """As long as the feed reaches back to the last poll, every article between is had."""
    one = desk("rss_decrypt")
    one.read()
    one.read(8 * HOUR)

    assert Runs() == one.missing("rss_decrypt")
    urls = {url for (url,) in one.select("select url from market.news")}
    assert told("rss_decrypt", NOW, NOW + 8 * HOUR) <= urls
    assert [("not_listed_yet",)] == one.select("select reason from market.explanations")


def test_what_scrolled_off_is_explained_with_evidence(desk: Callable[..., Desk]) -> None:
    """A pause too long leaves a hole that says since when, until when and why, and is complete around."""
    one = desk("rss_decrypt")
    one.read()
    one.read(3 * DAY)
    ((start, end, evidence),) = one.select(
        "select explained_from, explained_to, evidence from market.explanations "
        "where reason = 'not_refillable'"
    )

    assert Runs() == one.missing("rss_decrypt")
    assert (NOW.isoformat(), "rss_decrypt") == (evidence["covered_until"], evidence["provider"])
    assert start <= NOW < start + 15 * MINUTE
    oldest = datetime.fromisoformat(evidence["oldest_item"])
    assert oldest <= end < oldest + 15 * MINUTE
    urls = {url for (url,) in one.select("select url from market.news")}
    assert told("rss_decrypt", oldest, one.clock.now) <= urls


def test_archives_fill_what_feeds_lost(desk: Callable[..., Desk]) -> None:
    """A past window is filled by date, split where an answer is full, and has every article."""
    one = desk("gdelt")
    window = Window(SINCE, SINCE + DAY)
    ingested = one.read(window=window)

    assert {} == ingested.failures
    urls = {url for (url,) in one.select("select url from market.news")}
    assert {story.url for story in Newsroom(7).between(SINCE, SINCE + DAY)} == urls
    assert Runs() == one.missing("gdelt").within(window)


def test_one_feeds_failure_is_that_feeds(desk: Callable[..., Desk]) -> None:
    """The others are read, and the failed one waits with the reason from its first poll on."""
    one = desk("rss_decrypt", "rss_theblock")
    one.sandbox.order("html:path=/rss_decrypt")
    ingested = one.read()
    one.read(HOUR)

    assert ["rss_decrypt"] == [*ingested.failures]
    assert "web page" in ingested.failures["rss_decrypt"]
    assert (False, {"rss_decrypt"}) == (ingested.failed_wholly, ingested.silent)
    assert Runs() == one.missing("rss_theblock")
    (failed,) = one.missing("rss_decrypt")
    assert (6 * MINUTE + 7 * MINUTE / 60, HOUR) == (NOW - failed.start, failed.span)
    assert [("MalformedReply", "retrying")] == one.select(
        "select error_class, state from market.gaps where error_class is not null"
    )


def test_feed_that_comes_back_late_has_its_hole_explained(desk: Callable[..., Desk]) -> None:
    """What it holds is had, though it failed at first; what it no longer holds is lost since then."""
    one = desk("rss_decrypt")
    one.sandbox.order("html:path=/rss_decrypt")
    one.read()
    one.sandbox.clear_faults()
    one.read(3 * DAY)

    assert Runs() == one.missing("rss_decrypt")
    assert [
        ("not_listed_yet", SINCE),
        ("not_refillable", NOW - 6 * MINUTE - timedelta(seconds=7)),
    ] == (one.select("select reason, explained_from from market.explanations order by 2"))


def test_archive_keeps_what_came_before_it_failed(desk: Callable[..., Desk]) -> None:
    """Half a window is stored as half a window; the rest is asked for the next time."""
    one = desk("gdelt")
    one.sandbox.order("500:path=/gdelt,probability=0.7")
    one.read()
    some = one.missing("gdelt")
    one.sandbox.clear_faults()
    one.read(timedelta(minutes=30))

    assert some
    assert Runs() == one.missing("gdelt")


def test_whats_older_than_an_archive_is_explained(desk: Callable[..., Desk]) -> None:
    """A provider that keeps a month is not asked for two."""
    one = desk("newsapi")
    one.line = replace(one.line, since=SINCE - 40 * DAY)
    window = Window(SINCE - 40 * DAY, SINCE - 27 * DAY)
    ingested = one.read(window=window)
    ((end, reason),) = one.select("select explained_to, reason from market.explanations")

    assert {} == ingested.failures
    assert ("not_refillable", True) == (
        reason,
        NOW - 29 * DAY <= end < NOW - 29 * DAY + 12 * HOUR,
    )
    assert Runs() == one.line.ledger.missing(NEWS, window, NOW).get("newsapi", Runs())


def test_half_a_slot_is_not_asked_for(desk: Callable[..., Desk]) -> None:
    """A window that cuts slots asks for the whole ones in it."""
    one = desk("gdelt")
    one.read(window=Window(SINCE + MINUTE, SINCE + HOUR + MINUTE))
    asked = one.select("select lower(asked), upper(asked) from warehouse.fetches")

    assert [(SINCE + 15 * MINUTE, SINCE + HOUR)] == asked


def test_providers_without_their_key_are_skipped(desk: Callable[..., Desk]) -> None:
    """They are not expected, and are no error."""
    one = desk("rss_decrypt", "cryptopanic", "newsapi", secrets=False)
    ingested = one.read()

    assert ({"rss_decrypt"}, {}) == (ingested.asked, ingested.failures)
    assert ["rss_decrypt"] == [series.name for series in NewsSettings().series(one.line.providers)]


def test_asking_for_everything_has_feeds_tell_all_they_hold(desk: Callable[..., Desk]) -> None:
    """Nothing is conditional then, and nothing changes where nothing differs."""
    one = desk("rss_decrypt")
    one.read()
    one.sandbox.clear_requests()
    ingested = one.read(asking="everything")

    assert [200] == [request.status for request in one.sandbox.requests()]
    assert (0, 0) == (ingested.stored.inserted, ingested.stored.updated)


def test_progress_and_log_tell_what_was_asked(desk: Callable[..., Desk]) -> None:
    """Every request is in the log, and the last word is that all is done."""
    one = desk()
    seen: list[Progress] = []
    ingested = one.read(on_progress=seen.append)

    assert (ingested.requests, ingested.requests) == (seen[-1].done, seen[-1].planned)
    assert [(len(one.sandbox.requests()),)] == one.select("select count(*) from warehouse.fetches")


def test_a_run_that_breaks_is_told_and_waits(desk: Callable[..., Desk]) -> None:
    """What broke is raised as it is, and is no evidence of anything."""
    one = desk("rss_decrypt")

    def broken(_: Progress) -> None:
        msg = "the terminal is gone"
        raise OSError(msg)

    with pytest.raises(OSError, match="the terminal is gone"):
        one.read(on_progress=broken)
