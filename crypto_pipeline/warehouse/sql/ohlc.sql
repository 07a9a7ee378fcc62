-- create_staging --
create temporary table if not exists staged_ohlc (
    series_id integer not null,
    load_id integer not null,
    open_time timestamptz not null,
    open numeric not null,
    high numeric not null,
    low numeric not null,
    close numeric not null,
    volume numeric not null,
    quote_volume numeric,
    trade_count integer
) on commit delete rows;

-- copy_staging --
copy staged_ohlc from stdin;

-- copy_new --
-- Straight into the table: for rows that are known not to be there.
copy warehouse.ohlc (
    series_id, load_id, open_time, open, high, low, close, volume, quote_volume, trade_count
) from stdin;

-- add_load --
-- Dated by the clock, not by the transaction's start: who had to wait for the series' lock comes later.
insert into warehouse.loads (source, run_id, trust, fetched_at)
values (%(source)s, %(run_id)s, %(trust)s, clock_timestamp())
returning load_id;

-- keep_revisions --
-- The rows that are about to change, as they are now.
insert into warehouse.ohlc_revisions (
    open_time, series_id, load_id, trade_count, open, high, low, close, volume, quote_volume,
    replaced_by, replaced_at
)
select
    kept.open_time, kept.series_id, kept.load_id, kept.trade_count,
    kept.open, kept.high, kept.low, kept.close, kept.volume, kept.quote_volume,
    staged.load_id, loads.fetched_at
from staged_ohlc as staged
join warehouse.loads using (load_id)
-- 'offset 0' keeps the planner from reading the whole table for a small batch.
cross join lateral (
    select ohlc.*
    from warehouse.ohlc
    where ohlc.series_id = staged.series_id and ohlc.open_time = staged.open_time
    offset 0
) as kept
where
    (kept.open, kept.high, kept.low, kept.close, kept.volume, kept.quote_volume, kept.trade_count)
    is distinct from
    (staged.open, staged.high, staged.low, staged.close, staged.volume, staged.quote_volume,
    staged.trade_count)
    and warehouse.trust_of(kept.load_id) >= %(trust)s
order by kept.series_id, kept.open_time;

-- upsert --
-- Writes only what truly differs, and never over what a more trusted source said.
insert into warehouse.ohlc as kept (
    open_time, series_id, load_id, trade_count, open, high, low, close, volume, quote_volume
)
select
    open_time, series_id, load_id, trade_count, open, high, low, close, volume, quote_volume
from staged_ohlc
order by series_id, open_time
on conflict (series_id, open_time) do update set
    load_id = excluded.load_id,
    trade_count = excluded.trade_count,
    open = excluded.open,
    high = excluded.high,
    low = excluded.low,
    close = excluded.close,
    volume = excluded.volume,
    quote_volume = excluded.quote_volume
where
    (kept.open, kept.high, kept.low, kept.close, kept.volume, kept.quote_volume, kept.trade_count)
    is distinct from
    (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume,
    excluded.quote_volume, excluded.trade_count)
    and warehouse.trust_of(kept.load_id) >= %(trust)s;

-- reject --
insert into warehouse.rejected_rows (series_id, slot, source_row, source, reason)
values (%(series_id)s, %(slot)s, %(row)s, %(source)s, %(reason)s)
on conflict (series_id, slot) do update set
    source_row = excluded.source_row,
    source = excluded.source,
    reason = excluded.reason,
    seen_at = now();

-- forgive --
-- A rejected row is settled once its slot holds a valid one.
delete from warehouse.rejected_rows as rejected
using warehouse.series
where
    rejected.series_id = any (%(series_ids)s)
    and series.series_id = rejected.series_id
    and exists (
        select
        from warehouse.ohlc
        where
            ohlc.series_id = rejected.series_id
            and ohlc.open_time >= rejected.slot
            and ohlc.open_time < rejected.slot + series.step
    );

-- broken_promises --
-- Stored rows that break a promise of the dataset, and rejected rows whose slot is still empty.
select series.name, ohlc.open_time as at, 'stored row breaks a promise' as reason
from warehouse.ohlc
join warehouse.series using (series_id)
where
    series.dataset = %(dataset)s
    and ohlc.open_time >= %(start)s
    and ohlc.open_time < %(end)s
    and not (
        ohlc.low > 0
        and ohlc.low <= least(ohlc.open, ohlc.close)
        and ohlc.high >= greatest(ohlc.open, ohlc.close)
        and ohlc.high < 'infinity'
        and ohlc.volume >= 0
        and ohlc.volume < 'infinity'
        and coalesce(ohlc.quote_volume, 0) >= 0
        and coalesce(ohlc.quote_volume, 0) < 'infinity'
        and coalesce(ohlc.trade_count, 0) >= 0
    )
union all
select series.name, rejected.slot, rejected.reason
from warehouse.rejected_rows as rejected
join warehouse.series using (series_id)
where series.dataset = %(dataset)s and rejected.slot >= %(start)s and rejected.slot < %(end)s
order by 2 desc
limit %(limit)s;

-- newest --
-- For each active series the newest open time and the newest that is due.
select
    series.name,
    (
        select max(ohlc.open_time)
        from warehouse.ohlc
        where ohlc.series_id = series.series_id
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
select (ohlc.open_time at time zone 'utc')::date as day, loads.source, count(*) as row_count
from warehouse.ohlc
join warehouse.series using (series_id)
join warehouse.loads using (load_id)
where
    series.dataset = %(dataset)s
    and ohlc.open_time >= %(start)s
    and ohlc.open_time < %(end)s
group by 1, 2
order by 1, 2;
