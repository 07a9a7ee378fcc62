-- begin --
-- For one transaction; text must look the same on every server.
select set_config('datestyle', 'ISO', true), set_config('intervalstyle', 'postgres', true);

-- series --
select series_id, name, venue, instrument, interval, step, is_active
from warehouse.series
where dataset = %(dataset)s
order by venue, instrument, step, name;

-- asset --
select market.asset_id(%(named)s);

-- length --
-- Refuses what is no interval.
select market.interval_length(%(interval)s);

-- ohlc --
select *
from market.ohlc_between(%(start)s::timestamptz, %(end)s::timestamptz)
where venue = %(venue)s and instrument = %(instrument)s and interval = %(interval)s
order by open_time;

-- candles --
select
    %(venue)s::text as venue,
    %(instrument)s::text as instrument,
    %(interval)s::text as interval,
    made.*
from market.candles(
    %(venue)s, %(instrument)s, %(interval)s, %(start)s::timestamptz, %(end)s::timestamptz
) as made
order by made.open_time;

-- market_prices --
select *
from market.market_prices
where asset_id = %(name)s and slot >= %(start)s::timestamptz and slot < %(end)s::timestamptz
order by slot;

-- sentiment --
select *
from market.sentiment
where index_name = %(name)s and slot >= %(start)s::timestamptz and slot < %(end)s::timestamptz
order by slot;

-- gas_prices --
select *
from market.gas_prices
where
    chain = split_part(%(name)s, '/', 1)
    and kind = split_part(%(name)s, '/', 2)
    and slot >= %(start)s::timestamptz
    and slot < %(end)s::timestamptz
order by slot;

-- news --
select *
from market.news
where
    published_at >= %(start)s::timestamptz
    and published_at < %(end)s::timestamptz
    and (%(asset_ids)s::text[] is null or asset_ids && %(asset_ids)s::text[])
order by published_at, article_id;

-- candle_scales --
-- The most digits after the point of each column, or more: a packed day's units have enough for all
-- of its candles, and what is made of candles has no more than they. The last one ends after the window.
select
    max(held.open) as open,
    max(held.high) as high,
    max(held.low) as low,
    max(held.close) as close,
    max(held.volume) as volume,
    max(held.quote_volume) as quote_volume
from (
    select %(end)s::timestamptz + coalesce(market.interval_length(%(longest)s), interval '0') as at
) as until
cross join lateral (
    select
        scale(open) as open,
        scale(high) as high,
        scale(low) as low,
        scale(close) as close,
        scale(volume) as volume,
        scale(quote_volume) as quote_volume
    from warehouse.ohlc
    where
        series_id = any (%(series_ids)s)
        and open_time >= %(start)s::timestamptz
        and open_time < until.at
    union all
    select
        scale(price_unit),
        scale(price_unit),
        scale(price_unit),
        scale(price_unit),
        scale(volume_unit),
        scale(quote_unit)
    from warehouse.ohlc_packed
    where
        series_id = any (%(series_ids)s)
        and day >= (%(start)s::timestamptz at time zone 'utc')::date
        and day <= (until.at at time zone 'utc')::date
) as held;

-- completeness --
-- Of the slots of a window that are due: how many the calendar expects, and what became of them;
-- and how many it expects no more, for their rows were dropped for their age.
select
    coalesce(sum(warehouse.slot_count(coverage.expected * asked.slots, series.step)), 0)::bigint,
    coalesce(
        sum(
            warehouse.slot_count(coverage.expected * coverage.present * asked.slots, series.step)
        ),
        0
    )::bigint,
    coalesce(sum(warehouse.slot_count(coverage.explained * asked.slots, series.step)), 0)::bigint,
    coalesce(sum(warehouse.slot_count(coverage.missing * asked.slots, series.step)), 0)::bigint,
    coalesce(sum(warehouse.slot_count(coverage.expired * asked.slots, series.step)), 0)::bigint
from warehouse.coverage
join warehouse.series using (series_id)
cross join lateral (
    select
        warehouse.due_before(series.step, series.anchor, series.grace)
        * tstzmultirange(tstzrange(%(start)s::timestamptz, %(end)s::timestamptz)) as slots
) as asked
where
    coverage.series_id = any (%(series_ids)s)
    and series.is_active
    and coverage.day >= (%(start)s::timestamptz at time zone 'utc')::date
    and coverage.day <= (%(end)s::timestamptz at time zone 'utc')::date;
