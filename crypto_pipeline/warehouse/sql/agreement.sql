-- compared --
-- How many prices of a window have a candle to be compared with, and those of them that are further
-- apart than a tolerance, with the candles of every venue that closed just before.
with venues as (
    -- One series for each market of a venue: what is collected now, the finest of several.
    select distinct on (series.venue, series.instrument)
        series.series_id,
        series.name,
        series.step,
        split_part(series.instrument, '-', 1) as symbol
    from warehouse.series
    where
        series.dataset = 'ohlc'
        and split_part(series.instrument, '-', 2) = any (%(dollars)s)
    order by series.venue, series.instrument, series.is_active desc, series.step
),
markets as (
    select
        symbol,
        array_agg(series_id order by name) as series_ids,
        array_agg(name order by name) as names,
        array_agg(step order by name) as steps
    from venues
    group by symbol
),
known as (
    select
        kept.series_id,
        kept.load_id,
        series.name as asset_id,
        kept.slot,
        kept.price_usd,
        told.venues,
        told.closes,
        greatest(kept.price_usd, told.highest)
        > least(kept.price_usd, told.lowest) * (1 + %(tolerance)s) as is_doubtful
    from warehouse.market_prices as kept
    join warehouse.series using (series_id)
    join warehouse.assets on assets.asset_id = series.name
    join markets on markets.symbol = upper(assets.symbol)
    cross join lateral (
        select
            array_agg(venues.name) as venues,
            array_agg(closed.price) as closes,
            max(closed.price) as highest,
            min(closed.price) as lowest
        from unnest(markets.series_ids, markets.names, markets.steps) as venues (series_id, name, step)
        cross join lateral (
            select ohlc.close as price
            from warehouse.ohlc_stored as ohlc
            where
                ohlc.series_id = venues.series_id
                and (
                    ohlc.day is null
                    or ohlc.day between
                    (coalesce(kept.observed_at, kept.slot) - venues.step - %(nearby)s::interval)::date
                    and (coalesce(kept.observed_at, kept.slot) - venues.step)::date
                )
                and ohlc.open_time <= coalesce(kept.observed_at, kept.slot) - venues.step
                and ohlc.open_time
                >= coalesce(kept.observed_at, kept.slot) - venues.step - %(nearby)s::interval
                -- Said again in constants, so that only the partitions of these days are planned with.
                and ohlc.open_time >= %(start)s - interval '2 days'
                and ohlc.open_time < %(end)s
            order by ohlc.open_time desc
            limit 1
        ) as closed
    ) as told
    where kept.slot >= %(start)s and kept.slot < %(end)s and told.venues is not null
)
select
    counted.slots,
    known.series_id,
    known.load_id,
    known.asset_id,
    known.slot,
    loads.source,
    known.price_usd,
    loads.trust,
    known.venues,
    known.closes
from (select count(*) as slots from known) as counted
left join known on known.is_doubtful
left join warehouse.loads using (load_id)
order by known.slot, known.asset_id;

-- quarantine --
-- Set rows aside that are still the ones that were judged: they are served no more, their slots are
-- missing, and what was known meanwhile stays known as a revision. With each, how often by now.
with outliers as (
    select *
    from unnest(
        %(series_ids)s::integer[], %(slots)s::timestamptz[], %(load_ids)s::integer[],
        %(reasons)s::text[]
    ) as outlier (series_id, slot, load_id, reason)
),
gone as (
    delete from warehouse.market_prices as kept
    using outliers
    where
        kept.series_id = outliers.series_id
        and kept.slot = outliers.slot
        and kept.load_id = outliers.load_id
    returning kept.*, outliers.reason
),
revised as (
    insert into warehouse.market_prices_revisions (
        slot, series_id, load_id, price_usd, market_cap_usd, volume_24h_usd, change_24h_pct,
        observed_at, is_refilled, replaced_by, replaced_at
    )
    select
        slot, series_id, load_id, price_usd, market_cap_usd, volume_24h_usd, change_24h_pct,
        observed_at, is_refilled, %(load_id)s, clock_timestamp()
    from gone
),
set_aside as (
    insert into warehouse.rejected_rows (series_id, slot, source_row, source, reason)
    select
        gone.series_id,
        gone.slot,
        to_jsonb(gone) - array['series_id', 'load_id', 'reason'],
        loads.source,
        gone.reason
    from gone
    join warehouse.loads using (load_id)
    on conflict (series_id, slot) do update set
        source_row = excluded.source_row,
        source = excluded.source,
        reason = excluded.reason,
        seen_at = now()
),
uncovered as (
    update warehouse.coverage
    set present = coverage.present - taken.slots
    from (
        select
            gone.series_id,
            (gone.slot at time zone 'utc')::date as day,
            range_agg(tstzrange(gone.slot, gone.slot + series.step)) as slots
        from gone
        join warehouse.series using (series_id)
        group by 1, 2
    ) as taken
    where coverage.series_id = taken.series_id and coverage.day = taken.day
)
select
    gone.series_id,
    gone.slot,
    (
        select count(*) + 1
        from warehouse.market_prices_revisions as former
        join warehouse.loads on loads.load_id = former.replaced_by
        where
            former.series_id = gone.series_id
            and former.slot = gone.slot
            and loads.source = %(source)s
    )
from gone;
