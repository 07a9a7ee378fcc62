"""The tables of the news: articles, who told them, how they were before, and how far feeds reach."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from crypto_pipeline.warehouse.schema import INSTANT, NOW, metadata


def _required(name: str, type_: sa.types.TypeEngine[Any], **options: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False, **options)


def _told() -> list[sa.Column[Any]]:
    """What a source says of an article, and may say differently later."""
    return [
        _required("title", sa.Text()),
        _required("publisher", sa.Text()),
        _required("published_at", INSTANT, comment="UTC; of collectors, when they saw it"),
        sa.Column("summary", sa.Text),
        sa.Column("language", sa.Text, comment="ISO 639-1, where the source tells it"),
    ]


articles = sa.Table(
    "articles",
    metadata,
    sa.Column("article_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("url", sa.Text(), comment="canonical: without what tracks its readers"),
    *_told(),
    _required("asset_ids", pg.ARRAY(sa.Text), comment="assets that any source mentions, sorted"),
    sa.Column("sentiment", sa.Numeric, comment="-1 to 1, as a source gave it last"),
    _required("first_seen_at", INSTANT),
    _required("series_id", sa.Integer(), comment="whose words these are"),
    _required("load_id", sa.Integer(), comment="the load they came with"),
    sa.UniqueConstraint("url"),
    sa.Index(None, "published_at"),
    comment="Articles: one row by canonical address, however many sources tell it.",
)

articles_revisions = sa.Table(
    "articles_revisions",
    metadata,
    sa.Column("revision_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _required("article_id", sa.BigInteger()),
    *_told(),
    _required("series_id", sa.Integer(), comment="whose words these were"),
    _required("load_id", sa.Integer(), comment="the load they came with"),
    _required("replaced_at", INSTANT, server_default=NOW),
    _required("replaced_by", sa.Integer(), comment="the load that replaced them"),
    sa.Index(None, "article_id"),
    comment="Articles as they were before a source changed them, or a more trusted one told them.",
)

sightings = sa.Table(
    "sightings",
    metadata,
    sa.Column("article_id", sa.BigInteger, sa.ForeignKey(articles.c.article_id), primary_key=True),
    sa.Column("series_id", sa.Integer, primary_key=True),
    _required("seen_at", INSTANT, comment="when we first had it from this source"),
    _required("link", sa.Text(), comment="its address as this source gives it"),
    sa.Column("guid", sa.Text, comment="this source's own name for it"),
    sa.Column("sentiment", sa.Numeric, comment="-1 to 1, as this source gave it last"),
    comment="Who told of an article: one row by article and source.",
)

feed_states = sa.Table(
    "feed_states",
    metadata,
    sa.Column("series_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("oldest_item", INSTANT, comment="the oldest it held when it last changed"),
    sa.Column("newest_item", INSTANT, comment="the newest article we have of it"),
    _required("covered_from", INSTANT, comment="all that it told since then is here"),
    _required("covered_until", INSTANT, comment="up to then"),
    _required("polled_at", INSTANT),
    comment="How far each feed was read, and what to tell it so that it sends only what is new.",
)
