-- create_staging --
create temporary table if not exists {staging} (like {table}) on commit delete rows;

-- copy_staging --
copy {staging} (series_id, load_id, {columns}) from stdin;

-- copy_new --
-- Straight into the table: for rows that are known not to be there.
copy {table} (series_id, load_id, {columns}) from stdin;

-- copy_staging_binary --
copy {staging} (series_id, load_id, {columns}) from stdin (format binary);

-- copy_new_binary --
copy {table} (series_id, load_id, {columns}) from stdin (format binary);

-- clear_staging --
-- A transaction can hold several batches.
delete from {staging};

-- drop_unchanged --
-- Of many rows most are there already, just so: one merge finds them.
delete from {staging} as staged
using {table} as kept
where
    kept.series_id = staged.series_id
    and kept.{time} = staged.{time}
    and kept.series_id = any (%(series_ids)s)
    and kept.{time} >= (select min({time}) from {staging})
    and kept.{time} <= (select max({time}) from {staging})
    and ({kept_values}) is not distinct from ({staged_values});

-- keep_revisions --
-- The rows that are about to change, as they are now.
insert into {revisions} ({columns}, series_id, load_id, replaced_by, replaced_at)
select {kept_columns}, kept.series_id, kept.load_id, staged.load_id, loads.fetched_at
from {staging} as staged
join warehouse.loads using (load_id)
-- 'offset 0' keeps the planner from reading the whole table for a small batch.
cross join lateral (
    select stored.*
    from {table} as stored
    where stored.series_id = staged.series_id and stored.{time} = staged.{time}
    offset 0
) as kept
where
    ({kept_values}) is distinct from ({staged_values})
    and (warehouse.trust_of(kept.load_id) >= %(trust)s or not ({is_final}))
order by kept.series_id, kept.{time};

-- upsert --
-- Writes only what truly differs, and never over what a more trusted source said for good.
insert into {table} as kept (series_id, load_id, {columns})
select series_id, load_id, {columns}
from {staging}
order by series_id, {time}
on conflict (series_id, {time}) do update set load_id = excluded.load_id, {set_values}
where
    ({kept_values}) is distinct from ({excluded_values})
    and (warehouse.trust_of(kept.load_id) >= %(trust)s or not ({is_final}));

-- forgive --
-- A rejected row is settled once its slot holds a valid one.
delete from warehouse.rejected_rows as rejected
using warehouse.series
where
    rejected.series_id = any (%(series_ids)s)
    and series.series_id = rejected.series_id
    and exists (
        select
        from {table} as stored
        where
            stored.series_id = rejected.series_id
            and stored.{time} >= rejected.slot
            and stored.{time} < rejected.slot + series.step
    );

-- broken_promises --
-- Stored rows that break a promise of the dataset, and rejected rows whose slot is still empty. Of
-- quarantined ones, which broke no promise of their own, the cross-check tells.
select series.name, kept.{time} as at, 'stored row breaks a promise' as reason
from {stored} as kept
join warehouse.series using (series_id)
where
    series.dataset = %(dataset)s
    and kept.{time} >= %(start)s
    and kept.{time} < %(end)s
    and {in_days}
    and not ({promise})
union all
select series.name, rejected.slot, rejected.reason
from warehouse.rejected_rows as rejected
join warehouse.series using (series_id)
where
    series.dataset = %(dataset)s
    and rejected.slot >= %(start)s
    and rejected.slot < %(end)s
    and rejected.reason not like 'quarantined: %%'
order by 2 desc
limit %(limit)s;

-- newest --
-- For each active series the newest time and the newest that is due.
select
    series.name,
    (
        select max(kept.{time})
        from {ends} as kept
        where kept.series_id = series.series_id
    ) as newest,
    least(
        date_bin(series.step, %(now)s - series.grace, series.anchor), series.delisted_at
    ) - series.step as newest_due,
    series.step
from warehouse.series
where series.dataset = %(dataset)s and series.is_active
order by series.name;

