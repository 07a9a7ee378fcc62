-- lock_articles --
-- One writer at a time: two sources may tell the same article in the same moment.
select pg_advisory_xact_lock(720579, 0);

-- create_staging --
create temporary table if not exists staged_articles (
    url text primary key,
    title text not null,
    publisher text not null,
    published_at timestamptz not null,
    summary text,
    language text,
    asset_ids text[] not null,
    sentiment numeric,
    guid text,
    link text not null
) on commit delete rows;

-- stage --
insert into staged_articles
select *
from jsonb_to_recordset(%(rows)s) as given (
    url text, title text, publisher text, published_at timestamptz, summary text, language text,
    asset_ids text[], sentiment numeric, guid text, link text
);

-- has_news --
-- Whether any staged article is new, or is told in other words by who may change them: who told
-- it, who is trusted more, and of two trusted alike the older series, so that no order of runs matters.
select exists (
    select
    from staged_articles as staged
    left join warehouse.articles as kept using (url)
    where
        kept.url is null
        or (
            (
                kept.series_id = %(series_id)s
                or (warehouse.trust_of(kept.load_id), kept.series_id) > (%(trust)s, %(series_id)s)
            )
            and (
                kept.title, kept.publisher, kept.published_at, kept.summary, kept.language
            ) is distinct from (
                staged.title, staged.publisher, staged.published_at, staged.summary, staged.language
            )
        )
);

-- keep_revisions --
-- The articles whose words are about to change, as they are now.
insert into warehouse.articles_revisions (
    article_id, title, publisher, published_at, summary, language, series_id, load_id, replaced_by,
    replaced_at
)
select
    kept.article_id, kept.title, kept.publisher, kept.published_at, kept.summary, kept.language,
    kept.series_id, kept.load_id, loads.load_id, loads.fetched_at
from staged_articles as staged
join warehouse.articles as kept using (url)
join warehouse.loads on loads.load_id = %(load_id)s
where
    (
        kept.series_id = %(series_id)s
        or (warehouse.trust_of(kept.load_id), kept.series_id) > (%(trust)s, %(series_id)s)
    )
    and (
        kept.title, kept.publisher, kept.published_at, kept.summary, kept.language
    ) is distinct from (
        staged.title, staged.publisher, staged.published_at, staged.summary, staged.language
    )
order by kept.article_id;

-- replace --
update warehouse.articles as kept
set
    title = staged.title,
    publisher = staged.publisher,
    published_at = staged.published_at,
    summary = staged.summary,
    language = staged.language,
    series_id = %(series_id)s,
    load_id = %(load_id)s
from staged_articles as staged
where
    kept.url = staged.url
    and (
        kept.series_id = %(series_id)s
        or (warehouse.trust_of(kept.load_id), kept.series_id) > (%(trust)s, %(series_id)s)
    )
    and (
        kept.title, kept.publisher, kept.published_at, kept.summary, kept.language
    ) is distinct from (
        staged.title, staged.publisher, staged.published_at, staged.summary, staged.language
    );

-- add --
insert into warehouse.articles (
    url, title, publisher, published_at, summary, language, asset_ids, sentiment, first_seen_at,
    series_id, load_id
)
select
    staged.url, staged.title, staged.publisher, staged.published_at, staged.summary,
    staged.language, staged.asset_ids, staged.sentiment, %(now)s, %(series_id)s, %(load_id)s
from staged_articles as staged
where not exists (
    select
    from warehouse.articles
    where articles.url = staged.url
)
order by staged.published_at, staged.url;

-- enrich --
-- What sources add up to: assets that any of them mentions, and the newest sentiment.
update warehouse.articles as kept
set
    asset_ids = told.asset_ids,
    sentiment = coalesce(staged.sentiment, kept.sentiment)
from staged_articles as staged
cross join lateral (
    select array(
        select mentioned.asset_id
        from warehouse.articles as same
        cross join lateral unnest(same.asset_ids || staged.asset_ids) as mentioned (asset_id)
        where same.url = staged.url
        group by mentioned.asset_id
        order by mentioned.asset_id
    ) as asset_ids
) as told
where
    kept.url = staged.url
    and (kept.asset_ids, kept.sentiment)
    is distinct from (told.asset_ids, coalesce(staged.sentiment, kept.sentiment));

-- sight --
insert into warehouse.sightings as kept (article_id, series_id, seen_at, link, guid, sentiment)
select articles.article_id, %(series_id)s, %(now)s, staged.link, staged.guid, staged.sentiment
from staged_articles as staged
join warehouse.articles using (url)
order by articles.article_id
on conflict (article_id, series_id) do update set sentiment = excluded.sentiment
where excluded.sentiment is not null and kept.sentiment is distinct from excluded.sentiment;

-- reject --
-- Set aside once, however often the source repeats it.
insert into warehouse.rejected_rows (series_id, slot, source_row, source, reason)
select %(series_id)s, %(slot)s, %(row)s, %(source)s, %(reason)s
where not exists (
    select
    from warehouse.rejected_rows
    where series_id = %(series_id)s and source_row ->> 'link' = %(link)s
)
on conflict (series_id, slot) do nothing;

-- forgive --
-- An article that was set aside is settled once it is told as it should be.
delete from warehouse.rejected_rows as rejected
using staged_articles as staged
where rejected.series_id = %(series_id)s and rejected.source_row ->> 'url' = staged.url;

-- feed_states --
select
    series.name, states.covered_from, states.covered_until, states.etag, states.last_modified,
    states.oldest_item, states.newest_item
