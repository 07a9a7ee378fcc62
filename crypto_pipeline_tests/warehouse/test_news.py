"""Storing articles: one row by address, sightings, revisions, coverage, all in one transaction."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import psycopg
import pytest

from crypto_pipeline.frames.articles import Article, RejectedArticle, canonical_url
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import NEWS
from crypto_pipeline.market.holes import Attempt, Vain
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.market.series import ObservedSeries
from crypto_pipeline.market.windows import Window
from crypto_pipeline.warehouse.calendar import register
from crypto_pipeline.warehouse.database import Database
from crypto_pipeline.warehouse.holes import account
from crypto_pipeline.warehouse.ledger import Ledger
from crypto_pipeline.warehouse.news import (
    ArticleBatch,
    ArticleRow,
    FeedState,
    Source,
    feed_states,
    note_beginning,
    store_articles,
)
from crypto_pipeline.warehouse.statements import statements
from crypto_pipeline.warehouse.writer import Stored

QUARTER = Interval.parse("15m")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SINCE = datetime(2026, 3, 4, tzinfo=UTC)
FEEDS = ("rss_a", "rss_b", "gdelt")
TRUST = {"rss_a": 0, "rss_b": 0, "gdelt": 2}


def article(link: str = "https://a.com/1", title: str = "Title", **changes: Any) -> Article:
    """An article with a link as its source gives it."""
    sound = Article(canonical_url(link), title, "A", NOW - timedelta(hours=1), link=link)
    return sound._replace(**changes)


@dataclass(frozen=True)
class Archive:
    """A warehouse in which three series of news are registered."""

    database: Database
    ids: dict[str, int]

    def store(
        self, name: str, *articles: Article, assets: Sequence[str] = (), **changes: Any
    ) -> Stored:
        """Store what a source told."""
        rows = [ArticleRow(one, assets) for one in articles]
        batch = replace(ArticleBatch(self.ids[name], QUARTER, rows), **changes)
        return store_articles(self.database, batch, Source(name, TRUST[name], "run-7"), NOW)

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        with self.database.connect() as connection:
            return connection.execute(statement).fetchall()

    def everything(self) -> list[list[tuple[Any, ...]]]:
        """All that is stored."""
        tables = ("articles", "articles_revisions", "sightings", "feed_states", "loads", "coverage")
        return [self.select(f"select * from warehouse.{one} order by 1, 2") for one in tables]  # noqa: S608

    def missing(self, name: str = "rss_a", now: datetime = NOW) -> Runs:
        """What a series lacks of the day."""
        found = Ledger(self.database).missing(NEWS, Window.of_day(SINCE.date()), now)
        return found.get(name, Runs())


@pytest.fixture
def archive(database: Database) -> Archive:
    """An empty one."""
    series = [ObservedSeries("news", name, QUARTER) for name in FEEDS]
    return Archive(database, register(database, NEWS, series, SINCE, NOW))


def test_one_article_from_two_feeds_is_one_row_with_two_sightings(archive: Archive) -> None:
    """However its address is decorated, an article is stored once, and both who told it are known."""
    archive.store("rss_a", article("https://a.com/1?utm_source=a"), assets=["bitcoin"])
    archive.store("rss_b", article("https://A.com/1#top", "Other title"), assets=["ethereum"])

    assert [("https://a.com/1", "Title", 2, ["rss_a", "rss_b"], ["bitcoin", "ethereum"])] == (
        archive.select("select url, title, sightings, feeds, asset_ids from market.news")
    )
    assert [("https://a.com/1?utm_source=a",), ("https://A.com/1#top",)] == archive.select(
        "select link from warehouse.sightings order by series_id"
    )


def test_storing_again_changes_nothing(archive: Archive) -> None:
    """A feed that tells what it told leaves no trace, not even a load."""
    rows = [article(), article("https://a.com/2", sentiment=Decimal("0.5"))]
    covered = Runs((Window(SINCE, SINCE + QUARTER.step),))
    first = archive.store("rss_a", *rows, covered=covered)
    before = archive.everything()
    again = archive.store("rss_a", *rows, covered=covered)

    assert (Stored(2), Stored()) == (first, again)
    assert before == archive.everything()


def test_changed_title_is_kept_as_a_revision(archive: Archive) -> None:
    """The source itself may change its words; the former ones, and who replaced them, are kept."""
    archive.store("rss_a", article())
    changed = archive.store("rss_a", article(title="New title", summary="More"))

    assert Stored(updated=1) == changed
    assert [("New title", "More", "rss_a")] == archive.select(
        "select title, summary, source from market.news"
    )
    assert [("https://a.com/1", "Title", None, "rss_a", "rss_a", "run-7")] == archive.select(
        "select url, title, summary, source, replaced_by, replaced_in_run from market.news_revisions"
    )


def test_less_trusted_source_replaces_nothing(archive: Archive) -> None:
    """A collector's words never replace a publisher's; the other way round they do."""
    archive.store("gdelt", article(title="Collected"))
    archive.store("rss_a", article(title="Published"))
    archive.store("gdelt", article(title="Collected again"))

    assert [("Published", "rss_a", 2)] == archive.select(
        "select title, source, sightings from market.news"
    )
    assert [("Collected",)] == archive.select("select title from market.news_revisions")


@pytest.mark.parametrize("order", permutations(FEEDS))
def test_order_does_not_matter(archive: Archive, order: Sequence[str]) -> None:
    """Whoever comes first, the same words, assets and sightings are there in the end."""
    for name in (*order, *order):
        archive.store(name, article(title=f"By {name}"), assets=[f"asset-of-{name}"])

    assert [("By rss_a", [f"asset-of-{name}" for name in sorted(FEEDS)], 3)] == archive.select(
        "select title, asset_ids, sightings from market.news"
    )


def test_sentiment_is_the_newest_and_no_revision(archive: Archive) -> None:
    """Votes go up and down without a new version; a source without them takes none away."""
    for sentiment in (Decimal("0.5"), Decimal("-0.25")):
        archive.store("gdelt", article(sentiment=sentiment))
    archive.store("rss_b", article())

    assert [(Decimal("-0.25"),)] == archive.select("select sentiment from market.news")
    assert [] == archive.select("select * from market.news_revisions")


def test_same_article_twice_in_one_answer_is_one(archive: Archive) -> None:
    """The first of two with one address counts, as the source puts its best first."""
    archive.store("rss_a", article(title="First"), article("https://a.com/1?fbclid=x", "Second"))

    assert [("First", 1)] == archive.select("select title, sightings from market.news")


def test_covered_slots_are_present_without_any_article(archive: Archive) -> None:
    """A quiet quarter of an hour is known to be quiet, and closes the hole that was there."""
    quarter = QUARTER.step
    vain = Vain("TransientError", "no answer")
    asked = Runs((Window(SINCE, SINCE + 4 * quarter),))
    account(archive.database, NEWS, {"rss_a": [Attempt(asked, vain)]}, NOW)
    archive.store("rss_a", covered=Runs((Window(SINCE + quarter, SINCE + 3 * quarter),)))

    due = datetime(2026, 3, 4, 5, 0, tzinfo=UTC)
    held = Runs.of([Window(SINCE, SINCE + quarter), Window(SINCE + 3 * quarter, due)])
    assert held == archive.missing()
    assert [(SINCE,), (SINCE + 3 * quarter,)] == archive.select(
        "select lower(slots) from warehouse.holes order by 1"
    )


def test_articles_and_coverage_commit_together_or_not_at_all(archive: Archive) -> None:
    """A batch that cannot be stored leaves neither rows nor a claim that they are there."""
    before = archive.everything()
    covered = Runs((Window(SINCE, SINCE + QUARTER.step),))
    state = FeedState(SINCE, NOW, newest_item=NOW)

    with pytest.raises(psycopg.Error):
        archive.store(
            "rss_a", article(), article("https://a.com/2", title=None), covered=covered, state=state
        )
    assert before == archive.everything()


def test_feed_state_is_kept_and_never_goes_back(archive: Archive) -> None:
    """A poll that began earlier and ends later does not take back what is known."""
    later = FeedState(SINCE, NOW, '"b"', "yesterday", SINCE, NOW)
    archive.store("rss_a", state=later)
    archive.store("rss_a", state=replace(later, covered_until=NOW - timedelta(hours=1), etag='"a"'))

    assert {"rss_a": later} == feed_states(archive.database, NEWS)


def test_article_that_breaks_a_promise_is_set_aside_once(archive: Archive) -> None:
    """It is kept with the reason until it is told as it should be, however often it is repeated."""
    undated = article(published_at=None)
    aside = [RejectedArticle(undated, "it does not say when it was published")]
    counts = [archive.store("rss_a", rejected=aside).rejected for _ in range(2)]
    rows = archive.select("select source, reason from warehouse.rejected_rows")
    archive.store("rss_a", article())

    assert [1, 0] == counts
    assert [("rss_a", "it does not say when it was published")] == rows
    assert [] == archive.select("select * from warehouse.rejected_rows")


def test_sources_that_tell_the_same_at_the_same_time_agree(archive: Archive) -> None:
    """Writers side by side neither lose a sighting nor block each other for ever."""
    articles = [article(f"https://a.com/{number}") for number in range(30)]

    def tell(turn: int) -> Stored:
        name = FEEDS[turn % 3]
        return archive.store(name, *(articles if turn % 2 else articles[::-1]))

    with ThreadPoolExecutor(6) as pool:
        stored = sum(pool.map(tell, range(12)), Stored())

    assert Stored(30) == replace(stored, updated=0)
    assert [(30, 90)] == archive.select("select count(*), sum(sightings) from market.news")


def test_beginning_only_moves_to_an_earlier_time(archive: Archive) -> None:
    """Slots before it are not expected; a later word takes back none that were."""
    begins = []
    for hours in (3, 2, 4):
        at = SINCE + timedelta(hours=hours)
        note_beginning(archive.database, NEWS, "rss_a", at, NOW)
        begins.append(archive.missing().windows[0].start - SINCE)

    assert [timedelta(hours=3), timedelta(hours=2), timedelta(hours=2)] == begins


def test_what_readers_ask_of_every_dataset_is_told_of_news(archive: Archive) -> None:
    """Freshness goes by slots known to be whole; sources are told, and nothing is held against them."""
    step = QUARTER.step
    covered = Runs((Window(SINCE, SINCE + 8 * step),))
    archive.store("rss_a", article(), covered=covered)
    day = SINCE.date()
    parameters = {
        "dataset": "news",
        "start": SINCE,
        "end": NOW,
        "limit": 10,
        "now": NOW,
        "series_id": archive.ids["rss_a"],
        "first_day": day,
        "last_day": day,
    }
    names = ("newest", "listings", "broken_promises", "sources", "extents", "compared")
    with archive.database.connect() as connection:
        told = {
            name: connection.execute(statements("news")[name], parameters).fetchall()
            for name in names
        }

    due = datetime(2026, 3, 4, 4, 45, tzinfo=UTC)
    assert ("rss_a", SINCE + 7 * step, due, step) in told["newest"]
    assert ("rss_a", SINCE, None, None, None, SINCE, SINCE + 7 * step) in told["listings"]
    assert [] == told["broken_promises"]
    assert [(day, "rss_a", 1)] == told["sources"]
    assert FEEDS == tuple(sorted((name for _, name, *_ in told["extents"]), key=FEEDS.index))
    assert [(day, [])] == [(day, wrong) for day, wrong, *_ in told["compared"]]


def test_stored_article_that_breaks_a_promise_is_found(archive: Archive) -> None:
    """Whatever got into the table is named; what was set aside keeps no run from going on."""
    published = NOW - timedelta(hours=1)
    aside = [
        RejectedArticle(article("https://a.com/2", published_at=None), "it has no date"),
        RejectedArticle(article("https://a.com/3", "[Removed]"), "the publisher withdrew it"),
    ]
    archive.store("rss_a", article(), rejected=aside)
    ledger, today = Ledger(archive.database), Window.of_day(SINCE.date())
    before = ledger.broken_promises(NEWS, today, 10)
    with archive.database.connect() as connection:
        connection.execute("update warehouse.articles set title = ''")

    assert [] == before
    assert [("rss_a", published, "stored row breaks a promise")] == (
        ledger.broken_promises(NEWS, today, 10)
    )
    assert [(2,)] == archive.select("select count(*) from warehouse.rejected_rows")
