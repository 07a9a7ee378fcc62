create function warehouse.low_digit(value bigint) returns smallint
    language sql immutable strict parallel safe
    return (((value + 32768) & 65535) - 32768)::smallint;
comment on function warehouse.low_digit is
    'The lowest of a number''s digits to the base of 65536; digits run from -32768, so that small numbers have one.';

create function warehouse.high_digits(value bigint) returns bigint
    language sql immutable strict parallel safe
    return (value - warehouse.low_digit(value)) >> 16;
comment on function warehouse.high_digits is 'What the lowest digit leaves of a number.';

create view warehouse.ohlc_unpacked as
select
    packed.series_id,
    packed.day,
    to_timestamp(
        (packed.first_ms + coalesce(held.times[slot.i], slot.i - 1)::bigint * packed.unit_ms)
        / 1000.0::double precision
    ) as open_time,
    coalesce(packed.load_id, held.load_ids[slot.i]) as load_id,
    (held.trades[slot.i] + coalesce(held.trades_high[slot.i], 0) * 65536::bigint)::integer
        as trade_count,
    case
        when held.scales is null then price.open
        else round(price.open, (held.scales[slot.i] & 255)::integer)
    end as open,
    case
        when held.scales is null then price.high
        else round(price.high, (held.scales[slot.i] >> 8 & 255)::integer)
    end as high,
    case
        when held.scales is null then price.low
        else round(price.low, (held.scales[slot.i] >> 16 & 255)::integer)
    end as low,
    case
        when held.scales is null then price.close
        else round(price.close, (held.scales[slot.i] >> 24 & 255)::integer)
    end as close,
    case
        when held.scales is null then price.volume
        else round(price.volume, (held.scales[slot.i] >> 32 & 255)::integer)
    end as volume,
    case
        when held.scales is null then price.quote_volume
        else round(price.quote_volume, (held.scales[slot.i] >> 40 & 255)::integer)
    end as quote_volume
from warehouse.ohlc_packed as packed
-- A slice is a copy out of TOAST: each array is fetched once a day, not once a candle.
cross join lateral (
    select
        packed.candles,
        packed.times[:] as times,
        packed.load_ids[:] as load_ids,
        packed.scales[:] as scales,
        packed.close[:] as close,
        packed.close_high[:] as close_high,
        packed.open[:] as open,
        packed.open_high[:] as open_high,
        packed.high[:] as high,
        packed.high_high[:] as high_high,
        packed.low[:] as low,
        packed.low_high[:] as low_high,
        packed.volume[:] as volume,
        packed.volume_high[:] as volume_high,
        packed.volume_top[:] as volume_top,
        packed.quote[:] as quote,
        packed.quote_high[:] as quote_high,
        packed.quote_top[:] as quote_top,
        packed.trades[:] as trades,
        packed.trades_high[:] as trades_high
    offset 0
) as held
cross join lateral generate_series(1, held.candles) as slot (i)
cross join lateral (
    select
        packed.base + held.close[slot.i] + coalesce(held.close_high[slot.i], 0) * 65536::bigint
            as close,
        held.volume[slot.i] + coalesce(held.volume_high[slot.i], 0) * 65536::bigint
            + coalesce(held.volume_top[slot.i], 0) * 4294967296 as volume
    offset 0
) as ticks
cross join lateral (
    select
        packed.price_unit * (
            coalesce(
                packed.base + held.close[slot.i - 1]
                + coalesce(held.close_high[slot.i - 1], 0) * 65536::bigint,
                packed.base
            )
            + held.open[slot.i] + coalesce(held.open_high[slot.i], 0) * 65536::bigint
        ) as open,
        packed.price_unit * (
            ticks.close + held.high[slot.i] + coalesce(held.high_high[slot.i], 0) * 65536::bigint
        ) as high,
        packed.price_unit * (
            ticks.close - held.low[slot.i] - coalesce(held.low_high[slot.i], 0) * 65536::bigint
        ) as low,
        packed.price_unit * ticks.close as close,
        packed.volume_unit * ticks.volume as volume,
        packed.quote_unit * (
            packed.quote_per_product * ticks.volume * ticks.close
            + held.quote[slot.i] + coalesce(held.quote_high[slot.i], 0) * 65536::bigint
            + coalesce(held.quote_top[slot.i], 0) * 4294967296
        ) as quote_volume
) as price;
comment on view warehouse.ohlc_unpacked is
    'The candles of packed days, digit for digit; a condition on the day finds them without unpacking others.';