-- sources --
-- Which providers the rows of each day came from.
select (kept.{time} at time zone 'utc')::date as day, loads.source, count(*) as row_count
from {stored} as kept
join warehouse.series using (series_id)
join warehouse.loads using (load_id)
where
    series.dataset = %(dataset)s
    and kept.{time} >= %(start)s
    and kept.{time} < %(end)s
    and {in_days}
group by 1, 2
order by 1, 2;

-- listings --
-- What is known of the first and the last slot of each active series.
select
    series.name,
    series.since,
    series.listed_at,
    series.delisted_at,
    series.listing_read_at,
    (
        select min(kept.{time})
        from {ends} as kept
        where kept.series_id = series.series_id
    ) as oldest,
    (
        select max(kept.{time})
        from {ends} as kept
        where kept.series_id = series.series_id
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
    least(ledger.first_day, book.first_day, (stored.first_slot at time zone 'utc')::date),
    greatest(ledger.last_day, book.last_day, (stored.last_slot at time zone 'utc')::date)
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
cross join lateral (
    select
        date_bin(series.step, min(kept.{time}), series.anchor) as first_slot,
        date_bin(series.step, max(kept.{time}), series.anchor) as last_slot
    from {ends} as kept
    where kept.series_id = series.series_id
) as stored
where
    series.dataset = %(dataset)s
    and (ledger.first_day, book.first_day, stored.first_slot) is distinct from (null, null, null)
order by series.name;

-- compared --
-- What rows, ledger and book of holes say of some days of a series. It is one statement, hence one
-- snapshot: what others commit meanwhile is seen in all of them or in none.
with stored as (
    select
        begun.day,
        range_agg(
            tstzrange(
                opened.slot,
                least(opened.slot + opened.step, (begun.day + interval '1 day') at time zone 'utc')
            )
        ) as slots
    from (
        select date_bin(series.step, kept.{time}, series.anchor) as slot, series.step
        from {stored} as kept
        join warehouse.series using (series_id)
        where
            kept.series_id = %(series_id)s
            -- A row may open as much as a slot later than the slot it lies in.
            and kept.{time} >= %(start)s
            and kept.{time} < %(end)s + %(step)s::interval
            and {in_days_and_a_slot}
            and {is_final}
    ) as opened
    cross join lateral (select (opened.slot at time zone 'utc')::date as day) as begun
    where opened.slot >= %(start)s and opened.slot < %(end)s
    group by begun.day
),
ledger as (
    select day, present, explained, tried, retry_at, recheck_at
    from warehouse.coverage
    where series_id = %(series_id)s and day between %(first_day)s and %(last_day)s
),
book as (
    select
        day,
        range_agg(slots) as slots,
        coalesce(range_agg(slots) filter (where reason is not null), '{{}}') as explained,
        coalesce(range_agg(slots) filter (where reason is null), '{{}}') as tried,
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
            case when told.stored <> told.present then 'present' end,
            case when book.slots && told.stored then 'holes' end,
            case
                when coalesce(ledger.explained, '{{}}') <> coalesce(book.explained, '{{}}')
                    then 'explained'
            end,
            case when coalesce(ledger.tried, '{{}}') <> coalesce(book.tried, '{{}}') then 'tried' end,
            case when ledger.retry_at is distinct from book.retry_at then 'retry_at' end,
            case when ledger.recheck_at is distinct from book.recheck_at then 'recheck_at' end
        ],
        null
    ) as wrong,
    told.stored,
    told.stored - told.present,
    -- Who wrote into the ledger by hand may have written beyond the day.
    (told.present - told.stored) * tstzmultirange(
        tstzrange(day::timestamp at time zone 'utc', (day + interval '1 day') at time zone 'utc')
    )
from ledger
full join stored using (day)
full join book using (day)
cross join lateral (
    select coalesce(stored.slots, '{{}}') as stored, coalesce(ledger.present, '{{}}') as present
) as told
order by day;
