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
        date_bin(series.step, min(ohlc.open_time), series.anchor) as first_slot,
        date_bin(series.step, max(ohlc.open_time), series.anchor) as last_slot
    from warehouse.ohlc
    where ohlc.series_id = series.series_id
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
        select date_bin(series.step, ohlc.open_time, series.anchor) as slot, series.step
        from warehouse.ohlc
        join warehouse.series using (series_id)
        where
            ohlc.series_id = %(series_id)s
            -- A row may open as much as a slot later than the slot it lies in.
            and ohlc.open_time >= %(start)s
            and ohlc.open_time < %(end)s + %(step)s::interval
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
            case when told.stored <> told.present then 'present' end,
            case when book.slots && told.stored then 'holes' end,
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
    select coalesce(stored.slots, '{}') as stored, coalesce(ledger.present, '{}') as present
) as told
order by day;

-- follow_rows --
insert into warehouse.coverage as kept (series_id, day, expected, present)
select series_id, day, '{}', slots
from unnest(
    %(series_ids)s::integer[], %(days)s::date[], %(slots)s::tstzmultirange[]
) as stored (series_id, day, slots)
on conflict (series_id, day) do update set present = excluded.present;

-- log_repairs --
insert into warehouse.ledger_repairs (
    repaired_at, series_id, day, only_in_rows, only_in_ledger
)
select %(now)s, %(series_id)s, found.*
from unnest(
    %(days)s::date[], %(only_in_rows)s::tstzmultirange[], %(only_in_ledger)s::tstzmultirange[]
) as found;