create view warehouse.ohlc_stored as
select
    ohlc.series_id,
    null::date as day,
    ohlc.open_time,
    ohlc.load_id,
    ohlc.trade_count,
    ohlc.open,
    ohlc.high,
    ohlc.low,
    ohlc.close,
    ohlc.volume,
    ohlc.quote_volume
from warehouse.ohlc
union all
select
    series_id,
    day,
    open_time,
    load_id,
    trade_count,
    open,
    high,
    low,
    close,
    volume,
    quote_volume
from warehouse.ohlc_unpacked;
comment on view warehouse.ohlc_stored is
    'Every candle, whether its day is packed or not; who asks for a day says so of day too, which is null of rows.';

create view warehouse.ohlc_ends as
select series_id, open_time
from warehouse.ohlc
union all
select series_id, first_time
from warehouse.ohlc_packed
union all
select series_id, last_time
from warehouse.ohlc_packed;
comment on view warehouse.ohlc_ends is
    'For the first and the last candle of a series: all open times, of packed days the ends.';

-- By series, so that a condition on the series finds its packed days, and no others.
create or replace view market.ohlc as
select
    series.venue,
    series.instrument,
    series.interval,
    ohlc.open_time,
    ohlc.open,
    ohlc.high,
    ohlc.low,
    ohlc.close,
    ohlc.volume,
    ohlc.quote_volume,
    ohlc.trade_count,
    loads.source,
    loads.fetched_at
from warehouse.series
cross join lateral (
    select
        hot.open_time, hot.load_id, hot.trade_count, hot.open, hot.high, hot.low, hot.close,
        hot.volume, hot.quote_volume
    from warehouse.ohlc as hot
    where hot.series_id = series.series_id
    union all
    select
        old.open_time, old.load_id, old.trade_count, old.open, old.high, old.low, old.close,
        old.volume, old.quote_volume
    from warehouse.ohlc_unpacked as old
    where old.series_id = series.series_id
) as ohlc
left join warehouse.loads using (load_id);

create function market.ohlc_between(window_start timestamptz, window_end timestamptz)
    returns setof market.ohlc
    language sql stable parallel safe
    begin atomic
        select
            series.venue, series.instrument, series.interval, ohlc.open_time, ohlc.open, ohlc.high,
            ohlc.low, ohlc.close, ohlc.volume, ohlc.quote_volume, ohlc.trade_count, loads.source,
            loads.fetched_at
        from warehouse.series
        cross join lateral (
            select
                hot.open_time, hot.load_id, hot.trade_count, hot.open, hot.high, hot.low,
                hot.close, hot.volume, hot.quote_volume
            from warehouse.ohlc as hot
            where
                hot.series_id = series.series_id
                and hot.open_time >= window_start
                and hot.open_time < window_end
            union all
            select
                old.open_time, old.load_id, old.trade_count, old.open, old.high, old.low,
                old.close, old.volume, old.quote_volume
            from warehouse.ohlc_unpacked as old
            where
                old.series_id = series.series_id
                and old.day >= (window_start at time zone 'utc')::date
                and old.day <= (window_end at time zone 'utc')::date
                and old.open_time >= window_start
                and old.open_time < window_end
        ) as ohlc
        left join warehouse.loads using (load_id);
    end;
comment on function market.ohlc_between is
    'The candles of market.ohlc that open in [window_start, window_end): packed days outside it stay packed, so old months answer fast.';
