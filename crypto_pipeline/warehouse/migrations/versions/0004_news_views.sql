create view market.news as
select
    articles.article_id,
    articles.published_at,
    articles.title,
    articles.url,
    articles.publisher,
    articles.summary,
    articles.language,
    articles.asset_ids,
    articles.sentiment,
    told.sightings,
    told.feeds,
    loads.source,
    articles.first_seen_at,
    loads.fetched_at
from warehouse.articles
left join warehouse.loads using (load_id)
cross join lateral (
    select
        count(*) as sightings,
        array_agg(series.name order by sightings.seen_at, series.name) as feeds
    from warehouse.sightings
    join warehouse.series using (series_id)
    where sightings.article_id = articles.article_id
) as told;
comment on view market.news is
    'Articles about the market: one row by canonical address, however many sources told it.';
comment on column market.news.article_id is 'Its number here';
comment on column market.news.published_at is
    'When it was published (UTC); when it was seen, where only a collector told it';
comment on column market.news.title is 'Its headline, as plain text';
comment on column market.news.url is 'Its address, without what tracks readers';
comment on column market.news.publisher is 'Who published it';
comment on column market.news.summary is 'What its source says it is about, as plain text; null where it says nothing';
comment on column market.news.language is 'Language (ISO 639-1); null where no source tells it';
comment on column market.news.asset_ids is 'Assets that it mentions, as in market.assets';
comment on column market.news.sentiment is
    'What the readers of a source think, -1 (bad) to 1 (good), as it said last; null where none asks them';
comment on column market.news.sightings is 'Number of sources that told it';
comment on column market.news.feeds is 'The sources that told it, the first one first';
comment on column market.news.source is 'The provider whose words these are';
comment on column market.news.first_seen_at is 'When we first had it (UTC)';
comment on column market.news.fetched_at is 'When we fetched these words (UTC)';

create view market.news_revisions as
select
    former.article_id,
    articles.url,
    former.published_at,
    former.title,
    former.publisher,
    former.summary,
    former.language,
    known.source,
    known.fetched_at,
    former.replaced_at,
    better.source as replaced_by,
    better.run_id as replaced_in_run
from warehouse.articles_revisions as former
join warehouse.articles using (article_id)
left join warehouse.loads as known on known.load_id = former.load_id
left join warehouse.loads as better on better.load_id = former.replaced_by;
comment on view market.news_revisions is
    'Articles as they were before their source changed them, or a more trusted one told them.';
comment on column market.news_revisions.article_id is 'Its number here';
comment on column market.news_revisions.url is 'Its address, without what tracks readers';
comment on column market.news_revisions.published_at is 'When it was said to be published (UTC)';
comment on column market.news_revisions.title is 'Its headline then';
comment on column market.news_revisions.publisher is 'Who was said to publish it';
comment on column market.news_revisions.summary is 'What it was said to be about';
comment on column market.news_revisions.language is 'Language (ISO 639-1)';
comment on column market.news_revisions.source is 'The provider whose words these were';
comment on column market.news_revisions.fetched_at is 'When we fetched them (UTC)';
comment on column market.news_revisions.replaced_at is 'When they were replaced (UTC)';
comment on column market.news_revisions.replaced_by is 'The provider whose words replaced them';
comment on column market.news_revisions.replaced_in_run is 'The Dagster run that replaced them';
