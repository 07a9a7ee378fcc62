"""Stores articles: articles, sightings, revisions and coverage commit together, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from psycopg.types.json import Jsonb

from crypto_pipeline.frames.articles import Article, RejectedArticle
from crypto_pipeline.market.coverage import Runs
from crypto_pipeline.market.datasets import Dataset
from crypto_pipeline.market.intervals import Interval
from crypto_pipeline.warehouse.calendar import Listing, note_listings
from crypto_pipeline.warehouse.database import Connection, Database
from crypto_pipeline.warehouse.holes import settle
from crypto_pipeline.warehouse.presence import presence
from crypto_pipeline.warehouse.statements import statements
from crypto_pipeline.warehouse.writer import Stored

WORDS = ("url", "title", "publisher", "summary", "language", "guid", "link")


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far a feed was read: all that it told in ``[covered_from, covered_until)`` is here."""

    covered_from: datetime
    covered_until: datetime
    etag: str | None = None
    last_modified: str | None = None
    oldest_item: datetime | None = None
    newest_item: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """A valid article, and the assets that it mentions."""

    article: Article
    asset_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ArticleBatch:
    """What one answer of one series gave; all that was published in the ``covered`` slots is there."""

    series_id: int
    interval: Interval
    rows: Sequence[ArticleRow] = ()
    rejected: Sequence[RejectedArticle] = ()
    covered: Runs = field(default_factory=Runs)
    state: FeedState | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Who told it, how far that is trusted, and in which run it was asked."""

    name: str
    trust: int = 0
    run_id: str | None = None


def feed_states(database: Database, dataset: Dataset) -> dict[str, FeedState]:
    """How far each feed was read, by series; a feed that was never read has no state."""
    with database.connect() as connection:
        rows = connection.execute(statements("news")["feed_states"], {"dataset": dataset.name})
        return {str(name): FeedState(*state) for name, *state in rows}  # type: ignore[arg-type]


def note_beginning(
    database: Database, dataset: Dataset, name: str, begins_at: datetime, now: datetime
) -> None:
    """Have a series expected from then on, unless it is expected from earlier on already."""
    parameters = {"dataset": dataset.name, "name": name, "begins_at": begins_at}
    with database.connect() as connection:
        moved = connection.execute(statements("news")["begin"], parameters).rowcount
    if moved:
        listing = Listing(name, begins_at, begins_at, None, now, None, None)
        note_listings(database, dataset, [listing], now)


def store_articles(
    database: Database, batch: ArticleBatch, source: Source, now: datetime
) -> Stored:
    """Store what one answer gave in one transaction. Storing it again changes nothing.

    The words of an article are changed by the source they came from, or by a more trusted one (of
    two alike the older series); the former ones are kept as a revision. Another source that tells it
    is one more sighting.
    """
    with database.connect() as connection:
        has_rows = bool(batch.rows or batch.rejected)
        if has_rows:
            connection.execute(statements("news")["create_staging"])
        with connection.transaction():
            lock = {"series_ids": [batch.series_id]}
            connection.execute(statements("series")["lock_series"], lock)
            stored = _write(connection, batch, source, now) if has_rows else Stored()
            _mark(connection, batch, now)
            if batch.state:
                _keep_state(connection, batch.series_id, batch.state, now)
    return stored


def _write(connection: Connection, batch: ArticleBatch, source: Source, now: datetime) -> Stored:
    sql = statements("news")
    connection.execute(sql["lock_articles"])
    rows = {one.article.url: _row(one) for one in reversed(batch.rows)}
    connection.execute(sql["stage"], {"rows": Jsonb(list(rows.values()))})
    told: dict[str, object] = {"series_id": batch.series_id, "trust": source.trust, "now": now}
    found = connection.execute(sql["has_news"], told).fetchone()
    added = replaced = 0
    if found and found[0]:
        told["load_id"] = _add_load(connection, source)
        connection.execute(sql["keep_revisions"], told)
        replaced = connection.execute(sql["replace"], told).rowcount
        added = connection.execute(sql["add"], told).rowcount
    connection.execute(sql["enrich"])
    connection.execute(sql["sight"], told)
    connection.execute(sql["forgive"], told)
    rejected = sum(_reject(connection, batch, one, source, now) for one in batch.rejected)
    return Stored(added, replaced, rejected)


def _row(one: ArticleRow) -> Mapping[str, object]:
    article = one.article
    assert article.published_at is not None
    return {
        **{name: getattr(article, name) for name in WORDS},
        "published_at": article.published_at.astimezone(UTC).isoformat(),
        "sentiment": None if article.sentiment is None else str(article.sentiment),
        "asset_ids": list(one.asset_ids),
    }


def _add_load(connection: Connection, source: Source) -> int:
    parameters = {"source": source.name, "run_id": source.run_id, "trust": source.trust}
    row = connection.execute(statements("loads")["add_load"], parameters).fetchone()
    assert row is not None
    return int(str(row[0]))


def _reject(
    connection: Connection,
    batch: ArticleBatch,
    one: RejectedArticle,
    source: Source,
    now: datetime,
) -> int:
    """Set one aside in the slot it says it is of, or in the present one; how many are new."""
    article = one.article
    at = article.published_at if article.published_at and article.published_at.tzinfo else now
    words = {name: getattr(article, name) for name in WORDS}
    return connection.execute(
        statements("news")["reject"],
        {
            "series_id": batch.series_id,
            "slot": at,
            "row": Jsonb(words | {"published_at": str(article.published_at)}),
            "link": article.link,
            "source": source.name,
            "reason": one.reason,
        },
    ).rowcount


def _mark(connection: Connection, batch: ArticleBatch, now: datetime) -> None:
    """Have the ledger know the covered slots, and close the holes that were there."""
    opened = (slot for run in batch.covered for slot in batch.interval.opens(run))
    covered = presence([(batch.series_id, batch.interval, opened)])
    connection.execute(statements("coverage")["mark_present"], covered)
    settle(connection, covered, now)


def _keep_state(connection: Connection, series_id: int, state: FeedState, now: datetime) -> None:
    parameters = {
        "series_id": series_id,
        "now": now,
        "etag": state.etag,
        "last_modified": state.last_modified,
        "oldest_item": state.oldest_item,
        "newest_item": state.newest_item,
        "covered_from": state.covered_from,
        "covered_until": state.covered_until,
    }
    connection.execute(statements("news")["keep_state"], parameters)
