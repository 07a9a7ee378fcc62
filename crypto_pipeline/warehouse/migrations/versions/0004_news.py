"""News: articles, sightings, revisions, and how far feeds were read."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0004"
down_revision = "0003"

HERE = Path(__file__).parent
SCHEMA = "warehouse"
INSTANT = sa.DateTime(timezone=True)
TABLES = ("feed_states", "sightings", "articles_revisions", "articles")


def upgrade() -> None:
    _create_articles()
    _create_revisions()
    _create_sightings()
    _create_feed_states()
    _run("0004_news_views.sql")


def downgrade() -> None:
    _run("0004_news_views_drop.sql")
    for name in TABLES:
        op.drop_table(name, schema=SCHEMA)


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((HERE / name).read_text(encoding="utf-8"))


def _column(name: str, type_: Any, comment: str | None = None, **options: Any) -> "sa.Column[Any]":
    return sa.Column(name, type_, nullable=False, comment=comment, **options)


def _optional(name: str, type_: Any, comment: str | None = None) -> "sa.Column[Any]":
    return sa.Column(name, type_, nullable=True, comment=comment)


def _told() -> "list[sa.Column[Any]]":
    return [
        _column("title", sa.Text()),
        _column("publisher", sa.Text()),
        _column("published_at", INSTANT, "UTC; of collectors, when they saw it"),
        _optional("summary", sa.Text()),
        _optional("language", sa.Text(), "ISO 639-1, where the source tells it"),
    ]


def _create_articles() -> None:
    op.create_table(
        "articles",
        _column("article_id", sa.BigInteger(), None, server_default=sa.Identity(always=True)),
        _column("url", sa.Text(), "canonical: without what tracks its readers"),
        *_told(),
        _column("asset_ids", pg.ARRAY(sa.Text()), "assets that any source mentions, sorted"),
        _optional("sentiment", sa.Numeric(), "-1 to 1, as a source gave it last"),
        _column("first_seen_at", INSTANT),
        _column("series_id", sa.Integer(), "whose words these are"),
        _column("load_id", sa.Integer(), "the load they came with"),
        sa.PrimaryKeyConstraint("article_id", name=op.f("articles_pkey")),
        sa.UniqueConstraint("url", name=op.f("articles_url_key")),
        schema=SCHEMA,
        comment="Articles: one row by canonical address, however many sources tell it.",
    )
    index = op.f("articles_published_at_idx")
    op.create_index(index, "articles", ["published_at"], schema=SCHEMA)


def _create_revisions() -> None:
    op.create_table(
        "articles_revisions",
        _column("revision_id", sa.BigInteger(), None, server_default=sa.Identity(always=True)),
        _column("article_id", sa.BigInteger()),
        *_told(),
        _column("series_id", sa.Integer(), "whose words these were"),
        _column("load_id", sa.Integer(), "the load they came with"),
        _column("replaced_at", INSTANT, None, server_default=sa.text("now()")),
        _column("replaced_by", sa.Integer(), "the load that replaced them"),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("articles_revisions_pkey")),
        schema=SCHEMA,
        comment="Articles as they were before a source changed them, or a more trusted one told them.",
    )
    index = op.f("articles_revisions_article_id_idx")
    op.create_index(index, "articles_revisions", ["article_id"], schema=SCHEMA)


def _create_sightings() -> None:
    op.create_table(
        "sightings",
        _column("article_id", sa.BigInteger()),
        _column("series_id", sa.Integer()),
        _column("seen_at", INSTANT, "when we first had it from this source"),
        _column("link", sa.Text(), "its address as this source gives it"),
        _optional("guid", sa.Text(), "this source's own name for it"),
        _optional("sentiment", sa.Numeric(), "-1 to 1, as this source gave it last"),
        sa.PrimaryKeyConstraint("article_id", "series_id", name=op.f("sightings_pkey")),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["warehouse.articles.article_id"],
            name=op.f("sightings_article_id_fkey"),
        ),
        schema=SCHEMA,
        comment="Who told of an article: one row by article and source.",
    )


def _create_feed_states() -> None:
    op.create_table(
        "feed_states",
        _column("series_id", sa.Integer(), None, autoincrement=False),
        _optional("etag", sa.Text()),
        _optional("last_modified", sa.Text()),
        _optional("oldest_item", INSTANT, "the oldest it held when it last changed"),
        _optional("newest_item", INSTANT, "the newest article we have of it"),
        _column("covered_from", INSTANT, "all that it told since then is here"),
        _column("covered_until", INSTANT, "up to then"),
        _column("polled_at", INSTANT),
        sa.PrimaryKeyConstraint("series_id", name=op.f("feed_states_pkey")),
        schema=SCHEMA,
        comment="How far each feed was read, and what to tell it so that it sends only what is new.",
    )
