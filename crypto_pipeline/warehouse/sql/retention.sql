-- series_of --
-- The series of a dataset, and whether their rows go: those with longer slots than what is
-- collected are few, and stay.
select series_id, coalesce(step <= %(longest)s::interval, true)
from warehouse.series
where dataset = %(dataset)s
order by series_id;

-- newest_day --
-- The newest day of a dataset that anything is held of.
select max(coverage.day)
from warehouse.coverage
join warehouse.series using (series_id)
where series.dataset = %(dataset)s and coverage.present <> '{{}}';

-- months --
-- The months before a day that the ledger holds something of, and the partitions that are left.
select month, bool_or(is_noted)
from (
    select date_trunc('month', day)::date as month, true as is_noted
    from warehouse.coverage
    where
        series_id = any (%(going)s)
        and day < %(first_kept)s
        and (present <> '{{}}' or explained <> '{{}}' or tried <> '{{}}')
    union
    select to_date(right(part.relname, 7), 'YYYY_MM'), false
    from pg_inherits as leaf
    join pg_class as part on part.oid = leaf.inhrelid
    where
        leaf.inhparent = %(table)s::regclass
        and case
            when part.relname ~ '_[0-9]{{4}}_[0-9]{{2}}$'
                then to_date(right(part.relname, 7), 'YYYY_MM') < %(first_kept)s
        end
) as old
group by month
order by month;

-- news_months --
select distinct date_trunc('month', published_at at time zone 'utc')::date as month, true
from warehouse.articles
where published_at < %(first_kept)s::timestamp at time zone 'utc'
union
select date_trunc('month', day)::date, true
from warehouse.coverage
where
    series_id = any (%(going)s)
    and day < %(first_kept)s
    and (present <> '{{}}' or explained <> '{{}}' or tried <> '{{}}')
order by month;

-- size --
-- How many rows of a month go, of how many, and the bytes that all of those take.
select
    count(*) filter (where series_id = any (%(going)s)),
    count(*),
    coalesce(pg_total_relation_size(to_regclass(%(partition)s)), 0)
from {table}
where {time} >= %(start)s and {time} < %(end)s;

-- packed_size --
select
    coalesce(
        sum(candles) filter (
            where series_id = any (%(going)s) and day between %(first_day)s and %(last_day)s
        ),
        0
    )::bigint,
    coalesce(sum(candles), 0)::bigint,
    pg_total_relation_size('warehouse.ohlc_packed')
from warehouse.ohlc_packed;

-- news_size --
select
    count(*) filter (where published_at >= %(start)s and published_at < %(end)s),
    count(*),
    pg_total_relation_size('warehouse.articles')
    + pg_total_relation_size('warehouse.articles_revisions')
    + pg_total_relation_size('warehouse.sightings')
from warehouse.articles;

-- expire_days --
update warehouse.coverage
set
    expired = expired + present,
    expected = '{{}}',
    present = '{{}}',
    explained = '{{}}',
    tried = '{{}}',
    retry_at = null,
    recheck_at = null
where series_id = any (%(going)s) and day between %(first_day)s and %(last_day)s;

-- forget_holes --
delete from warehouse.holes
where series_id = any (%(going)s) and day between %(first_day)s and %(last_day)s;

-- forget_changes --
delete from warehouse.explanation_changes
where
    series_id = any (%(going)s)
    and lower(slots) >= %(start)s
    and lower(slots) < %(end)s;

-- forget_rejected --
delete from warehouse.rejected_rows
where series_id = any (%(going)s) and slot >= %(start)s and slot < %(end)s;

-- forget_revisions --
delete from {revisions}
where series_id = any (%(going)s) and {time} >= %(start)s and {time} < %(end)s;

-- forget_packed --
delete from warehouse.ohlc_packed
where series_id = any (%(going)s) and day between %(first_day)s and %(last_day)s;

-- forget_straddling --
-- A row may open later than the slot it lies in, and then in the month after.
delete from {table} as kept
using warehouse.series
where
    kept.series_id = any (%(going)s)
    and series.series_id = kept.series_id
    and kept.{time} >= %(end)s
    and kept.{time} < %(end)s + series.step
    and date_bin(series.step, kept.{time}, series.anchor) < %(end)s;

-- forget_articles --
with old as (
    select article_id
    from warehouse.articles
    where published_at >= %(start)s and published_at < %(end)s
),
revisions as (
    delete from warehouse.articles_revisions
    where article_id in (table old)
)
delete from warehouse.sightings
where article_id in (table old);

-- drop_articles --
delete from warehouse.articles
where published_at >= %(start)s and published_at < %(end)s;

-- has_staying --
select exists (
    select
    from unnest(%(staying)s::integer[]) as one (series_id)
    where exists (
        select
        from {table} as kept
        where
            kept.series_id = one.series_id
            and kept.{time} >= %(start)s
            and kept.{time} < %(end)s
    )
);

-- delete_rows --
delete from {table}
where series_id = any (%(going)s) and {time} >= %(start)s and {time} < %(end)s;

-- drop_partition --
drop table if exists {partition};