from warehouse.feed_states as states
join warehouse.series using (series_id)
where series.dataset = %(dataset)s;

-- keep_state --
-- A slower poll that began earlier does not take back what a later one knows.
insert into warehouse.feed_states as kept (
    series_id, etag, last_modified, oldest_item, newest_item, covered_from, covered_until, polled_at
)
values (
    %(series_id)s, %(etag)s, %(last_modified)s, %(oldest_item)s, %(newest_item)s, %(covered_from)s,
    %(covered_until)s, %(now)s
)
on conflict (series_id) do update set
    etag = excluded.etag,
    last_modified = excluded.last_modified,
    oldest_item = excluded.oldest_item,
    newest_item = greatest(kept.newest_item, excluded.newest_item),
    covered_from = excluded.covered_from,
    covered_until = excluded.covered_until,
    polled_at = excluded.polled_at
where kept.covered_until <= excluded.covered_until;

-- begin --
-- A beginning only moves to an earlier time.
update warehouse.series
set listed_at = %(begins_at)s
where
    dataset = %(dataset)s
    and name = %(name)s
    and (listed_at is null or listed_at > %(begins_at)s);

-- newest --
-- For each active series the newest slot that is known whole, with or without articles, and the
-- newest that is due.
select
    series.name,
    (
        select max(upper(coverage.present)) - series.step
        from warehouse.coverage
        where coverage.series_id = series.series_id and coverage.present <> '{}'
    ) as newest,
    least(
        date_bin(series.step, %(now)s - series.grace, series.anchor), series.delisted_at
    ) - series.step as newest_due,
    series.step
from warehouse.series
where series.dataset = %(dataset)s and series.is_active
order by series.name;

-- listings --
-- What is known of the first and the last slot of each active series.
select
    series.name,
    series.since,
    series.listed_at,
    series.delisted_at,
    series.listing_read_at,
    (
        select min(lower(coverage.present))
        from warehouse.coverage
        where coverage.series_id = series.series_id and coverage.present <> '{}'
    ) as oldest,
    (
        select max(upper(coverage.present)) - series.step
        from warehouse.coverage
        where coverage.series_id = series.series_id and coverage.present <> '{}'
    ) as newest
from warehouse.series
where series.dataset = %(dataset)s and series.is_active
order by series.name;

-- extents --
-- Each series, collected or not, with the first and the last day that anything is known of.
select
    series.series_id,
    series.name,
    series.step,
    least(ledger.first_day, book.first_day),
    greatest(ledger.last_day, book.last_day)
from warehouse.series
cross join lateral (
    select min(coverage.day) as first_day, max(coverage.day) as last_day
    from warehouse.coverage
    where coverage.series_id = series.series_id
) as ledger
cross join lateral (
    select min(holes.day) as first_day, max(holes.day) as last_day
    from warehouse.holes
    where holes.series_id = series.series_id
) as book
where
    series.dataset = %(dataset)s
    and (ledger.first_day, book.first_day) is distinct from (null, null)
order by series.name;

-- compared --
-- What ledger and book of holes say of some days of a series. Which slots are whole was proven by
-- answers, not by rows, so of presence the ledger itself is the only record.
with ledger as (
    select day, present, explained, tried, retry_at, recheck_at
    from warehouse.coverage
    where series_id = %(series_id)s and day between %(first_day)s and %(last_day)s
),
book as (
    select
        day,
        range_agg(slots) as slots,
        coalesce(range_agg(slots) filter (where reason is not null), '{}') as explained,
        coalesce(range_agg(slots) filter (where reason is null), '{}') as tried,
        min(next_at) filter (where reason is null) as retry_at,
        min(next_at) filter (where reason is not null) as recheck_at
    from warehouse.holes
    where series_id = %(series_id)s and day between %(first_day)s and %(last_day)s
    group by day
)
select
    day,
    array_remove(
        array[
            case when book.slots && told.present then 'holes' end,
            case
                when coalesce(ledger.explained, '{}') <> coalesce(book.explained, '{}')
                    then 'explained'
            end,
            case when coalesce(ledger.tried, '{}') <> coalesce(book.tried, '{}') then 'tried' end,
            case when ledger.retry_at is distinct from book.retry_at then 'retry_at' end,
            case when ledger.recheck_at is distinct from book.recheck_at then 'recheck_at' end
        ],
        null
    ) as wrong,
    told.present,
    '{}'::tstzmultirange,
    '{}'::tstzmultirange
from ledger
full join book using (day)
cross join lateral (
    select coalesce(ledger.present, '{}') as present
) as told
order by day;

-- broken_promises --
-- Stored articles that break a promise. Those set aside are not among them: nothing is missing
-- without them, and what has no date may never be told with one.
select series.name, articles.published_at, 'stored row breaks a promise' as reason
from warehouse.articles
join warehouse.series using (series_id)
where
    articles.published_at >= %(start)s
    and articles.published_at < %(end)s
    and (
        articles.title = ''
        or articles.publisher = ''
        or articles.url !~ '^https?://[^/]'
        or articles.published_at > articles.first_seen_at + interval '1 hour'
        or abs(articles.sentiment) > 1
    )
order by articles.published_at desc
limit %(limit)s;

-- sources --
-- Which providers the articles of each day came from.
select
    (articles.published_at at time zone 'utc')::date as day,
    loads.source,
    count(*) as row_count
from warehouse.articles
join warehouse.loads using (load_id)
where articles.published_at >= %(start)s and articles.published_at < %(end)s
group by 1, 2
order by 1, 2;
